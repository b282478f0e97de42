// SPDX-License-Identifier: Apache-2.0

// What becomes of what children print: relays, with real children and real outputs.

#include "troupe/spawn/output_relay.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <sstream>
#include <string>

#include "troupe/runtime/base/pidfd.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/pipe.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/spawn/exec_backend.h"
#include "troupe/tests/spawn/roles.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using namespace troupe::testing;

// ----- roles

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0) ::_exit(77);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

int print_errors(Boot, const std::string& text) {
  write_all(STDERR_FILENO, text);
  return 0;
}

int print_both(Boot, const std::string& text) {
  write_all(STDOUT_FILENO, text);
  write_all(STDERR_FILENO, text);
  return 0;
}

// One by one, as a log does.
int print_lines(Boot, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) write_all(STDERR_FILENO, line + "\n");
  return 0;
}

// The second text when it is told to.
int print_twice(Boot boot, const std::string&) {
  write_all(STDERR_FILENO, "one\n");
  hear(boot.lifeline.get());
  write_all(STDERR_FILENO, "two\n");
  return 0;
}

int print_and_die(Boot, const std::string& text) {
  write_all(STDERR_FILENO, text);
  ::raise(SIGKILL);
  return 0;
}

// Leaves a process behind that holds its outputs.
int print_and_leave_a_fork(Boot boot, const std::string& text) {
  const pid_t fork = ::fork();
  if (fork == 0) {
    boot.lifeline.reset();
    for (;;) ::pause();
  }
  write_all(STDERR_FILENO, text);
  say(boot.lifeline.get(), std::to_string(fork));
  return 0;
}

// ----- helpers

// Has a standard descriptor of this process lead elsewhere while it lives.
class Redirected {
 public:
  Redirected(int standard, int to)
      : standard_(standard), before_(::fcntl(standard, F_DUPFD_CLOEXEC, 10)) {
    ::dup2(to, standard);
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;
  ~Redirected() { ::dup2(before_.get(), standard_); }

 private:
  int standard_;
  UniqueFd before_;
};

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;

  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
};

// Where a test's outputs go for its time.
class OutputFile {
 public:
  OutputFile() : path_(make_scratch_directory() + "/output") {
    fd_.reset(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  }
  int fd() const { return fd_.get(); }
  std::string content() const { return read_file(path_); }

 private:
  std::string path_;
  UniqueFd fd_;
};

SpawnSpec printing(const std::string& role, const std::string& text, Stdio stdio) {
  SpawnSpec spec = role_spec(role, text);
  spec.name = "frank";
  spec.stdio = stdio;
  return spec;
}

std::string many_lines(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

class OutputRelayTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_FALSE(has_children()); }
};

// ----- tests

TEST_F(OutputRelayTest, ErrorsPassThroughOctetByOctet) {
  const std::string text("no line\0 \xff end", 14);
  OutputFile file;
  {
    const Redirected errors(STDERR_FILENO, file.fd());
    run_tasks([&] {
      const auto child = spawn_exec(printing("print_errors", text, Stdio::inherit));
      EXPECT_TRUE(child->wait().ok());
      EXPECT_EQ(file.content(), text) << "all is there when its end is known";
      EXPECT_EQ(child->stderr_tail(), "no line? \xff end");
    });
  }
}

TEST_F(OutputRelayTest, LinesOfTwoChildrenDoNotMix) {
  constexpr int count = 20'000;
  OutputFile file;
  {
    const Redirected errors(STDERR_FILENO, file.fd());
    run_tasks([&] {
      open_task_nursery([&](TaskNursery& n) {
        for (int i = 0; i < 2; ++i) {
          n.start_soon([&] {
            const auto child =
                spawn_exec(printing("print_lines", many_lines(count), Stdio::inherit));
            EXPECT_TRUE(child->wait().ok());
          });
        }
      });
    });
  }
  std::istringstream lines(file.content());
  std::map<std::string, int> times;
  for (std::string line; std::getline(lines, line);) ++times[line];
  EXPECT_EQ(times.size(), std::size_t{count});
  for (const auto& [line, found] : times) ASSERT_EQ(found, 2) << line;
}

TEST_F(OutputRelayTest, StdoutIsThisProcessOwnUnlessPrefixed) {
  OutputFile out;
  OutputFile err;
  {
    const Redirected stdout_there(STDOUT_FILENO, out.fd());
    const Redirected stderr_there(STDERR_FILENO, err.fd());
    run_tasks([] { spawn_exec(printing("print_both", "x\n", Stdio::inherit))->wait(); });
  }
  EXPECT_EQ(out.content(), "x\n");
  EXPECT_EQ(err.content(), "x\n");
}

