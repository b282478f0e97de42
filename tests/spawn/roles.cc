// SPDX-License-Identifier: Apache-2.0
#include "troupe/tests/spawn/roles.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "troupe/runtime/base/pidfd.h"
#include "troupe/spawn/lifeline.h"
#include "troupe/spawn/self_image.h"

namespace troupe::testing {

namespace {

constexpr std::size_t longest_field = std::size_t{1} << 30;

// ----- roles for every test program

int exit_with(Boot, const std::string& argument) { return std::stoi(argument); }

int die_of(Boot, const std::string& argument) {
  ::signal(std::stoi(argument), SIG_DFL);
  ::raise(std::stoi(argument));
  return 0;
}

int report_descriptors(Boot boot, const std::string&) {
  boot.parent.reset();  // which it has opened itself
  say(boot.lifeline.get(), open_descriptors());
  return 0;
}

int report_stdio(Boot boot, const std::string&) {
  say(boot.lifeline.get(), target_of(0) + " " + target_of(1) + " " + target_of(2));
  return 0;
}

// The masks of blocked and ignored signals, without the two that belong to the C library.
int report_signals(Boot boot, const std::string&) {
  std::istringstream status(read_file("/proc/self/status"));
  std::string answer;
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("SigBlk") && !line.starts_with("SigIgn")) continue;
    const std::uint64_t of_libc = std::uint64_t{3} << 31;
    answer += std::to_string(std::stoull(line.substr(8), nullptr, 16) & ~of_libc) + " ";
  }
  say(boot.lifeline.get(), answer);
  return 0;
}

int report_argv(Boot boot, const std::string&) {
  std::string answer;
  for (const std::string& argument : original_argv()) answer += "[" + argument + "]";
  say(boot.lifeline.get(), answer);
  return 0;
}

int report_variables(Boot boot, const std::string& argument) {
  std::istringstream names(argument);
  std::string answer;
  for (std::string name; names >> name;) {
    const char* value = std::getenv(name.c_str());
    answer += name + "=" + (value == nullptr ? "<unset>" : value) + ";";
  }
  say(boot.lifeline.get(), answer);
  return 0;
}

int report_parent(Boot boot, const std::string&) {
  say(boot.lifeline.get(), std::to_string(boot.parent_pid) + " " + std::to_string(::getppid()));
  return 0;
}

int report_argument_size(Boot boot, const std::string& argument) {
  std::size_t sum = 0;
  for (unsigned char octet : argument) sum += octet;
  say(boot.lifeline.get(), std::to_string(argument.size()) + " " + std::to_string(sum));
  return 0;
}

int ignore_everything(Boot boot, const std::string&) {
  for (int signal = 1; signal < SIGRTMIN; ++signal) ::signal(signal, SIG_IGN);
  say(boot.lifeline.get(), std::to_string(::getpid()));
  spin();
}

// Is stuck, but its life is watched.
int spin_watched(Boot boot, const std::string&) {
  const UniqueFd voice(::fcntl(boot.lifeline.get(), F_DUPFD_CLOEXEC, 4));
  const LifeLine line(std::move(boot.lifeline), std::move(boot.parent), nullptr,
                      std::chrono::milliseconds(100));
  say(voice.get(), std::to_string(::getpid()));
  spin();
}

const std::map<std::string, Role>& common_roles() {
  static const std::map<std::string, Role> roles = {
      {"exit_with", exit_with},
      {"die_of", die_of},
      {"report_descriptors", report_descriptors},
      {"report_stdio", report_stdio},
      {"report_signals", report_signals},
      {"report_argv", report_argv},
      {"report_variables", report_variables},
      {"report_parent", report_parent},
      {"report_argument_size", report_argument_size},
      {"ignore_everything", ignore_everything},
      {"spin_watched", spin_watched},
  };
  return roles;
}

int play(Boot boot, const std::map<std::string, Role>& roles) {
  ByteReader reader(boot.blob);
  const std::string name = reader.string(longest_field);
  const std::string argument = reader.string(longest_field);
  const auto role = roles.find(name);
  if (role != roles.end()) return role->second(std::move(boot), argument);
  return common_roles().at(name)(std::move(boot), argument);
}

void wait_for_orphanhood() {
  const pid_t parent = ::getppid();
  while (::getppid() == parent) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

// What a program may do before it looks for its boot record: leave, hang, start a thread, come too
// late.
const bool acted_early = [] {
  if (std::getenv("LEAVE_EARLY") != nullptr) ::_exit(17);
  if (std::getenv("HANG_EARLY") != nullptr) spin();
  if (std::getenv("WAIT_FOR_ORPHANHOOD") != nullptr) wait_for_orphanhood();
  if (std::getenv("START_THREAD_EARLY") != nullptr) std::thread([] { ::pause(); }).detach();
  return true;
}();

}  // namespace

int role_main(int argc, char** argv, const std::map<std::string, Role>& roles) {
  try {
    if (std::optional<Boot> boot = take_boot_record()) return play(std::move(*boot), roles);
  } catch (const std::exception& error) {
    std::cerr << "child: " << error.what() << '\n';
    return not_a_child;
  }
  if (std::getenv(program_variable) != nullptr) return program_code;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

SpawnSpec role_spec(const std::string& role, const std::string& argument) {
  SpawnSpec spec;
  spec.name = role;
  put_string(spec.blob, role);
  put_string(spec.blob, argument);
  return spec;
}

void say(int lifeline, const std::string& line) {
  const std::string text = line + "\n";
  if (::send(lifeline, text.data(), text.size(), MSG_NOSIGNAL) != ssize_t(text.size())) {
    throw std::runtime_error("cannot say: " + line);
  }
}

std::string hear(int lifeline) {
  std::string line;
  for (;;) {
    pollfd look{lifeline, POLLIN, 0};
    if (::poll(&look, 1, 20'000) != 1) throw std::runtime_error("heard nothing for 20 s");
    char c;
    if (::read(lifeline, &c, 1) != 1) return line + "<end>";
    if (c == '\n') return line;
    line += c;
  }
}

UniqueFd open_pid(const std::string& pid) {
  UniqueFd pidfd = detail::open_pidfd(std::stoi(pid));
  if (!pidfd) throw std::runtime_error("there is no process " + pid);
  return pidfd;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string open_descriptors() {
  DIR* directory = ::opendir("/proc/self/fd");
  std::set<int> numbers;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') numbers.insert(std::stoi(entry->d_name));
  }
  numbers.erase(::dirfd(directory));
  ::closedir(directory);
  std::string text;
  for (int number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number);
  return text;
}

std::string target_of(int fd) {
  char target[256];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(link.c_str(), target, sizeof target);
  return length < 0 ? "closed" : std::string(target, static_cast<std::size_t>(length));
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

std::string make_scratch_directory() {
  std::string path = ::testing::TempDir() + "spawn_test_XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  return path;
}

void spin() {
  for (volatile bool for_ever = true; for_ever;) {
  }
  std::abort();
}

}  // namespace troupe::testing
