// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/fiber/valgrind.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::wait_all_tasks_blocked;
using Argv = std::vector<std::string>;

Argv shell(std::string script) { return {"sh", "-c", std::move(script)}; }

// A program that says when it is ready, ignores SIGTERM, and lives on.
Argv stubborn() { return shell("trap '' TERM; echo ready; while :; do sleep 1; done"); }

// Collects the log while it lives.
class LogCatcher {
 public:
  LogCatcher() {
    set_log_level(LogLevel::info);
    set_log_sink([this](const LogRecord& record) { records_.push_back(record); });
  }
  ~LogCatcher() {
    set_log_sink(nullptr);
    set_log_level(LogLevel::warning);
  }
  std::vector<std::string> texts(LogLevel level) const {
    std::vector<std::string> texts;
    for (const LogRecord& record : records_) {
      if (record.level == level) texts.push_back(record.text);
    }
    return texts;
  }

 private:
  std::vector<LogRecord> records_;
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

TEST(ProcessStatusTest, SaysHowAProcessEnded) {
  EXPECT_EQ((ProcessStatus{3, 0}).to_string(), "exit code 3");
  EXPECT_EQ((ProcessStatus{0, SIGKILL}).to_string(), "signal 9 (SIGKILL)");
  EXPECT_TRUE(ProcessStatus{}.ok());
  EXPECT_FALSE((ProcessStatus{-1, 0}).ok());
}

class ProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::under_valgrind()) GTEST_SKIP() << "valgrind 3.19 knows no pidfd_open";
  }
};
class ProcessRelayTest : public ProcessTest {};

// T-PRC-01: a background process in a nursery: the nursery waits for it; many tasks may wait.
TEST_F(ProcessTest, ManyTasksWaitForABackgroundProcess) {
  testing::run([] {
    int seen = 0;
    std::shared_ptr<Process> process;
    open_task_nursery([&](TaskNursery& n) {
      process = start_process(n, {"cat"}, {.in = ProcessIo::pipe});
      EXPECT_GT(process->pid(), 0);
      EXPECT_EQ(process->argv(), Argv{"cat"});
      for (int i = 0; i < 3; ++i) n.start_soon([&] { seen += process->wait().ok(); });
      wait_all_tasks_blocked();
      EXPECT_EQ(process->status(), std::nullopt);
      process->in().close();
    });
    EXPECT_EQ(seen, 3);
    EXPECT_EQ(process->status(), (ProcessStatus{0, 0}));
    EXPECT_EQ(process->wait(), (ProcessStatus{0, 0})) << "also afterwards";
  });
}

// T-PRC-01: cancelled waits leave the process and the other waiters alone.
TEST_F(ProcessTest, CancelledWaitsLeaveTheProcessAlone) {
  testing::run([] {
    bool other_saw_the_end = false;
    std::shared_ptr<Process> process;
    open_task_nursery([&](TaskNursery& n) {
      process = start_process(n, {"cat"}, {.in = ProcessIo::pipe});
      n.start_soon([&] { other_saw_the_end = process->wait().ok(); });
      EXPECT_FALSE(move_on_after(1ms, [&] { process->wait(); }));
      EXPECT_EQ(process->status(), std::nullopt);
      process->in().close();
    });
    EXPECT_TRUE(other_saw_the_end);
  });
}

// T-PRC-01: the return code is updated by itself, without anybody waiting.
TEST_F(ProcessTest, TheStatusIsUpdatedByItself) {
  testing::run([] {
    std::shared_ptr<Process> process;
    open_task_nursery([&](TaskNursery& n) {
      process = start_process(n, shell("exit 7"), {.check = false});
      while (!process->status()) ::usleep(1000);  // the loop does not even get a turn
      EXPECT_EQ(process->status(), (ProcessStatus{7, 0}));
    });
  });
}

// T-PRC-01: signals end a process; afterwards they go nowhere.
TEST_F(ProcessTest, SignalsEndAProcess) {
  testing::run([] {
    std::shared_ptr<Process> process;
    open_task_nursery([&](TaskNursery& n) {
      process = start_process(n, {"sleep", "1000"}, {.check = false});
      process->send_signal(SIGUSR1);
      EXPECT_EQ(process->wait(), (ProcessStatus{0, SIGUSR1}));
      process->terminate();
      process->kill();
    });
  });
}

