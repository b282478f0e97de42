// SPDX-License-Identifier: Apache-2.0

// Processes that are killed in the middle of dialogs: every task that waits gets its error.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using dialogs::in_nursery;
using dialogs::Lines;
using dialogs::note;
using dialogs::NotesItsEnd;
using dialogs::read_diary;

struct Numbers {
  using Started = void;
  using ToCallee = int;
  using ToCaller = int;
};
using Caller = troupe::CallerContext<Numbers, void>;
using Stream = troupe::Stream<int, int>;

void sleeps() {
  note("call");
  troupe::sleep_forever();
}
void never_starts(troupe::Context<Numbers>&) {
  note("context that does not start");
  troupe::sleep_forever();
}
void has_no_stream(troupe::Context<Numbers>& ctx) {
  const NotesItsEnd end("context ended");
  ctx.started();
  note("context");
  troupe::sleep_forever();
}
void sends_one(troupe::Sink<int> out) {
  const NotesItsEnd end("stream ended");
  out.send(1);
  note("stream");
  troupe::sleep_forever();
}
// Fails in its cleanup, when nobody is there to be told.
void fails_when_cancelled() {
  try {
    note("call");
    troupe::sleep_forever();
  } catch (const troupe::Cancelled&) {
    note("call ended");
    throw std::runtime_error("the cleanup failed");
  }
}

inline const auto& callees = troupe::module<"callees", &sleeps, &never_starts, &has_no_stream,
                                            &sends_one, &fails_when_cancelled>;

// Every way to wait for another actor.
const std::vector<std::function<void(const troupe::Portal&)>>& waits() {
  static const std::vector<std::function<void(const troupe::Portal&)>> all = {
      [](const troupe::Portal& portal) { portal.run<&sleeps>(); },
      [](const troupe::Portal& portal) { portal.open_context<&never_starts>([](Caller&) {}); },
      [](const troupe::Portal& portal) {
        portal.open_context<&has_no_stream>([](Caller&) { troupe::sleep_forever(); });
      },
      [](const troupe::Portal& portal) {
        portal.open_context<&has_no_stream>([](Caller& ctx) { ctx.result(); });
      },
      [](const troupe::Portal& portal) { portal.open_context<&has_no_stream>([](Caller&) {}); },
      [](const troupe::Portal& portal) {
        portal.open_context<&has_no_stream>(
            [](Caller& ctx) { ctx.open_stream([](Stream& stream) { stream.receive(); }); });
      },
      [](const troupe::Portal& portal) {
        portal.open_context<&has_no_stream>([](Caller& ctx) {
          ctx.open_stream([](Stream& stream) {
            for (;;) stream.send(1);
          });
        });
      },
      [](const troupe::Portal& portal) {
        portal.open_stream<&sends_one>([](auto& stream) {
          for ([[maybe_unused]] int value : stream) {
          }
        });
      },
      [](const troupe::Portal& portal) {
        portal.open_stream<&sends_one>([](auto& stream) {
          troupe::open_task_nursery([&](troupe::TaskNursery& n) {
            for (int i = 0; i < 2; ++i) {
              n.start_soon([&] {
                stream.subscribe([](auto& values) {
                  while (values.next()) {
                  }
                });
              });
            }
          });
        });
      },
  };
  return all;
}

// How many lines they write in the diary before they wait.
constexpr std::size_t lines_of_waits = 9;

// The name of the error by which each of the waits ends.
std::vector<std::string> ends_of_waits(const troupe::Portal& portal) {
  std::vector<std::string> ends(waits().size());
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    for (std::size_t i = 0; i < ends.size(); ++i) {
      n.start_soon([&, i] {
        try {
          waits()[i](portal);
          ends[i] = "no error";
        } catch (const troupe::ActorDied& error) {
          ends[i] = "ActorDied " + error.uid().name + " " + std::to_string(error.signal());
        } catch (const troupe::TransportClosed&) {
          ends[i] = "TransportClosed";
        } catch (const troupe::ExceptionGroup& group) {
          ends[i] = std::string("group: ") + group.what();
        } catch (const std::exception& error) {
          ends[i] = std::string("other: ") + error.what();
        }
      });
    }
  });
  return ends;
}

