// SPDX-License-Identifier: Apache-2.0

// Actors for real: every test starts processes of this very binary.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

std::string most_beautiful_word() { return "cellar door"; }
void says_nothing() {}
int answer(int question, const std::string& unit) {
  return question + static_cast<int>(unit.size());
}
void throws_out_of_range() { throw std::out_of_range("there are only three acts"); }
int pid_of_actor() { return static_cast<int>(getpid()); }
std::string own_name() { return troupe::current_actor().name(); }
void kill_oneself() { raise(SIGKILL); }
void leave_by_exit() { std::_Exit(3); }
void sleep_for_ever() { troupe::sleep_forever(); }
bool called_from_child() { return troupe::current_actor().is_root(); }
bool call_parent() { return troupe::get_parent().run<&called_from_child>(); }

inline const auto& stage = troupe::module<"stage", &answer, &throws_out_of_range, &pid_of_actor,
                                          &own_name, &kill_oneself, &sleep_for_ever, &call_parent>;
inline const auto& house = troupe::module<"house", &called_from_child>;

// Runs `body` in an actor nursery of a fresh root.
template <class Body>
void in_nursery(Body body) {
  troupe::open_root_actor({}, [&] { troupe::open_nursery(body); });
}

// SPN-01: a function run in a child is run by the same binary, in another process that is not the
// registrar; its value reaches the parent.
TEST(ActorNurseryTest, RunsAFunctionInAnotherProcess) {
  in_nursery([](troupe::ActorNursery& n) {
    EXPECT_NE(n.run_in_actor<&pid_of_actor>("child").result(), getpid());
  });
}

// SPN-05: exactly the returned value is delivered, nothing included.
TEST(ActorNurseryTest, DeliversTheValueOrNothing) {
  in_nursery([](troupe::ActorNursery& n) {
    EXPECT_EQ(n.run_in_actor<&most_beautiful_word>("linguist").result(), "cellar door");
    n.run_in_actor<&says_nothing>("mime").result();
  });
}

TEST(ActorNurseryTest, PassesArgumentsAndResultsByTheirTypes) {
  in_nursery([](troupe::ActorNursery& n) {
    EXPECT_EQ(n.run_in_actor<&answer>("oracle", 38, "four").result(), 42);
  });
}

TEST(ActorNurseryTest, ResultMayBeAskedAgainAndAfterTheBlock) {
  troupe::open_root_actor({}, [] {
    auto portal = troupe::open_nursery([](troupe::ActorNursery& n) {
      auto one = n.run_in_actor<&most_beautiful_word>("linguist");
      EXPECT_EQ(one.result(), "cellar door");
      return one;
    });
    EXPECT_EQ(portal.result(), "cellar door");
  });
}

// SPN-03: a daemon answers two calls independently and stays alive in between.
// SPN-04: the block ends when the daemon is cancelled.
TEST(ActorNurseryTest, DaemonAnswersUntilItIsCancelled) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    EXPECT_EQ(frank.run<&own_name>(), "frank");
    EXPECT_EQ(frank.run<&answer>(1, ""), 1);
    EXPECT_TRUE(frank.cancel_actor());
    EXPECT_FALSE(frank.cancel_actor());  // gone already
  });
}

// CAN-04: nursery.cancel() ends a daemon, and the block leaves cleanly.
TEST(ActorNurseryTest, CancellingTheNurseryEndsItsActors) {
  in_nursery([](troupe::ActorNursery& n) {
    n.start_actor("frank");
    n.cancel();
  });
}

// CAN-01: a remote exception arrives with its type, at the call and from the nursery.
TEST(ActorNurseryTest, RemoteErrorArrivesTyped) {
  bool caught_at_result = false;
  try {
    in_nursery([&](troupe::ActorNursery& n) {
      auto portal = n.run_in_actor<&throws_out_of_range>("tragic");
      try {
        portal.result();
      } catch (const troupe::RemoteActorError& error) {
        caught_at_result = true;
        EXPECT_TRUE(error.is<std::out_of_range>());
        EXPECT_EQ(error.boxed_type(), "std::out_of_range");
        EXPECT_EQ(error.boxed_message(), "there are only three acts");
        EXPECT_EQ(error.src_uid().name, "tragic");
        EXPECT_THROW(error.rethrow_boxed(), std::out_of_range);
        throw;
      }
    });
    FAIL() << "the nursery swallowed the error";
  } catch (const troupe::RemoteActorError& error) {
    EXPECT_TRUE(caught_at_result);
    EXPECT_TRUE(error.is<std::out_of_range>());
  }
}