// T-PRC-02: pipes: input is fed, both outputs are drained, at the same time: no deadlock.
TEST_F(ProcessTest, FeedsAndDrainsConcurrently) {
  testing::run([] {
    const std::string much(2'000'000, 'x');
    const CompletedProcess cat =
        run_process(shell("tee /dev/stderr"),
                    {.input = much, .out = ProcessIo::capture, .err = ProcessIo::capture});
    EXPECT_TRUE(cat.out == much);
    EXPECT_TRUE(cat.err == much);
    EXPECT_TRUE(cat.status.ok());
    EXPECT_EQ(cat.argv.front(), "sh");
  });
}

// T-PRC-02: standard error can go where standard output goes.
TEST_F(ProcessTest, StandardErrorCanJoinStandardOutput) {
  testing::run([] {
    const CompletedProcess both =
        run_process(shell("echo one; echo two >&2; echo three"),
                    {.out = ProcessIo::capture, .err = ProcessIo::as_output});
    EXPECT_EQ(both.out, "one\ntwo\nthree\n");
  });
}

// T-PRC-02: a dialog with a process over its pipes.
TEST_F(ProcessTest, TalksInteractively) {
  testing::run([] {
    std::shared_ptr<Process> process;
    open_task_nursery([&](TaskNursery& n) {
      process = start_process(n, shell("while read line; do echo \"<$line>\"; done"),
                              {.in = ProcessIo::pipe, .out = ProcessIo::pipe});
      for (const char* word : {"one", "two"}) {
        process->in().write_all(std::string(word) + "\n");
        EXPECT_EQ(process->out().read_some(), "<" + std::string(word) + ">\n");
      }
      process->in().close();
      EXPECT_EQ(process->out().read_all(), "");
      EXPECT_THROW(process->err(), UsageError) << "was not asked for";
    });
  });
}

// T-PRC-02: a broken pipe is tolerated: the process need not read all of its input.
TEST_F(ProcessTest, InputThatIsNotReadIsTolerated) {
  testing::run([] {
    const std::string much(1'000'000, 'x');
    EXPECT_TRUE(run_process({"true"}, {.input = much}).status.ok());
  });
}

// T-PRC-02: environment and directory are the caller's, but for what the options change.
TEST_F(ProcessTest, TakesEnvironmentAndDirectory) {
  testing::run([] {
    const CompletedProcess done =
        run_process(shell("pwd; echo $GREETING"), {.out = ProcessIo::capture,
                                                   .env = {{"GREETING", "old"}, {"GREETING", "hi"}},
                                                   .directory = "/"});
    EXPECT_EQ(done.out, "/\nhi\n");
  });
}

// T-PRC-03: check and non-zero: an error with the captured output.
TEST_F(ProcessTest, CheckThrowsWithTheCapturedOutput) {
  testing::run([] {
    try {
      run_process(shell("echo said; echo complained >&2; exit 3"),
                  {.out = ProcessIo::capture, .err = ProcessIo::capture});
      FAIL() << "nothing was thrown";
    } catch (const ProcessFailed& failed) {
      EXPECT_EQ(failed.process().status, (ProcessStatus{3, 0}));
      EXPECT_EQ(failed.process().out, "said\n");
      EXPECT_EQ(failed.process().err, "complained\n");
      EXPECT_NE(std::string(failed.what()).find("exit code 3"), std::string::npos) << failed.what();
    }
  });
}

// T-PRC-03: without check it is none.
TEST_F(ProcessTest, WithoutCheckItIsNoError) {
  testing::run([] {
    EXPECT_EQ(run_process({"false"}, {.check = false}).status, (ProcessStatus{1, 0}));
  });
}

// T-PRC-03: a background process that fails is an error of its nursery.
TEST_F(ProcessTest, ABackgroundFailureIsTheNurserys) {
  testing::run([] {
    EXPECT_THROW(open_task_nursery([](TaskNursery& n) {
                   start_process(n, {"false"});
                   sleep_forever();
                 }),
                 ProcessFailed);
  });
}

