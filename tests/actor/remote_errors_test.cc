// SPDX-License-Identifier: Apache-2.0

// Errors of functions that were called in other processes: what arrives of them. Every test starts
// processes of this very binary.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/runtime/fiber/handle.h"
#include "troupe/troupe.h"

namespace play {

using namespace std::chrono_literals;

struct NoSuchPlay : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct MissedCue : troupe::Error {
  explicit MissedCue(int which = 0) : Error("missed cue " + std::to_string(which)), cue(which) {}
  int cue;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(cue);
  }
};
struct Unregistered : std::range_error {
  using std::range_error::range_error;
};

const bool registered = troupe::register_error<NoSuchPlay>() && troupe::register_error<MissedCue>();

[[gnu::noinline]] void open_play(const std::string& title) { throw NoSuchPlay(title); }
void miss_cue(int cue) { throw MissedCue(cue); }
void sing() { throw Unregistered("high C"); }
void be_slow() {
  troupe::fail_after(1ms, [] { troupe::sleep_forever(); });
}
void complain(const std::string& title) {
  try {
    open_play(title);
  } catch (...) {
    std::throw_with_nested(std::runtime_error("no ticket"));
  }
}

// Errors of the tasks of one actor.
void fail_together() {
  troupe::open_task_nursery([](troupe::TaskNursery& n) {
    n.start_soon([] { throw std::out_of_range("row 9"); });
    n.start_soon([] { miss_cue(2); });
  });
}
void fail_alone() {
  troupe::open_task_nursery(
      [](troupe::TaskNursery& n) { n.start_soon([] { throw std::out_of_range("row 9"); }); });
}

void die() { raise(SIGKILL); }
[[gnu::noinline]] void pass_on(int hops);
void lose_child();
void start_nothing();

inline const auto& stage =
    troupe::module<"stage", &open_play, &miss_cue, &sing, &be_slow, &complain, &fail_together,
                   &fail_alone, &pass_on, &lose_child, &start_nothing, &die>;

// The error comes from `hops` actors further down.
void pass_on(int hops) {
  if (hops == 0) throw std::out_of_range("row 9");
  troupe::open_nursery([hops](troupe::ActorNursery& n) {
    troupe::Portal next =
        n.start_actor("hop-" + std::to_string(hops - 1), {.enable_modules = {stage}});
    next.run<&pass_on>(hops - 1);
  });
}
void lose_child() {
  troupe::open_nursery([](troupe::ActorNursery& n) { n.run_in_actor<&die>("frail"); });
}
void start_nothing() {
  troupe::open_nursery(
      [](troupe::ActorNursery& n) { n.start_actor("lost", {.enable_modules = {"opera"}}); });
}

}  // namespace play

namespace {

using troupe::RemoteActorError;

// What a call of `F` in the actor "frank" throws.
template <auto F, class... Args>
RemoteActorError error_of(Args... args) {
  std::exception_ptr thrown;
  troupe::open_root_actor({}, [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      troupe::Portal frank = n.start_actor("frank", {.enable_modules = {play::stage}});
      try {
        frank.run<F>(args...);
      } catch (const RemoteActorError&) {
        thrown = std::current_exception();
      }
      frank.cancel_actor();
    });
  });
  if (!thrown) throw std::runtime_error("the call threw no RemoteActorError");
  std::rethrow_exception(thrown);
}

template <auto F, class... Args>
RemoteActorError caught(Args... args) {
  try {
    return error_of<F>(args...);
  } catch (const RemoteActorError& error) {
    return error;
  }
}

template <class E>
E rebuilt(const RemoteActorError& error) {
  try {
    error.rethrow_boxed();
  } catch (const E& original) {
    return original;
  }
}

// ERR-07: a custom error that is registered on both sides: the boxed type is that type, and the
// message is in the remote traceback.
// ERR-04: each of several registered types resolves by its name.
TEST(RemoteErrorsTest, RegisteredErrorsComeBackAsThemselves) {
  const RemoteActorError no_play = caught<&play::open_play>(std::string("Faust III"));
  EXPECT_EQ(no_play.boxed_type(), "play::NoSuchPlay");
  EXPECT_EQ(no_play.boxed_message(), "Faust III");
  EXPECT_EQ(no_play.src_uid().name, "frank");
  EXPECT_NE(no_play.traceback().find("Faust III"), std::string::npos);
  EXPECT_STREQ(rebuilt<play::NoSuchPlay>(no_play).what(), "Faust III");

  const RemoteActorError missed = caught<&play::miss_cue>(7);
  EXPECT_TRUE(missed.is<play::MissedCue>());
  EXPECT_EQ(rebuilt<play::MissedCue>(missed).cue, 7);
}