// Waits in `name` in all ways, and tells how each ended.
std::vector<std::string> waits_for(const std::string& name) {
  return ends_of_waits(troupe::wait_for_actor(name));
}
// Opens dialogs of every kind with `name`, and never leaves them.
void holds_dialogs_with(const std::string& name) {
  const troupe::Portal portal = troupe::wait_for_actor(name);
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    n.start_soon([&] { portal.run<&fails_when_cancelled>(); });
    n.start_soon([&] { portal.open_context<&has_no_stream>([](Caller& ctx) { ctx.result(); }); });
    n.start_soon([&] {
      portal.open_stream<&sends_one>([](auto& stream) {
        stream.receive();
        stream.receive();
      });
    });
  });
}
inline const auto& callers = troupe::module<"callers", &waits_for, &holds_dialogs_with>;

void kill_actor(const troupe::Portal& portal) { ::kill(portal.run<&dialogs::own_pid>(), SIGKILL); }

// Afterwards the loop hears of a killed child's connection and of its process in one turn.
void block_until_its_end_is_there() { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }

// A child that is killed: its parent's tasks, whatever they wait for, get ActorDied, each once, and
// not the cancellation of the nursery that comes of it; so does whoever calls it later, and the
// nursery.
TEST(DeathsTest, AKilledChild) {
  std::vector<std::string> ends;
  try {
    in_nursery([&](troupe::ActorNursery& n) {
      troupe::Portal child = dialogs::start(n, "child", callees);
      troupe::open_task_nursery([&](troupe::TaskNursery& tasks) {
        tasks.start_soon([&] { ends = ends_of_waits(child); });
        static_cast<void>(child.run<&read_diary>(lines_of_waits));
        kill_actor(child);
        block_until_its_end_is_there();
      });
      EXPECT_THROW(child.run<&sleeps>(), troupe::ActorDied);
    });
    ADD_FAILURE() << "the nursery does not tell of the death";
  } catch (const troupe::ActorDied& error) {
    EXPECT_EQ(error.uid().name, "child");
    EXPECT_EQ(error.signal(), SIGKILL);
  }
  EXPECT_EQ(ends, std::vector<std::string>(waits().size(), "ActorDied child 9"));
}

// Another actor than the parent learns of the death by the connection.
TEST(DeathsTest, AKilledPeer) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal caller = dialogs::start(n, "caller", callers);
    std::vector<std::string> ends;
    troupe::open_task_nursery([&](troupe::TaskNursery& tasks) {
      tasks.start_soon([&] { ends = caller.run<&waits_for>("callee"); });
      EXPECT_THROW(troupe::open_nursery([](troupe::ActorNursery& inner) {
                     troupe::Portal callee = dialogs::start(inner, "callee", callees);
                     static_cast<void>(callee.run<&read_diary>(lines_of_waits));
                     kill_actor(callee);
                     troupe::sleep_forever();
                   }),
                   troupe::ActorDied);
    });
    EXPECT_EQ(ends, std::vector<std::string>(waits().size(), "TransportClosed"));
    n.cancel();
  });
}

// RPC-08: what a killed caller has begun ends in the callee, where an error that nobody is left to
// hear harms nothing else.
TEST(DeathsTest, AKilledCaller) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal callee = dialogs::start(n, "callee", callees);
    EXPECT_THROW(troupe::open_nursery([&](troupe::ActorNursery& inner) {
                   troupe::Portal caller = dialogs::start(inner, "caller", callers);
                   inner.start_soon([caller] { caller.run<&holds_dialogs_with>("callee"); });
                   static_cast<void>(callee.run<&read_diary>(3));
                   kill_actor(caller);
                   troupe::sleep_forever();
                 }),
                 troupe::ActorDied);
    const Lines lines = callee.run<&read_diary>(6);
    EXPECT_EQ(std::multiset<std::string>(lines.begin(), lines.end()),
              (std::multiset<std::string>{"call", "call ended", "context", "context ended",
                                          "stream", "stream ended"}));
    EXPECT_EQ(callee.run<&dialogs::own_name>(), "callee");
    n.cancel();
  });
}

// A child that is killed while its parent has asked it to end a context: the cancel comes to its
// end, too.
TEST(DeathsTest, KilledInsteadOfCancelled) {
  EXPECT_THROW(in_nursery([](troupe::ActorNursery& n) {
                 troupe::Portal child = dialogs::start(n, "child", callees);
                 child.open_context<&has_no_stream>([&](Caller& ctx) {
                   const int pid = child.run<&dialogs::own_pid>();
                   ::kill(pid, SIGSTOP);
                   troupe::open_task_nursery([&](troupe::TaskNursery& tasks) {
                     tasks.start_soon([pid] {
                       troupe::checkpoint();
                       ::kill(pid, SIGKILL);
                     });
                     ctx.cancel();
                   });
                   EXPECT_FALSE(ctx.cancel_acked());
                 });
                 troupe::sleep_forever();
               }),
               troupe::ActorDied);
}

}  // namespace