// T-PRC-04: a cancel asks the process to end.
TEST_F(ProcessTest, ACancelTerminatesTheProcess) {
  testing::run([] {
    std::shared_ptr<Process> process;
    open_task_nursery([&](TaskNursery& n) {
      process = start_process(n, {"sleep", "1000"});
      wait_all_tasks_blocked();
      n.cancel();
    });
    EXPECT_EQ(process->status(), (ProcessStatus{0, SIGTERM}));
  });
}

// T-PRC-04: what a process still says while it ends is heard.
// LOG-03: the output of a process is logged where `info` is on.
TEST_F(ProcessTest, LastWordsAreHeard) {
  const LogCatcher log;
  testing::run([] {
    std::shared_ptr<Process> process;
    open_task_nursery([&](TaskNursery& n) {
      process = start_process(
          n,
          shell("trap 'echo farewell >&2; exit 0' TERM; echo ready; while :; do sleep 0.01; done"),
          {.out = ProcessIo::pipe, .err = ProcessIo::log});
      process->out().read_some();
      n.cancel();
    });
    EXPECT_EQ(process->status(), (ProcessStatus{0, 0}));
  });
  EXPECT_EQ(log.texts(LogLevel::info), (std::vector<std::string>{"sh stderr: farewell"}));
}

// T-PRC-04: five seconds later it is killed, with a warning.
TEST_F(ProcessTest, AProcessThatDoesNotEndIsKilledWithAWarning) {
  const LogCatcher log;
  testing::VirtualClock clock;
  testing::run(
      [&] {
        std::shared_ptr<Process> process;
        const TimePoint start = current_time();
        open_task_nursery([&](TaskNursery& n) {
          process = start_process(n, stubborn(), {.out = ProcessIo::pipe});
          process->out().read_some();
          n.cancel();
        });
        EXPECT_EQ(process->status(), (ProcessStatus{0, SIGKILL}));
        EXPECT_EQ(current_time() - start, 5s);
      },
      {.clock = &clock});
  ASSERT_EQ(log.texts(LogLevel::warning).size(), 1u);
  EXPECT_NE(log.texts(LogLevel::warning)[0].find("is killed"), std::string::npos);
}

// T-PRC-04: a policy of one's own is honoured; it may wait.
TEST_F(ProcessTest, AnOwnCancelPolicyIsHonoured) {
  testing::run([] {
    bool policy_ran = false;
    std::shared_ptr<Process> process;
    open_task_nursery([&](TaskNursery& n) {
      process = start_process(n, {"sleep", "1000"}, {.deliver_cancel = [&](Process& p) {
                                policy_ran = true;
                                sleep(1ms);
                                p.send_signal(SIGINT);
                                sleep_forever();  // ends with the process
                              }});
      wait_all_tasks_blocked();
      n.cancel();
    });
    EXPECT_TRUE(policy_ran);
    EXPECT_EQ(process->status(), (ProcessStatus{0, SIGINT}));
  });
}

// T-PRC-04: its errors surface; the process is killed.
TEST_F(ProcessTest, ErrorsOfTheCancelPolicySurface) {
  testing::run([] {
    std::shared_ptr<Process> process;
    const auto run_and_cancel = [&] {
      open_task_nursery([&](TaskNursery& n) {
        process = start_process(n, {"sleep", "1000"}, {.deliver_cancel = [](Process&) {
                                  throw std::out_of_range("policy's");
                                }});
        wait_all_tasks_blocked();
        n.cancel();
      });
    };
    EXPECT_THROW(run_and_cancel(), std::out_of_range);
    EXPECT_EQ(process->status(), (ProcessStatus{0, SIGKILL}));
  });
}

// T-PRC-04: run_process ends its process, too, when it is cancelled.
TEST_F(ProcessTest, RunProcessIsCancelledInOrder) {
  testing::run([] {
    EXPECT_FALSE(move_on_after(5ms, [] { run_process({"sleep", "1000"}); }));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "no child is left";
  });
}

// A grandchild that holds the pipes open does not hold up a cancelled task for ever.
TEST_F(ProcessTest, AGrandchildDoesNotHoldUpACancelledTask) {
  testing::VirtualClock clock({.autojump = 20ms});
  testing::run(
      [] {
        EXPECT_FALSE(move_on_after(1h, [] {
          run_process(shell("sleep 1 & exec sleep 1000"), {.out = ProcessIo::capture});
        }));
      },
      {.clock = &clock});
}

