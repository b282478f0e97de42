// SPDX-License-Identifier: Apache-2.0
#include "troupe/tests/support/program.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

extern char** environ;  // NOLINT: POSIX's name

namespace troupe::testing {
namespace {

constexpr const char* mark_name = "TROUPE_TEST_MARK=";

std::string random_name() {
  std::random_device source;
  std::ostringstream name;
  name << std::hex << source() << source();
  return name.str();
}

std::string environment_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/environ", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool is_zombie(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t end = text.rfind(')');
  return end != std::string::npos && end + 2 < text.size() && text[end + 2] == 'Z';
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Polls the outside world.
template <class Condition>
bool comes_true_within(std::chrono::milliseconds limit, const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace

Program::Program(const std::string& path, std::vector<std::string> arguments,
                 std::vector<std::pair<std::string, std::string>> environment)
    : mark_(random_name()), directory_("/tmp/troupe-test-" + mark_) {
  std::filesystem::create_directory(directory_);
  std::filesystem::permissions(directory_, std::filesystem::perms::owner_all);
  std::vector<std::string> argv{path};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  // Of several settings of a variable the first counts.
  std::vector<std::string> env;
  for (const auto& [name, value] : environment) env.push_back(name + "=" + value);
  env.push_back(mark_name + mark_);
  env.push_back("TROUPE_RUNTIME_DIR=" + directory_);
  for (char** entry = environ; *entry != nullptr; ++entry) env.emplace_back(*entry);

  std::array<int, 2> out;
  std::array<int, 2> err;
  if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("pipe2");
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  const int failed = ::posix_spawn(&pid_, path.c_str(), &actions, nullptr, pointers(argv).data(),
                                   pointers(env).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  ::close(err[1]);
  output_ = out[0];
  errors_ = err[0];
  if (failed != 0) throw std::runtime_error("cannot start " + path);
}

Program::~Program() {
  for (const pid_t pid : processes()) ::kill(pid, SIGKILL);
  if (!waited_) ::waitpid(pid_, nullptr, 0);
  ::close(output_);
  ::close(errors_);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void Program::send_signal(int signal) { ::kill(pid_, signal); }

// Reads both pipes until their end, or until stdout contains `text`.
void Program::read_output(bool until_end, const std::string& text) {
  std::array<pollfd, 2> pipes{{{output_, POLLIN, 0}, {errors_, POLLIN, 0}}};
  std::array<std::string*, 2> texts{&outcome_.output, &outcome_.errors};
  while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
    if (!until_end && outcome_.output.find(text) != std::string::npos) return;
    ::poll(pipes.data(), pipes.size(), -1);
    for (std::size_t i = 0; i < pipes.size(); ++i) {
      if (pipes[i].fd < 0 || pipes[i].revents == 0) continue;
      std::array<char, 4096> buffer;
      const ssize_t count = ::read(pipes[i].fd, buffer.data(), buffer.size());
      if (count > 0) {
        texts[i]->append(buffer.data(), static_cast<std::size_t>(count));
      } else {
        pipes[i].fd = -1;
      }
    }
  }
}

bool Program::wait_for_output(const std::string& text) {
  read_output(/*until_end=*/false, text);
  return outcome_.output.find(text) != std::string::npos;
}

Outcome Program::wait() {
  read_output(/*until_end=*/true, {});
  int status = 0;
  ::waitpid(pid_, &status, 0);
  waited_ = true;
  outcome_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  outcome_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return outcome_;
}

std::vector<pid_t> Program::processes() const {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos || is_zombie(pid)) continue;
    if (environment_of(pid).find(mark_name + mark_) != std::string::npos) {
      found.push_back(static_cast<pid_t>(std::stol(pid)));
    }
  }
  return found;
}

bool Program::gone_within(std::chrono::milliseconds limit) const {
  return comes_true_within(limit, [this] { return processes().empty(); });
}

bool Program::nothing_left_within(std::chrono::milliseconds limit) const {
  return comes_true_within(limit,
                           [this] { return processes().empty() && leftover_files().empty(); });
}

std::vector<std::string> Program::leftover_files() const {
  std::vector<std::string> found;
  std::error_code vanished;  // what is removed meanwhile is not left
  std::filesystem::recursive_directory_iterator entry(directory_, vanished);
  while (!vanished && entry != std::filesystem::recursive_directory_iterator()) {
    found.push_back(entry->path());
    entry.increment(vanished);
  }
  return found;
}

}  // namespace troupe::testing
