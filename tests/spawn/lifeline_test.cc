// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/lifeline.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "troupe/runtime/base/pidfd.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/spawn/exec_backend.h"
#include "troupe/spawn/terminate.h"
#include "troupe/tests/spawn/roles.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace troupe::testing;

constexpr milliseconds short_grace(100);
constexpr seconds endless(3600);

void create_file(const std::string& path) { std::ofstream(path) << "here\n"; }

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

int death_signal() {
  int signal = -1;
  ::prctl(PR_GET_PDEATHSIG, &signal);
  return signal;
}

// ----- roles; each says its pid (or more) when its watch has begun

std::string own_pid() { return std::to_string(::getpid()); }

UniqueFd copy_of(const UniqueFd& fd) { return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 4)); }

// Is stuck; `directory` tells what the watch has done.
int spin_under_watch(Boot boot, const std::string& directory) {
  const UniqueFd voice = copy_of(boot.lifeline);
  LifeLine line(
      std::move(boot.lifeline), std::move(boot.parent),
      [&] { create_file(directory + "/eof_seen"); }, short_grace);
  create_file(directory + "/kept");
  create_file(directory + "/socket");
  ::mkdir((directory + "/run").c_str(), 0700);
  create_file(directory + "/run/inner");
  ::mkdir((directory + "/shared").c_str(), 0700);
  create_file(directory + "/shared/of_another");
  line.add_path(directory + "/run");
  line.add_path(directory + "/kept");
  line.add_path(directory + "/run/inner");
  line.add_path(directory + "/socket");
  line.add_path(directory + "/shared");
  line.add_path(directory + "/never_made");
  line.remove_path(directory + "/kept");
  line.remove_path(directory + "/not_added");
  say(voice.get(), own_pid());
  spin();
}

int spawn_under_watch(Boot boot, const std::string& directory) {
  run_tasks([&] {
    const auto child = spawn_exec(role_spec("spin_under_watch", directory));
    say(boot.lifeline.get(), hear(child->lifeline_fd()));
    spin();
  });
  return 0;
}

// Leaves a fork behind that holds all its descriptors.
int spawn_and_fork(Boot boot, const std::string& directory) {
  run_tasks([&] {
    const auto child = spawn_exec(role_spec("spin_under_watch", directory));
    const std::string pid = hear(child->lifeline_fd());
    const pid_t holder = ::fork();
    if (holder == 0) spin();
    say(boot.lifeline.get(), pid);
    say(boot.lifeline.get(), std::to_string(holder));
    spin();
  });
  return 0;
}

// Has nearly for ever to end itself, and does not; its child has a short grace.
int hold_a_child_under_watch(Boot boot, const std::string& directory) {
  run_tasks([&] {
    const UniqueFd voice = copy_of(boot.lifeline);
    LifeLine line(std::move(boot.lifeline), std::move(boot.parent), nullptr, endless);
    const auto child = spawn_exec(role_spec("spin_under_watch", directory));
    const std::string pid = hear(child->lifeline_fd());
    const auto other = spawn_exec(role_spec("spin_unwatched"));
    line.add_child(child->lifeline_fd());
    line.add_child(other->lifeline_fd());
    line.remove_child(other->lifeline_fd());
    say(voice.get(), pid);
    spin();
  });
  return 0;
}

int spin_unwatched(Boot, const std::string&) { spin(); }

int get_stuck_in_callback(Boot boot, const std::string&) {
  const UniqueFd voice = copy_of(boot.lifeline);
  LifeLine line(
      std::move(boot.lifeline), std::move(boot.parent), [] { spin(); }, short_grace);
  say(voice.get(), own_pid());
  spin();
}

int throw_in_callback(Boot boot, const std::string&) {
  const UniqueFd voice = copy_of(boot.lifeline);
  LifeLine line(
      std::move(boot.lifeline), std::move(boot.parent), [] { throw std::runtime_error("lost"); },
      short_grace);
  say(voice.get(), own_pid());
  spin();
}

// Comes to its orderly end within the grace, as an actor does that was cancelled by `on_eof`.
int end_in_order(Boot boot, const std::string&) {
  std::atomic<bool> asked = false;
  const UniqueFd voice = copy_of(boot.lifeline);
  LifeLine line(
      std::move(boot.lifeline), std::move(boot.parent), [&] { asked = true; }, endless);
  say(voice.get(), own_pid());
  while (!asked) std::this_thread::yield();
  return 8;
}

