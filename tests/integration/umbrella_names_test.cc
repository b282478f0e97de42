// SPDX-License-Identifier: Apache-2.0

// One use of every public name about tasks, with nothing but troupe.h included of troupe, and
// written as a reader of the documents writes it. That what is named does what it should is other
// tests' work. Actors: umbrella_actor_names_test.cc.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "troupe/troupe.h"

using namespace std::chrono_literals;  // NOLINT: for 10ms

namespace {

template <class Body>
auto in_virtual_time(Body body) {
  troupe::testing::VirtualClock clock;
  return troupe::testing::run(body, {.clock = &clock});
}

// ----- tasks

TEST(UmbrellaNamesTest, Nurseries) {
  const int value = in_virtual_time([] {
    int done = 0;
    troupe::NurseryStatus status;
    const int result = troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon([&] {
        troupe::sleep(10ms);
        ++done;
      });
      n.start_soon("named", [&, owned = std::make_unique<int>(1)] { done += *owned; });
      const int port = n.start<int>([](troupe::TaskStatus<int>& started) {
        started.started(8080);
        troupe::sleep_forever();
      });
      n.start([](troupe::TaskStatus<void>& started) { started.started(); });
      while (n.child_count() > 1) troupe::sleep(1ms);
      n.cancel();
      EXPECT_TRUE(n.cancel_called());
      EXPECT_FALSE(n.cancelled_caught());
      EXPECT_TRUE(n.cancel_scope().cancel_called());
      status = n.status();
      return port;
    });
    EXPECT_EQ(done, 2);
    EXPECT_TRUE(status.cancel_called());
    EXPECT_EQ(status.child_count(), 0u);
    static_cast<void>(status.cancelled_caught());
    troupe::open_task_nursery([](troupe::TaskNursery& n) { n.wait_all(); });
    troupe::open_task_nursery([] {});
    return result;
  });
  EXPECT_EQ(value, 8080);
}

TEST(UmbrellaNamesTest, SeveralAtOnceAndSharedResources) {
  in_virtual_time([] {
    const auto [left, right] = troupe::gather([] { return 1; }, [] { return std::string("x"); });
    EXPECT_EQ(left, 1);
    EXPECT_EQ(right, "x");
    const std::vector<std::function<int()>> functions{[] { return 1; }, [] { return 2; }};
    EXPECT_EQ(troupe::gather(functions), (std::vector{1, 2}));
    troupe::gather([] {}, [] { troupe::checkpoint(); });
    const int opened = troupe::maybe_open_context(
        "key", [] { return 7; }, [](int& resource) { return resource; });
    EXPECT_EQ(opened, 7);
    troupe::gather_contexts([](int& a, int& b) { EXPECT_EQ(a, b); }, [] { return 1; },
                            [] { return 1; });
  });
}

TEST(UmbrellaNamesTest, CancelScopes) {
  in_virtual_time([] {
    troupe::CancelScope scope;
    scope.run([&] {
      scope.cancel();
      troupe::checkpoint();
    });
    EXPECT_TRUE(scope.cancel_called());
    EXPECT_TRUE(scope.cancelled_caught());
    const troupe::TimePoint soon = troupe::current_time() + 1s;
    troupe::CancelScope with_options({.deadline = soon, .shield = true});
    EXPECT_EQ(with_options.deadline(), soon);
    with_options.set_deadline(soon + 1s);
    with_options.set_shield(true);
    const troupe::ScopeResult<int> result =
        with_options.run([](troupe::CancelScope& itself) { return itself.shield() ? 1 : 0; });
    EXPECT_TRUE(result);
    EXPECT_EQ(*result, 1);
    EXPECT_FALSE(result.cancelled_caught());
    troupe::CancelScope braced{{.shield = true}};
    EXPECT_TRUE(braced.shield());
  });
}

TEST(UmbrellaNamesTest, TimeLimitsAndSleeping) {
  in_virtual_time([] {
    const auto done = troupe::move_on_after(1s, [] { return 3; });
    EXPECT_TRUE(bool(done));
    EXPECT_EQ(*done, 3);
    const auto late = troupe::move_on_after(
        1s, [](troupe::CancelScope&) { troupe::sleep(std::chrono::duration<double>(2.5)); });
    EXPECT_TRUE(late.cancelled_caught());
    EXPECT_EQ(troupe::fail_after(1s, [] { return 7; }), 7);
    EXPECT_THROW(troupe::fail_after(50ms, [] { troupe::sleep_forever(); }), troupe::TooSlowError);
    const auto t = troupe::current_time() + 1ms;
    EXPECT_FALSE(troupe::move_on_at(t, [] { troupe::sleep_until(troupe::never); }));
    EXPECT_THROW(troupe::fail_at(t, [] { troupe::sleep(1h); }), troupe::TooSlowError);
    troupe::sleep(0s);
    troupe::checkpoint();
    troupe::checkpoint_if_cancelled();
    EXPECT_EQ(troupe::current_effective_deadline(), troupe::never);
  });
}

