// SPDX-License-Identifier: Apache-2.0

// Plain calls: by name, many at once, with arguments that do not fit, and cancelled.

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using dialogs::error_of;
using dialogs::in_nursery;
using dialogs::Lines;
using dialogs::note;
using dialogs::NotesItsEnd;
using dialogs::read_diary;
using dialogs::with_actor;

// A value that some can neither send nor receive.
struct Delicate {
  int value = 0;

  template <class Archive>
  void save(Archive& archive) const {
    if (value == 1) throw std::domain_error("cannot be sent");
    archive(value);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(value);
    if (value == 2) throw std::domain_error("cannot be received");
  }
};

int twice(int number) {
  note("twice");
  return 2 * number;
}
std::string repeat(const std::string& word, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += word;
  return text;
}
// Returns `number` when that many calls of it have begun.
int meets(int number, int others) {
  note("meets");
  read_diary(static_cast<std::size_t>(others));
  return number;
}
void sleeps() {
  const NotesItsEnd end("woken");
  note("sleeps");
  troupe::sleep_forever();
}
void finishes_in_peace() {
  note("began");
  troupe::CancelScope shield({.shield = true});
  shield.run([] { dialogs::gate().wait(); });
  note("finished");
}
int fails_when_cancelled() {
  try {
    note("sleeps");
    troupe::sleep_forever();
  } catch (const troupe::Cancelled&) {
    throw std::runtime_error("the cleanup failed");
  }
}
// A value with functions of its own for either way, in a form that is not its own.
struct Seat {
  char row = 'A';
  int number = 0;

  friend bool operator==(const Seat&, const Seat&) = default;
  template <class Archive>
  void save(Archive& archive) const {
    archive(std::string(1, row) + std::to_string(number));
  }
  template <class Archive>
  void load(Archive& archive) {
    std::string text;
    archive(text);
    row = text.at(0);
    number = std::stoi(text.substr(1));
  }
};
Seat next_to(const Seat& seat) { return {seat.row, seat.number + 1}; }

int value_of(const Delicate& delicate) { return delicate.value; }
Delicate makes(int value) { return {value}; }

inline const auto& calls =
    troupe::module<"calls", &twice, &repeat, &meets, &sleeps, &finishes_in_peace,
                   &fails_when_cancelled, &value_of, &makes, &next_to>;

std::string not_exposed() { return "nobody may call this"; }
[[maybe_unused]] inline const auto& hidden = troupe::module<"hidden", &not_exposed>;

// RPC-02: a module that the actor exposes, but a name that is not in it: the caller gets the error
// of the lookup. The same for a module, and a function, that are elsewhere.
TEST(CallsTest, UnknownNames) {
  with_actor(calls, [](troupe::Portal& portal) {
    for (const char* name : {"calls.nobody", "hidden.not_exposed", "nothing.at_all"}) {
      const auto error = error_of<troupe::ModuleNotExposed>([&] { portal.run<std::string>(name); });
      ASSERT_TRUE(error);
      EXPECT_FALSE(std::string(error->what()).empty());
    }
    EXPECT_THROW(portal.run<&not_exposed>(), troupe::ModuleNotExposed);
    EXPECT_THROW(portal.run<int>("no path"), troupe::UsageError);
    EXPECT_EQ(portal.run<&twice>(2), 4) << "the actor goes on";
  });
}

// RPC-05: arguments or results of other types than the function's are refused before it runs; the
// message names both signatures.
TEST(CallsTest, ByName) {
  with_actor(calls, [](troupe::Portal& portal) {
    EXPECT_EQ(portal.run<std::string>("calls.repeat", "ha", 3), "hahaha");
    const auto wrong_arguments =
        error_of<troupe::MsgTypeError>([&] { portal.run<int>("calls.twice", "ha"); });
    ASSERT_TRUE(wrong_arguments);
    EXPECT_NE(std::string(wrong_arguments->what()).find("int (int)"), std::string::npos)
        << wrong_arguments->what();
    EXPECT_NE(std::string(wrong_arguments->what()).find("int (std::string)"), std::string::npos)
        << wrong_arguments->what();
    EXPECT_THROW(portal.run<int>("calls.twice", 1, 2), troupe::MsgTypeError);
    EXPECT_THROW(portal.run<std::string>("calls.twice", 1), troupe::MsgTypeError);
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{});
  });
}

// MSG-04: a struct arrives as the struct that it is. MSG-08: one with functions for both ways is
// the same on the other side. (Without them it does not compile: compile_fail/no_serialize.cc.)
TEST(CallsTest, AStructIsTheSameOnTheOtherSide) {
  with_actor(calls, [](troupe::Portal& portal) {
    EXPECT_EQ(portal.run<&next_to>(Seat{'C', 11}), (Seat{'C', 12}));
  });
}

// RPC-09: many calls through one portal at once are tasks of their own, and each gets its own
// result.
TEST(CallsTest, ManyAtOnce) {
  with_actor(calls, [](troupe::Portal& portal) {
    constexpr int count = 500;
    std::vector<int> results(count);
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      for (int i = 0; i < count; ++i) {
        n.start_soon(
            [&, i] { results[static_cast<std::size_t>(i)] = portal.run<&meets>(i, count); });
      }
    });
    for (int i = 0; i < count; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
  });
}