// The trace names the function of the program that threw, and nothing of the library.
TEST(RemoteErrorsTest, TheTraceBeginsWhereItWasThrown) {
  const std::string trace = caught<&play::open_play>(std::string("Faust III")).boxed().traceback;
  EXPECT_EQ(trace.rfind("play::open_play(", 0), 0u) << trace;
  EXPECT_EQ(trace.find("troupe::"), std::string::npos) << trace;
}

// ERR-03: a type that nobody has registered stays a remote error, and still knows its base.
TEST(RemoteErrorsTest, UnregisteredErrorsStayRemoteErrors) {
  const RemoteActorError error = caught<&play::sing>();
  EXPECT_EQ(error.boxed_type(), "play::Unregistered");
  EXPECT_TRUE(error.is<std::range_error>());
  EXPECT_FALSE(error.is<std::logic_error>());
  EXPECT_THROW(error.rethrow_boxed(), RemoteActorError);
}

// ERR-05: the library's own types need no registration.
TEST(RemoteErrorsTest, TroupesErrorsComeBackAsThemselves) {
  EXPECT_THROW(caught<&play::be_slow>().rethrow_boxed(), troupe::TooSlowError);
  const RemoteActorError lost = caught<&play::lose_child>();
  EXPECT_TRUE(lost.is<troupe::ActorDied>());
  const auto died = rebuilt<troupe::ActorDied>(lost);
  EXPECT_EQ(died.uid().name, "frail");
  EXPECT_EQ(died.signal(), SIGKILL);
  const RemoteActorError unmade = caught<&play::start_nothing>();
  EXPECT_TRUE(unmade.is<troupe::SpawnFailed>());
  EXPECT_NE(unmade.boxed_message().find("opera"), std::string::npos) << unmade.boxed_message();
}

// ERR-09: an error relayed through n actors: the relay path lists them in order, it is an inception
// for n > 1, and unwrapping rebuilds the innermost error.
TEST(RemoteErrorsTest, TheRelayPathListsTheActorsInOrder) {
  const RemoteActorError error = caught<&play::pass_on>(3);
  std::vector<std::string> names;
  for (const troupe::Uid& stop : error.relay_path()) names.push_back(stop.name);
  EXPECT_EQ(names, (std::vector<std::string>{"hop-0", "hop-1", "hop-2", "frank"}));
  EXPECT_EQ(error.src_uid().name, "hop-0");
  EXPECT_TRUE(error.is_inception());
  EXPECT_THROW(std::rethrow_exception(error.unwrap()), std::out_of_range);
  EXPECT_FALSE(caught<&play::pass_on>(0).is_inception());
}

// ERR-10: a remote error, when printed: a box shows the source uid, the relay uid, the remote
// traceback and the message.
TEST(RemoteErrorsTest, TheReportTellsAllOfIt) {
  const RemoteActorError error = caught<&play::pass_on>(1);
  const std::string report = troupe::error_report(error.boxed());
  for (const std::string& part :
       {error.src_uid().to_string(), error.relay_path().back().to_string(),
        std::string("std::out_of_range: row 9"), std::string("at play::pass_on(int)")}) {
    EXPECT_NE(report.find(part), std::string::npos) << part << " is missing in\n" << report;
  }
}

// ERR-11: a remote group is relayed as a group; a nursery with one error makes none.
TEST(RemoteErrorsTest, GroupsArriveAsGroups) {
  const RemoteActorError together = caught<&play::fail_together>();
  EXPECT_EQ(together.boxed_type(), "troupe::ExceptionGroup");
  const auto group = rebuilt<troupe::ExceptionGroup>(together);
  ASSERT_EQ(group.exceptions().size(), 2u);
  EXPECT_THROW(std::rethrow_exception(group.exceptions()[0]), std::out_of_range);
  EXPECT_THROW(std::rethrow_exception(group.exceptions()[1]), play::MissedCue);
  EXPECT_EQ(caught<&play::fail_alone>().boxed_type(), "std::out_of_range");
}

TEST(RemoteErrorsTest, CausesArriveToo) {
  const RemoteActorError error = caught<&play::complain>(std::string("Faust III"));
  EXPECT_EQ(error.boxed_type(), "std::runtime_error");
  EXPECT_EQ(error.boxed_message(), "no ticket");
  try {
    error.rethrow_boxed();
    FAIL();
  } catch (const std::runtime_error& outer) {
    EXPECT_THROW(std::rethrow_if_nested(outer), play::NoSuchPlay);
  }
}

// `on<E>` treats an error of another actor as it would one of this actor.
TEST(RemoteErrorsTest, HandlersGetTheOriginal) {
  int cue = 0;
  int rows = 0;
  EXPECT_FALSE(troupe::handle(
      [] { error_of<&play::fail_together>(); },
      troupe::on<std::out_of_range>([&](const std::out_of_range&) { ++rows; }),
      troupe::on<play::MissedCue>([&](const play::MissedCue& missed) { cue = missed.cue; })));
  EXPECT_EQ(rows, 1);
  EXPECT_EQ(cue, 2);
}

}  // namespace