// T-PRC-05: SIGCHLD ignored, as a program may inherit it: no crash, and the status is known.
TEST_F(ProcessTest, WorksWhereSigchldIsIgnored) {
  ::signal(SIGCHLD, SIG_IGN);
  testing::run([] { EXPECT_EQ(run_process(shell("exit 3"), {.check = false}).status.code, 3); });
  ::signal(SIGCHLD, SIG_DFL);
}

// T-PRC-05: signals that interrupt system calls: no crash.
TEST_F(ProcessTest, SurvivesInterruptedSystemCalls) {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  struct sigaction old {};
  ::sigaction(SIGALRM, &action, &old);  // no SA_RESTART
  const itimerval often{{0, 500}, {0, 500}};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  testing::run([] {
    for (int i = 0; i < 20; ++i) {
      const std::string text(100'000, 'x');
      EXPECT_TRUE(run_process({"cat"}, {.input = text, .out = ProcessIo::capture}).out == text);
    }
  });
  const itimerval never_again{};
  ::setitimer(ITIMER_REAL, &never_again, nullptr);
  ::sigaction(SIGALRM, &old, nullptr);
}

// T-PRC-05: a process reaped behind our back: no crash; its status is unknown.
TEST_F(ProcessTest, AProcessReapedByOthersHasAnUnknownStatus) {
  testing::run([] {
    std::shared_ptr<Process> process;
    open_task_nursery([&](TaskNursery& n) {
      process = start_process(n, {"true"}, {.check = false});
      ASSERT_EQ(::waitpid(process->pid(), nullptr, 0), process->pid());
    });
    EXPECT_EQ(process->status(), (ProcessStatus{-1, 0}));
    process->kill();
  });
}

// T-PRC-06: runs, failures and exec errors leak no descriptors.
TEST_F(ProcessTest, LeaksNoDescriptors) {
  testing::run([] {
    const auto all_kinds = [] {
      const ProcessIo capture = ProcessIo::capture;
      run_process({"cat"}, {.input = "x", .out = capture, .err = capture});
      EXPECT_THROW(run_process({"false"}, {.input = "x", .out = capture, .err = capture}),
                   ProcessFailed);
      EXPECT_THROW(run_process({"no-such-program"}, {.input = "x", .out = capture}),
                   ProcessNotStarted);
      EXPECT_FALSE(move_on_after(1ms, [&] {
        run_process({"sleep", "1000"}, {.in = ProcessIo::null, .out = capture});
      }));
      open_task_nursery([](TaskNursery& n) {
        start_process(n, {"true"}, {.in = ProcessIo::pipe, .out = ProcessIo::pipe});
      });
    };
    all_kinds();
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 5; ++i) all_kinds();
    EXPECT_EQ(open_descriptors(), before);
  });
}

// T-PRC-06: nor does a process inherit any but the standard ones.
TEST_F(ProcessTest, InheritsNoDescriptors) {
  testing::run([] {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);  // inheritable, on purpose
    const CompletedProcess done = run_process(shell("ls /proc/$$/fd"), {.out = ProcessIo::capture});
    EXPECT_EQ(done.out, "0\n1\n2\n");
    ::close(ends[0]);
    ::close(ends[1]);
  });
}

// What a process starts with: no blocked signals, whatever this program blocks.
TEST_F(ProcessTest, OptionsMayBeUsedAgain) {
  run_tasks([] {
    ProcessOptions options;
    options.out = ProcessIo::capture;
    options.deliver_cancel = [owned = std::make_unique<int>(1)](Process& p) { p.kill(); };
    for (const char* word : {"one", "two"}) {
      EXPECT_EQ(run_process({"printf", word}, options).out, word);
    }
  });
}

TEST_F(ProcessTest, StartsWithNoBlockedSignals) {
  testing::run([] {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const CompletedProcess done =
        run_process({"grep", "SigBlk", "/proc/self/status"}, {.out = ProcessIo::capture});
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    EXPECT_EQ(done.out, "SigBlk:\t0000000000000000\n");
  });
}