TEST(UmbrellaNamesTest, Cancelled) {
  static_assert(!std::is_base_of_v<std::exception, troupe::Cancelled>);
  static_assert(!std::is_default_constructible_v<troupe::Cancelled>);
  in_virtual_time([] {
    troupe::CancelScope scope;
    scope.run([&] {
      scope.cancel("because");
      try {
        troupe::sleep(1s);
      } catch (const troupe::Cancelled& cancelled) {
        EXPECT_EQ(cancelled.reason().text, "because");
        throw;
      }
    });
  });
}

TEST(UmbrellaNamesTest, Locks) {
  in_virtual_time([] {
    troupe::Event event;
    event.set();
    event.wait();
    EXPECT_TRUE(event.is_set());
    EXPECT_EQ(event.statistics().tasks_waiting, 0u);

    troupe::Lock lock;
    {
      const std::lock_guard guard(lock);
      EXPECT_TRUE(lock.locked());
      EXPECT_TRUE(lock.statistics().locked);
    }
    lock.acquire();
    lock.release();

    troupe::Semaphore semaphore(1);
    semaphore.acquire();
    EXPECT_THROW(semaphore.acquire_nowait(), troupe::WouldBlock);
    semaphore.release();
    EXPECT_EQ(semaphore.statistics().value, 1u);

    troupe::Condition condition;
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon([&] {
        const std::lock_guard guard(condition);
        condition.wait();
      });
      troupe::testing::wait_all_tasks_blocked();
      EXPECT_EQ(condition.statistics().tasks_waiting, 1u);
      const std::lock_guard guard(condition);
      condition.notify();
      condition.notify_all();
    });

    troupe::CapacityLimiter limiter(2);
    limiter.acquire();
    EXPECT_EQ(limiter.statistics().borrowed_tokens, 1u);
    EXPECT_EQ(limiter.available_tokens(), 1u);
    limiter.release();
  });
}

TEST(UmbrellaNamesTest, MemoryChannels) {
  in_virtual_time([] {
    auto [send, receive] = troupe::open_memory_channel<int>(3);
    send.send(1);
    send.send_nowait(2);
    EXPECT_TRUE(send.try_send(3));
    EXPECT_FALSE(send.try_send(4));
    EXPECT_EQ(send.statistics().current_buffer_used, 3u);
    EXPECT_EQ(receive.receive(), 1);
    EXPECT_EQ(receive.receive_nowait(), 2);
    EXPECT_EQ(receive.try_receive(), 3);
    EXPECT_THROW(receive.receive_nowait(), troupe::WouldBlock);
    auto another = send.clone();
    another.send(5);
    another.close();
    send.close();
    int sum = 0;
    for (const int value : receive) sum += value;
    EXPECT_EQ(sum, 5);
    EXPECT_THROW(receive.receive(), troupe::EndOfChannel);
    EXPECT_THROW(send.send(1), troupe::BrokenChannel);

    auto [in, out] = troupe::open_memory_channel<std::unique_ptr<int>>(troupe::unbounded);
    in.send(std::make_unique<int>(1));
    in.close();
    for (const auto& p : out) EXPECT_EQ(*p, 1);
  });
}

TEST(UmbrellaNamesTest, OtherChannels) {
  in_virtual_time([] {
    auto [send, receive] = troupe::open_broadcast<int>(2);
    auto second = send.subscribe();
    send.send(1);
    send.send(2);
    send.send(3);
    EXPECT_THROW(receive.receive(), troupe::Lagged);
    EXPECT_EQ(second.clone().statistics().open_receivers, 3u);
    send.close();

    auto a = troupe::open_memory_channel<int>(1);
    auto b = troupe::open_memory_channel<int>(1);
    a.send.send(1);
    b.send.send(2);
    a.send.close();
    b.send.close();
    std::vector<int> all;
    for (const int value : troupe::merge(a.receive, b.receive)) all.push_back(value);
    EXPECT_EQ(all, (std::vector{1, 2}));

    troupe::open_generator<int>([](auto& to) { to.send(4); },
                                [](auto& values) { EXPECT_EQ(values.receive(), 4); });

    auto [out, in] = troupe::open_memory_channel<std::string>(1);
    const troupe::Sink<std::string> sink(out);
    sink.send("bubbles");
    EXPECT_EQ(in.receive(), "bubbles");
  });
}