// RPC-10: what the runtime itself lets peers call stands in a module of its own, and is not in the
// way of the program's.
TEST(CallsTest, TheRuntimesModuleIsApart) {
  with_actor(calls, [](troupe::Portal& portal) {
    EXPECT_THROW(portal.run<void>("troupe.runtime.twice"), troupe::ModuleNotExposed);
    EXPECT_THROW(portal.run<void>("calls.cancel_actor"), troupe::ModuleNotExposed);
    EXPECT_THROW(portal.run<void>("troupe.runtime.cancel_actor"), troupe::MsgTypeError);
    EXPECT_EQ(portal.run<&dialogs::own_name>(), "callee");
  });
}

// RPC-13: an argument that cannot be encoded, and a result that cannot be decoded, are errors of
// the caller; a result that cannot be encoded, and an argument that cannot be decoded, of the
// callee.
TEST(CallsTest, ValuesThatCannotTravel) {
  with_actor(calls, [](troupe::Portal& portal) {
    EXPECT_THROW(portal.run<&value_of>(Delicate{1}), std::domain_error);
    const auto of_argument =
        error_of<troupe::RemoteActorError>([&] { portal.run<&value_of>(Delicate{2}); });
    ASSERT_TRUE(of_argument);
    EXPECT_EQ(of_argument->boxed_message(), "cannot be received");
    const auto of_result = error_of<troupe::RemoteActorError>([&] { portal.run<&makes>(1); });
    ASSERT_TRUE(of_result);
    EXPECT_EQ(of_result->boxed_message(), "cannot be sent");
    EXPECT_THROW(portal.run<&makes>(2), std::domain_error);
    EXPECT_EQ(portal.run<&value_of>(Delicate{3}), 3);
  });
}

// A caller that is cancelled cancels the remote task, and waits for its end, however long that
// takes.
TEST(CallsTest, ACancelledCallerWaitsForTheCleanup) {
  with_actor(calls, [](troupe::Portal& portal) {
    troupe::CancelScope scope;
    bool left = false;
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon([&] {
        scope.run([&] { portal.run<&finishes_in_peace>(); });
        left = true;
      });
      EXPECT_EQ(portal.run<&read_diary>(1), Lines{"began"});
      scope.cancel();
      EXPECT_EQ(portal.run<&dialogs::own_name>(), "callee");  // the cancel has arrived by then
      EXPECT_FALSE(left);
      portal.run<&dialogs::open_gate>();
    });
    EXPECT_TRUE(left);
    EXPECT_EQ(portal.run<&read_diary>(0), (Lines{"began", "finished"}));
  });
}

// An error of the cleanup takes the place of the cancellation.
TEST(CallsTest, AnErrorOfTheCleanupIsNotLost) {
  with_actor(calls, [](troupe::Portal& portal) {
    troupe::CancelScope scope;
    const auto error = error_of<troupe::RemoteActorError>([&] {
      troupe::open_task_nursery([&](troupe::TaskNursery& n) {
        n.start_soon([&] { scope.run([&] { portal.run<&fails_when_cancelled>(); }); });
        static_cast<void>(portal.run<&read_diary>(1));
        scope.cancel();
      });
    });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->boxed_message(), "the cleanup failed");
  });
}

// Many calls, all cancelled at once, half of them before they have begun over there.
TEST(CallsTest, ManyCancelledAtOnce) {
  with_actor(calls, [](troupe::Portal& portal) {
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      for (int i = 0; i < 100; ++i) n.start_soon([&] { portal.run<&sleeps>(); });
      static_cast<void>(portal.run<&read_diary>(100));
      for (int i = 0; i < 100; ++i) n.start_soon([&] { portal.run<&sleeps>(); });
      troupe::checkpoint();
      n.cancel();
    });
    const Lines lines = portal.run<&read_diary>(0);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "sleeps"),
              std::count(lines.begin(), lines.end(), "woken"));
    EXPECT_GE(std::count(lines.begin(), lines.end(), "woken"), 100);
  });
}

// The callee's actor is ended by somebody else: every call in it ends, and says who did it.
TEST(CallsTest, TheOtherSideIsCancelled) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal portal = dialogs::start(n, "callee", calls);
    int cancelled = 0;
    troupe::open_task_nursery([&](troupe::TaskNursery& tasks) {
      for (int i = 0; i < 10; ++i) {
        tasks.start_soon([&] {
          const auto error = error_of<troupe::ContextCancelled>([&] { portal.run<&sleeps>(); });
          ASSERT_TRUE(error);
          EXPECT_EQ(error->canceller(), troupe::current_actor().uid());
          ++cancelled;
        });
      }
      static_cast<void>(portal.run<&read_diary>(10));
      EXPECT_TRUE(portal.cancel_actor());
    });
    EXPECT_EQ(cancelled, 10);
    EXPECT_THROW(portal.run<&twice>(1), troupe::TransportClosed);
  });
}

}  // namespace