// An error of a called function goes to its caller and to nobody else.
TEST(ActorNurseryTest, ErrorOfACallHarmsNobodyElse) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    EXPECT_THROW(frank.run<&throws_out_of_range>(), troupe::RemoteActorError);
    EXPECT_EQ(frank.run<&own_name>(), "frank");
    frank.cancel_actor(std::chrono::duration<double>(2.5));
  });
}

// RPC-01: an actor that exposes nothing refuses a call and is unharmed.
TEST(ActorNurseryTest, CallsOfWhatIsNotExposedAreRefused) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal shy = n.start_actor("shy");
    EXPECT_THROW(shy.run<&own_name>(), troupe::ModuleNotExposed);
    EXPECT_TRUE(shy.cancel_actor());
  });
}

// RPC-03: calls are symmetric: a child calls into its parent.
TEST(ActorNurseryTest, ChildCallsItsParent) {
  troupe::open_root_actor({.enable_modules = {house}}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      EXPECT_TRUE(n.run_in_actor<&call_parent>("caller").result());
    });
  });
}

// A child that is killed is reported as `ActorDied`, with its signal.
TEST(ActorNurseryTest, KilledChildIsActorDied) {
  try {
    in_nursery([](troupe::ActorNursery& n) { n.run_in_actor<&kill_oneself>("tragic").result(); });
    FAIL() << "nothing was thrown";
  } catch (const troupe::ActorDied& died) {
    EXPECT_EQ(died.signal(), SIGKILL);
    EXPECT_EQ(died.uid().name, "tragic");
    EXPECT_NE(std::string(died.what()).find("SIGKILL"), std::string::npos) << died.what();
  }
}

TEST(ActorNurseryTest, ExitInTheMiddleIsActorDied) {
  try {
    in_nursery([](troupe::ActorNursery& n) { n.run_in_actor<&leave_by_exit>("rude"); });
    FAIL() << "nothing was thrown";
  } catch (const troupe::ActorDied& died) {
    EXPECT_EQ(died.exit_code(), 3);
    EXPECT_EQ(died.signal(), 0);
  }
}

TEST(ActorNurseryTest, CallInFlightOfAKilledDaemonIsActorDied) {
  EXPECT_THROW(in_nursery([](troupe::ActorNursery& n) {
                 troupe::Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
                 EXPECT_THROW(frank.run<&kill_oneself>(), troupe::ActorDied);
                 EXPECT_THROW(frank.run<&own_name>(), troupe::ActorDied);
               }),
               troupe::ActorDied);
}

// Cancelling the caller's scope cancels the remote task, and the actor goes on.
TEST(ActorNurseryTest, CancelledCallEndsOverThere) {
  in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
    EXPECT_FALSE(troupe::move_on_after(10ms, [&] { frank.run<&sleep_for_ever>(); }));
    EXPECT_EQ(frank.run<&own_name>(), "frank");
    frank.cancel_actor();
  });
}

// An error in the body cancels the actors, and leaves as itself.
TEST(ActorNurseryTest, BodyErrorCancelsActors) {
  EXPECT_THROW(in_nursery([](troupe::ActorNursery& n) {
                 n.start_actor("frank");
                 throw std::out_of_range("the director's");
               }),
               std::out_of_range);
}

TEST(ActorNurseryTest, TwoNamesAreAUsageError) {
  in_nursery([](troupe::ActorNursery& n) {
    EXPECT_THROW(n.start_actor("frank", {.name = "ernest"}), troupe::UsageError);
  });
}

TEST(ActorNurseryTest, UnusableNamesAreAUsageError) {
  in_nursery([](troupe::ActorNursery& n) {
    EXPECT_THROW(n.start_actor(""), troupe::UsageError);
    EXPECT_THROW(n.start_actor(std::string(10'000, 'x')), troupe::UsageError);
  });
}

// RPC-04: a module that does not exist fails the boot, with its name.
TEST(ActorNurseryTest, UnknownModuleFailsTheBoot) {
  in_nursery([](troupe::ActorNursery& n) {
    try {
      n.start_actor("frank", {.enable_modules = {"opera"}});
      FAIL() << "nothing was thrown";
    } catch (const troupe::SpawnFailed& error) {
      EXPECT_NE(std::string(error.what()).find("opera"), std::string::npos) << error.what();
    }
  });
}

}  // namespace