int get_stuck_after_the_end(Boot boot, const std::string&) {
  std::atomic<bool> asked = false;
  {
    const UniqueFd voice = copy_of(boot.lifeline);
    LifeLine line(
        std::move(boot.lifeline), std::move(boot.parent), [&] { asked = true; }, short_grace);
    say(voice.get(), own_pid());
    while (!asked) std::this_thread::yield();
  }
  spin();
}

// Ends its watch while the parent lives, and tells what the kernel and the callback did.
int stop_watching(Boot boot, const std::string& directory) {
  const UniqueFd voice = copy_of(boot.lifeline);
  std::string answer = std::to_string(death_signal());
  {
    LifeLine line(
        std::move(boot.lifeline), std::move(boot.parent),
        [&] { create_file(directory + "/eof_seen"); }, short_grace);
    answer += " " + std::to_string(death_signal());
    line.add_path(directory);
  }
  say(voice.get(), answer + " " + std::to_string(death_signal()));
  hear(voice.get());
  return 9;
}

// The mask of blocked signals of the watcher's thread.
std::string watcher_mask() {
  DIR* tasks = ::opendir("/proc/self/task");
  std::string mask = "no such thread";
  while (const dirent* task = ::readdir(tasks)) {
    const std::string proc = std::string("/proc/self/task/") + task->d_name;
    if (read_file(proc + "/comm") != "lifeline\n") continue;
    std::istringstream status(read_file(proc + "/status"));
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("SigBlk")) mask = line.substr(8);
    }
  }
  ::closedir(tasks);
  return mask;
}

int report_watcher_mask(Boot boot, const std::string&) {
  const UniqueFd voice = copy_of(boot.lifeline);
  LifeLine line(std::move(boot.lifeline), std::move(boot.parent), nullptr);
  while (watcher_mask() == "no such thread") std::this_thread::yield();
  say(voice.get(), watcher_mask());
  return 0;
}

int report_noise(Boot boot, const std::string&) {
  const UniqueFd voice = copy_of(boot.lifeline);
  LifeLine line(
      std::move(boot.lifeline), std::move(boot.parent), [] { ::_exit(77); }, short_grace);
  say(voice.get(), own_pid());
  spin();
}

// ----- tests

// Ends the life-line as the parent's death does, and tells how the child ends.
ExitStatus status_after_hang_up(const std::string& role, const std::string& argument = {}) {
  return run_tasks([&] {
    const auto child = spawn_exec(role_spec(role, argument));
    EXPECT_EQ(hear(child->lifeline_fd()), std::to_string(child->pid()));
    ::shutdown(child->lifeline_fd(), SHUT_RDWR);
    return terminate(*child, seconds(20));
  });
}

class LifeLineTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_FALSE(has_children()); }
  const std::string directory_ = make_scratch_directory();
};

TEST_F(LifeLineTest, EndsAProcessThatSpins) {
  EXPECT_EQ(status_after_hang_up("spin_under_watch", directory_), (ExitStatus{1, 0}));
  EXPECT_TRUE(exists(directory_ + "/eof_seen"));
}

TEST_F(LifeLineTest, RemovesThePathsAdded) {
  status_after_hang_up("spin_under_watch", directory_);
  EXPECT_FALSE(exists(directory_ + "/socket"));
  EXPECT_FALSE(exists(directory_ + "/run"));
  EXPECT_TRUE(exists(directory_ + "/kept"));
  EXPECT_TRUE(exists(directory_ + "/shared/of_another"));
}

TEST_F(LifeLineTest, AProcessThatSpinsDiesWithItsKilledParent) {
  run_tasks([&] {
    const auto middle = spawn_exec(role_spec("spawn_under_watch", directory_));
    const UniqueFd spinner = open_pid(hear(middle->lifeline_fd()));
    EXPECT_EQ(terminate(*middle, milliseconds(0)), (ExitStatus{0, SIGKILL}));
    EXPECT_TRUE(ends_within(spinner.get(), milliseconds(1000)));
  });
  EXPECT_TRUE(exists(directory_ + "/eof_seen"));
  EXPECT_FALSE(exists(directory_ + "/socket"));
}