// ----- the outside world

TEST(UmbrellaNamesTest, DescriptorsAndSignals) {
  troupe::testing::run([] {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    troupe::wait_writable(ends[1]);
    EXPECT_EQ(::write(ends[1], "x", 1), 1);
    troupe::wait_readable(ends[0]);
    for (const int end : ends) {
      troupe::notify_closing(end);
      ::close(end);
    }
    troupe::open_signal_receiver({SIGHUP}, [](auto& signals) {
      std::raise(SIGHUP);
      for (const int signal : signals) {
        EXPECT_EQ(signal, SIGHUP);
        break;
      }
    });
  });
}

TEST(UmbrellaNamesTest, Threads) {
  troupe::testing::run([] {
    const int value = troupe::to_thread_run([] {
      return troupe::from_thread_run([] { return troupe::current_time() < troupe::never; });
    });
    EXPECT_EQ(value, 1);
    troupe::CapacityLimiter limiter(1);
    troupe::to_thread_run([] {}, {.limiter = &limiter});
    const troupe::LoopToken token = troupe::current_token();
    troupe::Event called;
    std::thread other([&] { troupe::from_thread_run(token, [&] { called.set(); }); });
    called.wait();
    troupe::to_thread_run([&] { other.join(); });
  });
}

TEST(UmbrellaNamesTest, Tools) {
  in_virtual_time([] {
    troupe::testing::Sequencer seq;
    std::string order;
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon([&] { seq(1, [&] { order += 'b'; }); });
      n.start_soon([&] { seq(0, [&] { order += 'a'; }); });
    });
    EXPECT_EQ(order, "ab");
    troupe::testing::assert_checkpoints([] { troupe::checkpoint(); });
    EXPECT_EQ(troupe::testing::assert_no_checkpoints([] { return 1; }), 1);
    EXPECT_THROW(troupe::testing::assert_checkpoints([] {}), troupe::testing::AssertionFailed);
    EXPECT_NE(troupe::task_tree().find("main"), std::string::npos);
    EXPECT_GE(troupe::current_statistics().tasks_living, 1u);
    static troupe::TaskLocal<int> local{1};
    local.set(2);
    EXPECT_EQ(local.get(), 2);
    struct Quiet : troupe::Instrument {
    } quiet;
    troupe::add_instrument(quiet);
    troupe::remove_instrument(quiet);
  });
  EXPECT_EQ(troupe::testing::run([] { return 1; }), 1);
  EXPECT_THROW(troupe::testing::run([] { throw std::range_error("far"); }), std::range_error);
}

// ----- errors

TEST(UmbrellaNamesTest, Errors) {
  using namespace troupe;  // NOLINT: only names are looked at
  static_assert(std::is_base_of_v<std::runtime_error, Error>);
  const auto derive_from_error = []<class... E>(std::type_identity<E>...) {
    return (std::is_base_of_v<Error, E> && ...);
  };
  EXPECT_TRUE(derive_from_error(
      std::type_identity<RemoteActorError>(), std::type_identity<ContextCancelled>(),
      std::type_identity<ActorDied>(), std::type_identity<SpawnFailed>(),
      std::type_identity<TransportClosed>(), std::type_identity<ModuleNotExposed>(),
      std::type_identity<MsgTypeError>(), std::type_identity<StreamOverrun>(),
      std::type_identity<TooSlowError>(), std::type_identity<WouldBlock>(),
      std::type_identity<EndOfChannel>(), std::type_identity<BrokenChannel>(),
      std::type_identity<UsageError>(), std::type_identity<ExceptionGroup>()));
}

TEST(UmbrellaNamesTest, GroupsAreHandledByType) {
  in_virtual_time([] {
    std::set<std::string> seen;
    const auto two_failures = [] {
      troupe::open_task_nursery([](troupe::TaskNursery& n) {
        n.start_soon([] { throw std::out_of_range("far"); });
        n.start_soon([] { throw std::invalid_argument("odd"); });
      });
    };
    try {
      two_failures();
    } catch (const troupe::ExceptionGroup& group) {
      EXPECT_EQ(group.exceptions().size(), 2u);
    }
    troupe::handle(two_failures, troupe::on<std::out_of_range>([&](const std::out_of_range& e) {
                     seen.insert(e.what());
                   }),
                   troupe::on<std::logic_error>([&] { seen.insert("logic"); }));
    EXPECT_EQ(seen, (std::set<std::string>{"far", "logic"}));
  });
}

}  // namespace
