// SPDX-License-Identifier: Apache-2.0

// Strategies: as functions, and as a nursery follows them.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;
using troupe::ActorNursery;
using troupe::ChildEnd;
using troupe::ChildInfo;
using troupe::Children;
using troupe::Decision;
using troupe::Restart;
using troupe::Supervisor;

// ---- As functions ----

// The end of the second of three children.
struct Scene {
  std::vector<ChildInfo> infos{3};
  ChildEnd end;

  Scene(Restart restart, bool failed) {
    end.child = 1;
    end.restart = restart;
    if (failed) end.error = std::make_exception_ptr(std::runtime_error("the second"));
  }
  Decision decide(const Supervisor& supervisor) const {
    return supervisor.decide(end, Children({&infos[0], &infos[1], &infos[2]}));
  }
};

using Numbers = std::vector<std::size_t>;

TEST(SupervisorTest, TheFourStrategiesChooseWhomToRestart) {
  const Scene scene(Restart::permanent, true);
  EXPECT_EQ(scene.decide(troupe::one_for_one()).children(), Numbers{1});
  EXPECT_EQ(scene.decide(troupe::one_for_all()).children(), (Numbers{0, 1, 2}));
  EXPECT_EQ(scene.decide(troupe::rest_for_one()).children(), (Numbers{1, 2}));
  EXPECT_EQ(scene.decide(troupe::one_cancels_all()).kind(), Decision::Kind::cancel_all);
}

// permanent: always; transient: after failures; temporary: never.
TEST(SupervisorTest, RestartHasTheMeaningsOfOtp) {
  const auto restarts = [](Restart restart, bool failed) {
    const Scene scene(restart, failed);
    return scene.decide(troupe::one_for_one()).kind() == Decision::Kind::restart;
  };
  EXPECT_TRUE(restarts(Restart::permanent, true));
  EXPECT_TRUE(restarts(Restart::permanent, false));
  EXPECT_TRUE(restarts(Restart::transient, true));
  EXPECT_FALSE(restarts(Restart::transient, false));
  EXPECT_FALSE(restarts(Restart::temporary, true));
  EXPECT_FALSE(restarts(Restart::temporary, false));
}

TEST(SupervisorTest, IsAValue) {
  const Supervisor first = troupe::one_for_one({.intensity = 7});
  Supervisor second = troupe::one_cancels_all();
  second = first;
  EXPECT_EQ(second.limits().intensity, 7);
  EXPECT_EQ(Scene(Restart::permanent, true).decide(second).children(), Numbers{1});
}

TEST(SupervisorTest, NegativeLimitsAreAUsageError) {
  EXPECT_THROW(troupe::one_for_one({.intensity = -1}), troupe::UsageError);
  EXPECT_THROW(troupe::one_for_all({.period = -1s}), troupe::UsageError);
  EXPECT_THROW(troupe::rest_for_one({.backoff = -1s}), troupe::UsageError);
}

TEST(SupervisorTest, ChildrenAreARange) {
  const std::vector<ChildInfo> infos{{.restarts = 1}, {.restarts = 2}};
  int sum = 0;
  for (const ChildInfo& child : Children({&infos[0], &infos[1]})) sum += child.restarts;
  EXPECT_EQ(sum, 3);
}

// ---- In a nursery ----

int answer() { return 42; }
void throws_out_of_range() { throw std::out_of_range("there are only three acts"); }
void sleep_for_ever() { troupe::sleep_forever(); }
void kill_oneself() { raise(SIGKILL); }
inline const auto& stage =
    troupe::module<"stage", &answer, &throws_out_of_range, &sleep_for_ever, &kill_oneself>;

// Runs `body` in a nursery with that supervisor, of a fresh root.
template <class Body>
void supervised(const Supervisor& supervisor, Body body) {
  troupe::open_root_actor({}, [&] { troupe::open_nursery({.supervise = supervisor}, body); });
}

TEST(SupervisorTest, RestartUnderOneCancelsAllIsAUsageError) {
  supervised(troupe::one_cancels_all(), [](ActorNursery& n) {
    for (const Restart restart : {Restart::transient, Restart::permanent}) {
      EXPECT_THROW(n.start_actor("frank", {.restart = restart}), troupe::UsageError);
      EXPECT_THROW(n.run_in_actor<&answer>({.name = "frank", .restart = restart}),
                   troupe::UsageError);
    }
    n.start_actor("frank", {.restart = Restart::temporary}).cancel_actor();
  });
}