TEST_F(LifeLineTest, AForkOfTheParentThatKeepsTheLineOpenChangesNothing) {
  run_tasks([&] {
    const auto middle = spawn_exec(role_spec("spawn_and_fork", directory_));
    const UniqueFd spinner = open_pid(hear(middle->lifeline_fd()));
    const UniqueFd holder = open_pid(hear(middle->lifeline_fd()));
    EXPECT_EQ(terminate(*middle, milliseconds(0)), (ExitStatus{0, SIGKILL}));
    EXPECT_TRUE(ends_within(spinner.get(), milliseconds(1000)));
    EXPECT_FALSE(ends_within(holder.get(), milliseconds(0)));
    detail::send_signal_to(holder.get(), SIGKILL);
  });
}

TEST_F(LifeLineTest, HangsUpOnTheChildrenAtOnce) {
  run_tasks([&] {
    const auto middle = spawn_exec(role_spec("hold_a_child_under_watch", directory_));
    const UniqueFd leaf = open_pid(hear(middle->lifeline_fd()));
    ::shutdown(middle->lifeline_fd(), SHUT_RDWR);
    EXPECT_TRUE(ends_within(leaf.get(), seconds(20)));
    EXPECT_FALSE(middle->wait_nowait().has_value()) << "its own grace is an hour";
  });
}

TEST_F(LifeLineTest, TheKernelEndsAProcessWhoseCallbackGetsStuck) {
  EXPECT_EQ(status_after_hang_up("get_stuck_in_callback"), (ExitStatus{0, SIGKILL}));
}

TEST_F(LifeLineTest, AnErrorOfTheCallbackChangesNothing) {
  EXPECT_EQ(status_after_hang_up("throw_in_callback"), (ExitStatus{1, 0}));
}

TEST_F(LifeLineTest, AProcessMayEndInOrderWithinTheGrace) {
  EXPECT_EQ(status_after_hang_up("end_in_order"), (ExitStatus{8, 0}));
}

TEST_F(LifeLineTest, AProcessThatGetsStuckAfterItsOrderlyEndIsEndedAllTheSame) {
  EXPECT_EQ(status_after_hang_up("get_stuck_after_the_end"), (ExitStatus{1, 0}));
}

TEST_F(LifeLineTest, TakesOverFromTheDeathSignalForGoodAndIsQuietAfterTheOrderlyEnd) {
  run_tasks([&] {
    const auto child = spawn_exec(role_spec("stop_watching", directory_));
    EXPECT_EQ(hear(child->lifeline_fd()), std::to_string(SIGALRM) + " 0 0");
    ::shutdown(child->lifeline_fd(), SHUT_RDWR);
    EXPECT_EQ(child->wait(), (ExitStatus{9, 0}));
  });
  EXPECT_FALSE(exists(directory_ + "/eof_seen"));
  EXPECT_TRUE(exists(directory_));
}

TEST_F(LifeLineTest, ItsThreadTakesNoSignals) {
  run_tasks([] {
    const auto child = spawn_exec(role_spec("report_watcher_mask"));
    // All but SIGKILL, SIGSTOP and the two that belong to the C library.
    EXPECT_EQ(hear(child->lifeline_fd()), "fffffffe7ffbfeff");
    EXPECT_TRUE(child->wait().ok());
  });
}

TEST_F(LifeLineTest, WhatArrivesOnTheLineIsNotItsEnd) {
  run_tasks([] {
    const auto child = spawn_exec(role_spec("report_noise"));
    hear(child->lifeline_fd());
    for (int i = 0; i < 100; ++i) say(child->lifeline_fd(), std::string(1000, 'x'));
    ::shutdown(child->lifeline_fd(), SHUT_RDWR);
    EXPECT_EQ(child->wait(), (ExitStatus{77, 0}));
  });
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  return troupe::testing::role_main(argc, argv,
                                    {{"spin_under_watch", troupe::spin_under_watch},
                                     {"spawn_under_watch", troupe::spawn_under_watch},
                                     {"spawn_and_fork", troupe::spawn_and_fork},
                                     {"hold_a_child_under_watch", troupe::hold_a_child_under_watch},
                                     {"spin_unwatched", troupe::spin_unwatched},
                                     {"get_stuck_in_callback", troupe::get_stuck_in_callback},
                                     {"throw_in_callback", troupe::throw_in_callback},
                                     {"end_in_order", troupe::end_in_order},
                                     {"get_stuck_after_the_end", troupe::get_stuck_after_the_end},
                                     {"stop_watching", troupe::stop_watching},
                                     {"report_watcher_mask", troupe::report_watcher_mask},
                                     {"report_noise", troupe::report_noise}});
}
