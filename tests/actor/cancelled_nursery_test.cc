// SPDX-License-Identifier: Apache-2.0

// Cancelled nurseries of actors: what they say of themselves afterwards, and what it costs to wait
// for an actor that takes its time.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "troupe/tests/actor/notebook.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using troupe::ActorNursery;
using troupe::testing::note;
using troupe::testing::Notebook;

void streams_for_ever(troupe::Sink<int> out) {
  for (;;) out.send(0);
}
void fails() { throw std::domain_error("a child's"); }

// The processor time that this process has used, of all its threads.
std::chrono::microseconds used_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto span = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return span(usage.ru_utime) + span(usage.ru_stime);
}

// When it is cancelled it takes half a second to end, and notes how long it has computed meanwhile.
void ends_slowly(const std::string& notes) {
  note(notes, "up");
  try {
    troupe::sleep_forever();
  } catch (const troupe::Cancelled&) {
    const auto before = used_time();
    troupe::CancelScope cleanup({.shield = true});
    cleanup.run([] { troupe::sleep(500ms); });
    note(notes, std::to_string((used_time() - before).count()));
    throw;
  }
}

void sleeps_and_says_so(const std::string& notes) {
  note(notes, "up");
  troupe::sleep_forever();
}
// Does not hear of its own end before it has heard of the other one's.
void uses_another(const std::string& notes) {
  troupe::CancelScope deaf({.shield = true});
  deaf.run([&] { troupe::wait_for_actor("used").run<&sleeps_and_says_so>(notes); });
}

inline const auto& stage =
    troupe::module<"stage", &streams_for_ever, &fails, &ends_slowly, &sleeps_and_says_so>;

// Runs `body(nursery)` in a nursery of a fresh root, and tells how that nursery ended; an error of
// the test's own is expected.
template <class Body>
troupe::NurseryStatus status_after(Body body) {
  troupe::NurseryStatus status;
  troupe::open_root_actor({}, [&] {
    try {
      troupe::open_nursery([&](ActorNursery& n) {
        status = n.status();
        body(n);
      });
    } catch (const std::domain_error&) {
    } catch (const troupe::RemoteActorError& error) {
      EXPECT_TRUE(error.is<std::domain_error>()) << error.what();
    }
  });
  EXPECT_EQ(status.child_count(), 0u);
  return status;
}

// CAN-06: an endless stream that is read under a time limit: the scope has caught the cancellation,
// the nursery within it was cancelled, and nothing is left of the actor.
TEST(CancelledNurseryTest, ATimeLimitEndsAnEndlessStream) {
  troupe::open_root_actor({}, [] {
    troupe::NurseryStatus status;
    troupe::CancelScope limit;
    limit.run([&] {
      troupe::open_nursery([&](ActorNursery& n) {
        status = n.status();
        const troupe::Portal streamer = n.start_actor("streamer", {.enable_modules = {stage}});
        streamer.open_stream<&streams_for_ever>([&](auto& numbers) {
          EXPECT_EQ(numbers.receive(), 0);
          limit.set_deadline(troupe::current_time() + 20ms);
          for ([[maybe_unused]] const int number : numbers) {
          }
        });
      });
    });
    EXPECT_TRUE(limit.cancelled_caught());
    EXPECT_TRUE(status.cancel_called());
    EXPECT_EQ(status.child_count(), 0u);
    EXPECT_FALSE(troupe::find_actor("streamer"));
  });
}

// CAN-23: a nursery whose actors were cancelled says so, whether by a call, ...
TEST(CancelledNurseryTest, ACallIsToldAndCaught) {
  const auto status = status_after([](ActorNursery& n) {
    n.start_actor("daemon");
    n.cancel();
  });
  EXPECT_TRUE(status.cancel_called());
  EXPECT_TRUE(status.cancelled_caught());
}

// CAN-23: ... by an error of the body, ...
TEST(CancelledNurseryTest, AnErrorOfTheBodyIsToldAndCaught) {
  const auto status = status_after([](ActorNursery& n) {
    n.start_actor("daemon");
    throw std::domain_error("the body's");
  });
  EXPECT_TRUE(status.cancel_called());
  EXPECT_TRUE(status.cancelled_caught());
}

// CAN-23: ... or by an error of one of them.
TEST(CancelledNurseryTest, AnErrorOfAChildIsToldAndCaught) {
  const auto status = status_after([](ActorNursery& n) {
    n.start_actor("daemon");
    n.run_in_actor<&fails>("tragic");
  });
  EXPECT_TRUE(status.cancel_called());
  EXPECT_TRUE(status.cancelled_caught());
}

// CAN-23: where each actor was ended by itself, the nursery was not cancelled.
TEST(CancelledNurseryTest, ActorsThatEndOneByOneCancelNothing) {
  const auto status =
      status_after([](ActorNursery& n) { EXPECT_TRUE(n.start_actor("daemon").cancel_actor()); });
  EXPECT_FALSE(status.cancel_called());
  EXPECT_FALSE(status.cancelled_caught());
}

// An actor whose function fails because a sibling, which it was using, is ended along with it has
// not failed itself: nothing comes out of the nursery.
TEST(CancelledNurseryTest, WhoFailsByASiblingsCancellationIsCancelled) {
  const Notebook notes;
  troupe::open_root_actor({}, [&] {
    troupe::open_nursery([&](ActorNursery& n) {
      n.start_actor("used", {.enable_modules = {stage}});
      n.run_in_actor<&uses_another>("user", notes.path());
      while (notes.lines().empty()) troupe::sleep(1ms);
      n.cancel();
    });
  });
}

// CAN-26: neither an actor that is being cancelled nor the one that waits for its end spins. Of the
// half second that it takes, each computes for less than the half, threads of the transport
// included.
TEST(CancelledNurseryTest, ASlowEndCostsNoProcessorTime) {
  const Notebook notes;
  std::chrono::microseconds before{};
  troupe::open_root_actor({}, [&] {
    troupe::open_nursery([&](ActorNursery& n) {
      n.run_in_actor<&ends_slowly>({.name = "slow", .shutdown = 1min}, notes.path());
      while (notes.lines().empty()) troupe::sleep(1ms);
      before = used_time();
      n.cancel();
    });
    EXPECT_LT(used_time() - before, 250ms);
  });
  ASSERT_EQ(notes.lines().size(), 2u);
  EXPECT_LT(std::chrono::microseconds(std::stoll(notes.lines().back())), 250ms);
}

}  // namespace
