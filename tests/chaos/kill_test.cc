// SPDX-License-Identifier: Apache-2.0

// Random trees of up to 60 actors, under load, of which random processes are killed: the tree ends,
// its error names a victim, and a second later nothing is left of it. Prints its seeds; runs more
// rounds with --rounds=N, and others with --seed=N.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "troupe/tests/support/program.h"

namespace {

using namespace std::chrono_literals;
using troupe::testing::Outcome;
using troupe::testing::Program;

constexpr const char* company = "tests/chaos/company";
// Far more than a tree needs to end; for a busy machine.
constexpr auto end_limit = 60s;

int rounds = 20;
unsigned first_seed = std::random_device()();

bool contains(const std::vector<pid_t>& pids, pid_t pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

// Whether the program itself has ended; its actors may not have.
bool root_ends_within(const Program& program, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (contains(program.processes(), program.pid())) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(5ms);  // polls the outside world
  }
  return true;
}

// One round: what is killed, and when, is the seed's to say.
class Round {
 public:
  explicit Round(unsigned seed)
      : seed_(seed), random_(seed), program_(company, {std::to_string(seed)}) {}

  void play() {
    wait_for_the_moment();
    if (::testing::Test::HasFatalFailure()) return;
    kill_some();
    ASSERT_FALSE(victims_.empty())
        << "it has ended by itself, " << about() << program_.wait().errors;
    ASSERT_TRUE(root_ends_within(program_, end_limit)) << "it hangs, " << about();
    EXPECT_TRUE(program_.nothing_left_within(1s)) << about();
    EXPECT_TRUE(program_.processes().empty()) << "processes are left, " << about();
    EXPECT_EQ(program_.leftover_files(), std::vector<std::string>()) << about();
    const Outcome outcome = program_.wait();
    if (contains(victims_, program_.pid())) return;
    EXPECT_EQ(outcome.exit_code, 1) << about() << outcome.errors;
    EXPECT_TRUE(names_a_victim(outcome.errors)) << about() << outcome.errors;
  }

 private:
  int draw(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }

  // When the tree is complete, or at some time before.
  void wait_for_the_moment() {
    if (draw(0, 2) != 0) {
      ASSERT_TRUE(program_.wait_for_output("complete")) << about() << program_.wait().errors;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(draw(0, 500)));  // the chaos itself
    }
  }

  // Mostly one, sometimes several at a stroke, and now and then the root.
  void kill_some() {
    const int count = draw(0, 3) == 0 ? 3 : 1;
    const bool spare_root = draw(0, 9) != 0;
    std::vector<pid_t> pids;
    for (bool lives = true; lives && pids.empty();) {  // until it has a child
      pids = program_.processes();
      lives = contains(pids, program_.pid());
      if (spare_root) std::erase(pids, program_.pid());
    }
    std::sort(pids.begin(), pids.end());
    std::shuffle(pids.begin(), pids.end(), random_);
    pids.resize(std::min<std::size_t>(pids.size(), static_cast<std::size_t>(count)));
    victims_ = pids;
    for (const pid_t pid : victims_) kill(pid, SIGKILL);
  }

  bool names_a_victim(const std::string& errors) const {
    return std::any_of(victims_.begin(), victims_.end(), [&](pid_t pid) {
      return errors.find("(pid " + std::to_string(pid) + ")") != std::string::npos;
    });
  }

  std::string about() const {
    std::string text = "seed " + std::to_string(seed_) + ", killed:";
    for (const pid_t pid : victims_) text += " " + std::to_string(pid);
    return text + "\n";
  }

  unsigned seed_;
  std::mt19937 random_;
  Program program_;
  std::vector<pid_t> victims_;
};

TEST(KillTest, NothingIsLeftOfATreeWhoseProcessesAreKilled) {
  std::cout << "seeds " << first_seed << " and following" << std::endl;
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    const unsigned seed = first_seed + static_cast<unsigned>(i);
    std::cout << "seed " << seed << std::endl;
    Round(seed).play();
  }
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag.starts_with("--rounds=")) rounds = std::atoi(flag.c_str() + 9);
    if (flag.starts_with("--seed=")) {
      first_seed = static_cast<unsigned>(std::strtoul(flag.c_str() + 7, nullptr, 10));
    }
  }
  return RUN_ALL_TESTS();
}