TEST(SupervisorTest, NegativeTimesOfAnActorAreAUsageError) {
  supervised(troupe::one_for_one(), [](ActorNursery& n) {
    EXPECT_THROW(n.start_actor("frank", {.backoff = -1s}), troupe::UsageError);
    EXPECT_THROW(n.start_actor("frank", {.shutdown = -1s}), troupe::UsageError);
  });
}

// A strategy of one's own is told who ended, how, and among whom.
TEST(SupervisorTest, AStrategyIsToldOfTheEnd) {
  std::vector<std::string> told;
  const Supervisor curious([&](const ChildEnd& end, const Children& children) {
    told.push_back(children[end.child].uid.name + (end.failed() ? " failed of " : " returned of ") +
                   std::to_string(children.size()));
    EXPECT_EQ(children[end.child].uid, end.uid);
    EXPECT_EQ(children[end.child].one_shot, true);
    EXPECT_EQ(end.restart, Restart::transient);
    EXPECT_NE(end.pid, 0);
    return Decision::ignore();
  });
  supervised(curious, [](ActorNursery& n) {
    const troupe::Portal frank = n.start_actor("frank");
    n.run_in_actor<&answer>("oracle").result();
    const auto tragic = n.run_in_actor<&throws_out_of_range>("tragic");
    EXPECT_THROW(tragic.result(), troupe::RemoteActorError);
    frank.cancel_actor();  // of which it is not told
  });
  EXPECT_EQ(told, (std::vector<std::string>{"oracle returned of 2", "tragic failed of 3"}));
}

// (features, T10: a race of three; the losers are cancelled.)
TEST(SupervisorTest, CancelAllOnAReturnEndsTheNurseryWithoutAnError) {
  const Supervisor race([](const ChildEnd& end, const Children&) {
    return end.failed() ? Decision::ignore() : Decision::cancel_all();
  });
  supervised(race, [](ActorNursery& n) {
    n.run_in_actor<&sleep_for_ever>("tortoise");
    n.run_in_actor<&throws_out_of_range>("stumbler");
    n.run_in_actor<&answer>("hare");
  });
}

TEST(SupervisorTest, EscalateFailsTheNurseryWithThatErrorAlone) {
  const Supervisor strict([](const ChildEnd& end, const Children&) {
    return end.failed() ? Decision::escalate() : Decision::ignore();
  });
  EXPECT_THROW(supervised(strict,
                          [](ActorNursery& n) {
                            n.run_in_actor<&sleep_for_ever>("bystander");
                            n.run_in_actor<&throws_out_of_range>("tragic");
                            troupe::sleep_forever();
                          }),
               troupe::RemoteActorError);
}

TEST(SupervisorTest, EscalateOnAReturnSaysWho) {
  const Supervisor strict([](const ChildEnd&, const Children&) { return Decision::escalate(); });
  try {
    supervised(strict, [](ActorNursery& n) { n.run_in_actor<&answer>("oracle"); });
    FAIL() << "nothing was thrown";
  } catch (const troupe::Error& error) {
    EXPECT_NE(std::string(error.what()).find("oracle"), std::string::npos) << error.what();
  }
}

// What a strategy throws is an error of the nursery, beside the one that it was asked about.
TEST(SupervisorTest, AnErrorOfTheStrategyIsNotLost) {
  const Supervisor clumsy([](const ChildEnd&, const Children&) -> Decision {
    throw std::length_error("the strategy's");
  });
  try {
    supervised(clumsy, [](ActorNursery& n) {
      n.run_in_actor<&throws_out_of_range>("tragic");
      troupe::sleep_forever();
    });
    FAIL() << "nothing was thrown";
  } catch (const troupe::ExceptionGroup& group) {
    ASSERT_EQ(group.exceptions().size(), 2u);
    EXPECT_THROW(std::rethrow_exception(group.exceptions()[0]), troupe::RemoteActorError);
    EXPECT_THROW(std::rethrow_exception(group.exceptions()[1]), std::length_error);
  }
}

TEST(SupervisorTest, ANumberThatIsNobodysIsAUsageError) {
  const Supervisor confused([](const ChildEnd&, const Children& children) {
    return Decision::restart({children.size()});
  });
  try {
    supervised(confused, [](ActorNursery& n) {
      const troupe::Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
      EXPECT_THROW(frank.run<&kill_oneself>(), troupe::ActorDied);
      troupe::sleep_forever();
    });
    FAIL() << "nothing was thrown";
  } catch (const troupe::ExceptionGroup& group) {
    ASSERT_EQ(group.exceptions().size(), 2u);
    EXPECT_THROW(std::rethrow_exception(group.exceptions()[0]), troupe::ActorDied);
    EXPECT_THROW(std::rethrow_exception(group.exceptions()[1]), troupe::UsageError);
  }
}

}  // namespace
