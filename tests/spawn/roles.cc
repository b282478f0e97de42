// SPDX-License-Identifier: Apache-2.0
#include "troupe/tests/spawn/roles.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <stdexcept>

#include "troupe/spawn/pidfd.h"

namespace troupe::testing {

namespace {

constexpr std::size_t longest_field = std::size_t{1} << 30;

int play(Boot boot, const std::map<std::string, Role>& roles) {
  ByteReader reader(boot.blob);
  const std::string role = reader.string(longest_field);
  const std::string argument = reader.string(longest_field);
  return roles.at(role)(std::move(boot), argument);
}

}  // namespace

int role_main(int argc, char** argv, const std::map<std::string, Role>& roles) {
  try {
    if (std::optional<Boot> boot = take_boot_record()) return play(std::move(*boot), roles);
  } catch (const std::exception& error) {
    std::cerr << "child: " << error.what() << '\n';
    return 99;
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

bool ends_within(int pidfd, std::chrono::milliseconds limit) {
  pollfd look{pidfd, POLLIN, 0};
  return ::poll(&look, 1, static_cast<int>(limit.count())) == 1;
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

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
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