TEST_F(ProcessTest, RefusesWhatCannotBe) {
  testing::run([] {
    EXPECT_THROW(run_process({}), UsageError);
    EXPECT_THROW(run_process({""}), UsageError);
    EXPECT_THROW(run_process({"echo", std::string("a\0b", 3)}), UsageError);
    EXPECT_THROW(run_process({"true"}, {.out = ProcessIo::pipe}), UsageError);
    EXPECT_THROW(run_process({"true"}, {.in = ProcessIo::capture}), UsageError);
    EXPECT_THROW(run_process({"true"}, {.out = ProcessIo::as_output}), UsageError);
    EXPECT_THROW(run_process({"true"}, {.env = {{"A=B", "c"}}}), UsageError);
    EXPECT_THROW(run_process({"true"}, {.directory = "/no/such"}), ProcessNotStarted);
  });
}

// TRI-14: a supervised external process: its stdout lines are relayed one by one to the log, with a
// label.
TEST_F(ProcessRelayTest, LinesAreRelayedToTheLogWithALabel) {
  const LogCatcher log;
  testing::run([] {
    run_process(shell("echo one; printf 'two\\r\\n'; echo; printf 'no end'; echo bad >&2"),
                {.out = ProcessIo::log, .err = ProcessIo::null, .label = "worker"});
  });
  EXPECT_EQ(log.texts(LogLevel::info),
            (std::vector<std::string>{"worker: one", "worker: two", "worker: ", "worker: no end"}));
}

// TRI-14: each line is relayed as it comes, not at the end.
TEST_F(ProcessRelayTest, LinesAreRelayedAsTheyCome) {
  const LogCatcher log;
  testing::run([&] {
    std::shared_ptr<Process> process;
    open_task_nursery([&](TaskNursery& n) {
      process = start_process(n, {"cat"}, {.in = ProcessIo::pipe, .out = ProcessIo::log});
      process->in().write_all("first\n");
      while (log.texts(LogLevel::info).empty()) sleep(1ms);
      process->in().close();
    });
  });
  EXPECT_EQ(log.texts(LogLevel::info), (std::vector<std::string>{"cat: first"}));
}

// TRI-15: its stdin is null and its stdout a pipe, never the parent's terminal.
TEST_F(ProcessRelayTest, TheTerminalIsIsolated) {
  testing::run([] {
    const Argv what = shell("readlink /proc/self/fd/0; readlink /proc/self/fd/1 >&2; cat");
    const CompletedProcess done =
        run_process(what, {.out = ProcessIo::capture, .err = ProcessIo::capture});
    EXPECT_EQ(done.out, "/dev/null\n");
    EXPECT_EQ(done.err.substr(0, 5), "pipe:");
  });
}

// TRI-16: 200 kB of output with no newline: no deadlock, all octets relayed.
TEST_F(ProcessRelayTest, MuchOutputWithoutNewlinesIsRelayedWhole) {
  const LogCatcher log;
  testing::run([] {
    run_process(shell("head -c 200000 /dev/zero | tr '\\0' x"),
                {.out = ProcessIo::log, .label = "big"});
  });
  std::size_t octets = 0;
  for (const std::string& text : log.texts(LogLevel::info)) octets += text.size() - 5;
  EXPECT_EQ(octets, 200'000u);
}

// TRI-17: the process exits non-zero: an error with the code and the tail of stderr, with live
// relay and without.
TEST_F(ProcessRelayTest, TheErrorHasTheTailOfStderr) {
  const LogCatcher log;
  testing::run([] {
    for (const ProcessIo err : {ProcessIo::log, ProcessIo::capture}) {
      try {
        run_process(shell("head -c 100000 /dev/zero | tr '\\0' x >&2; echo >&2; "
                          "echo 'the reason' >&2; exit 9"),
                    {.err = err});
        FAIL() << "nothing was thrown";
      } catch (const ProcessFailed& failed) {
        const std::string text = failed.what();
        EXPECT_NE(text.find("exit code 9"), std::string::npos);
        EXPECT_TRUE(text.ends_with("the reason")) << text;
        EXPECT_LT(text.size(), 5000u);
      }
    }
  });
}

// TRI-18, in our words: the end of a descriptor that is watched does not spin; here, a process that
// closes its output long before it ends.
TEST_F(ProcessRelayTest, AClosedOutputDoesNotSpin) {
  testing::run([] {
    const CompletedProcess done =
        run_process(shell("echo x; exec >&-; sleep 0.05"), {.out = ProcessIo::capture});
    EXPECT_EQ(done.out, "x\n");
  });
}

}  // namespace
}  // namespace troupe
