// SPDX-License-Identifier: Apache-2.0

// The showcase on a terminal: its table lives until Ctrl-C, which leaves neither a process nor a
// file behind, and the terminal as it was.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "troupe/tests/debug/terminal_session.h"

namespace {

using troupe::testing::TerminalSession;

// A folder for the sockets of the programs that this test starts.
class RuntimeFolder {
 public:
  RuntimeFolder() {
    EXPECT_NE(::mkdtemp(path_), nullptr);
    ::setenv("TROUPE_RUNTIME_DIR", path_, 1);
  }
  RuntimeFolder(const RuntimeFolder&) = delete;
  RuntimeFolder& operator=(const RuntimeFolder&) = delete;
  ~RuntimeFolder() { std::filesystem::remove_all(path_); }

  bool is_empty() const { return std::filesystem::is_empty(path_); }

 private:
  char path_[32] = "/tmp/trp-XXXXXX";
};

// The processes whose session is that of a terminal's program, which is the first in it.
std::vector<std::string> processes_of_session(pid_t session) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string line;
    if (!std::getline(file, line)) continue;
    std::istringstream rest(line.substr(line.rfind(')') + 1));
    std::string state;
    pid_t parent = 0, group = 0, its_session = 0;
    if (rest >> state >> parent >> group >> its_session && its_session == session) {
      found.push_back(line);
    }
  }
  return found;
}

TEST(ShowcaseTest, CtrlCLeavesNothingBehindAndTheTerminalSane) {
  const RuntimeFolder folder;
  TerminalSession session("examples/showcase/showcase");
  const termios before = session.modes();
  session.expect("restarted: 0");
  session.expect("restarted: 1");  // it has lost a worker, and goes on
  session.expect("\x1b[6A");       // and draws again over what it drew
  EXPECT_GE(processes_of_session(session.pid()).size(), 7u);
  session.press("\3");
  EXPECT_EQ(session.wait(), 130);

  EXPECT_THAT(processes_of_session(session.pid()), ::testing::IsEmpty());
  EXPECT_TRUE(folder.is_empty());
  const termios after = session.modes();
  EXPECT_EQ(before.c_iflag, after.c_iflag);
  EXPECT_EQ(before.c_oflag, after.c_oflag);
  EXPECT_EQ(before.c_lflag, after.c_lflag);
  // The last word about the cursor is that it is there, and it stands at the start of a line.
  const std::string& shown = session.shown();
  ASSERT_NE(shown.find("\x1b[?25l"), std::string::npos);
  EXPECT_TRUE(shown.ends_with("\r\x1b[K\x1b[?25h")) << shown.substr(shown.size() - 40);
}

}  // namespace