TEST_F(OutputRelayTest, LinesCarryThePrefix) {
  OutputFile out;
  OutputFile err;
  {
    const Redirected stdout_there(STDOUT_FILENO, out.fd());
    const Redirected stderr_there(STDERR_FILENO, err.fd());
    run_tasks([] {
      const auto child =
          spawn_exec(printing("print_both", "one\n\ntwo without an end", Stdio::prefixed));
      EXPECT_TRUE(child->wait().ok());
      EXPECT_EQ(child->stderr_tail(), "one\n\ntwo without an end");
    });
  }
  EXPECT_EQ(out.content(), "frank: one\nfrank: \nfrank: two without an end\n");
  EXPECT_EQ(err.content(), "frank: one\nfrank: \nfrank: two without an end\n");
}

TEST_F(OutputRelayTest, DirectOutputsAreNotKept) {
  OutputFile file;
  const Redirected errors(STDERR_FILENO, file.fd());
  run_tasks([] {
    const auto child = spawn_exec(printing("print_errors", "x\n", Stdio::direct));
    EXPECT_TRUE(child->wait().ok());
    EXPECT_EQ(child->stderr_tail(), "");
  });
  EXPECT_EQ(file.content(), "x\n");
}

TEST_F(OutputRelayTest, TheLastTwentyLinesOfAKilledChildAreKnown) {
  OutputFile file;
  const Redirected errors(STDERR_FILENO, file.fd());
  run_tasks([] {
    const auto child = spawn_exec(printing("print_and_die", many_lines(30), Stdio::inherit));
    EXPECT_EQ(child->wait().signal, SIGKILL);
    const std::string tail = child->stderr_tail();
    EXPECT_TRUE(tail.starts_with("line 11\n")) << tail;
    EXPECT_TRUE(tail.ends_with("\nline 30")) << tail;
  });
}

// This process' own stderr takes nothing any more: the child waits, the loop does not.
TEST_F(OutputRelayTest, ACloggedOutputHoldsUpTheChildAlone) {
  Pipe pipe;
  ::fcntl(pipe.writer.get(), F_SETPIPE_SZ, 4096);
  write_all(pipe.writer.get(), std::string(4096, '.'));
  const std::string text = many_lines(10'000);
  std::string arrived;
  {
    const Redirected errors(STDERR_FILENO, pipe.writer.get());
    pipe.writer.reset();
    run_tasks([&] {
      const auto child = spawn_exec(printing("print_errors", text, Stdio::inherit));
      sleep(milliseconds(50));
      EXPECT_FALSE(child->wait_nowait().has_value());
      PipeReader reader(std::move(pipe.reader));
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] {
          while (arrived.size() < 4096 + text.size()) arrived += reader.read_some();
        });
      });
      EXPECT_TRUE(child->wait().ok());
    });
  }
  EXPECT_EQ(arrived.substr(4096), text);
}

// The one who read this process' stderr has gone away. That is no reason to die.
TEST_F(OutputRelayTest, ABrokenOutputChangesNothing) {
  Pipe pipe;
  const Redirected errors(STDERR_FILENO, pipe.writer.get());
  pipe.reader.reset();
  run_tasks([] {
    const auto child = spawn_exec(printing("print_errors", many_lines(10'000), Stdio::inherit));
    EXPECT_TRUE(child->wait().ok());
    EXPECT_TRUE(child->stderr_tail().ends_with("line 10000"));
  });
}

// What came while the disk was full is lost, what comes later is not.
TEST_F(OutputRelayTest, AFullDiskIsGotOver) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  OutputFile file;
  const Redirected errors(STDERR_FILENO, full.get());
  run_tasks([&] {
    const auto child = spawn_exec(printing("print_twice", "", Stdio::inherit));
    while (child->stderr_tail() != "one") sleep(milliseconds(1));
    ::dup2(file.fd(), STDERR_FILENO);
    say(child->lifeline_fd(), "go on");
    EXPECT_TRUE(child->wait().ok());
  });
  EXPECT_EQ(file.content(), "two\n");
}

TEST_F(OutputRelayTest, AProcessThatHoldsThePipeHoldsUpNobody) {
  OutputFile file;
  const Redirected errors(STDERR_FILENO, file.fd());
  run_tasks([] {
    const auto child = spawn_exec(printing("print_and_leave_a_fork", "x\n", Stdio::inherit));
    const UniqueFd left_behind = open_pid(hear(child->lifeline_fd()));
    EXPECT_TRUE(child->wait().ok());
    EXPECT_EQ(child->stderr_tail(), "x");
    detail::send_signal_to(left_behind.get(), SIGKILL);
  });
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  return troupe::testing::role_main(argc, argv,
                                    {{"print_errors", troupe::print_errors},
                                     {"print_both", troupe::print_both},
                                     {"print_lines", troupe::print_lines},
                                     {"print_twice", troupe::print_twice},
                                     {"print_and_die", troupe::print_and_die},
                                     {"print_and_leave_a_fork", troupe::print_and_leave_a_fork}});
}
