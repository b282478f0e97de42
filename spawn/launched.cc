// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/launched.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "troupe/runtime/base/posix_spawn.h"
#include "troupe/runtime/base/write_all.h"
#include "troupe/spawn/boot.h"
#include "troupe/spawn/boot_record.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/self_image.h"

namespace troupe::detail {

namespace {

// Begins every record; the digits make it no word that anybody else sends.
constexpr std::string_view magic = "troupe launch 1 b61c43e09a7d52f8";
constexpr std::size_t longest_field = std::size_t{64} << 20;
// What shells say for a command that cannot be run.
constexpr int not_runnable = 127;

[[noreturn]] void end_with(const std::string& what) {
  const std::string text = "troupe: " + what + "\n";
  write_all(STDERR_FILENO, text);
  ::_exit(not_runnable);
}

bool has_option(int argc, char** argv, const char* option) {
  return argc > 1 && std::strcmp(argv[1], option) == 0;
}

// Whether stdin is a socket of this host whose other end this very user has made. A daemon that
// gives each of its programs a stranger's connection as stdin must not give him the program.
bool stdin_is_our_own_socket() {
  ucred creator{};
  socklen_t size = sizeof creator;
  return ::getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERCRED, &creator, &size) == 0 &&
         creator.pid != 0 && creator.uid == ::geteuid();
}

// Takes nothing away. On a stdin that is no socket this is one system call in vain.
bool record_lies_ready() {
  char ready[sizeof(std::uint32_t) + magic.size()];
  return ::recv(STDIN_FILENO, ready, sizeof ready, MSG_PEEK | MSG_DONTWAIT) ==
             static_cast<ssize_t>(sizeof ready) &&
         std::string_view(ready, sizeof ready).ends_with(magic) && stdin_is_our_own_socket();
}

// argv: program, option, parent's pid, command...
[[noreturn]] void become_command(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (argc < 4 || std::to_string(::getppid()) != argv[2]) ::_exit(not_runnable);
  ::execvp(argv[3], argv + 3);
  end_with("cannot run the launcher " + quoted_name(argv[3]) + ": " + errno_text(errno));
}

// It keeps its pid.
[[noreturn]] void become_launched() {
  try {
    const LaunchRecord record = LaunchRecord::decode(read_boot_record(STDIN_FILENO));
    for (const auto& [key, value] : record.env) ::setenv(key.c_str(), value.c_str(), 1);
    const std::string mark =
        std::to_string(STDIN_FILENO) + ":" + std::to_string(::getpid()) + ":" + launched_mark;
    ::setenv(child_mark, mark.c_str(), 1);
    ::execv(self_image_path().c_str(), pointers_to(record.argv).data());
    end_with("cannot execute this program again: " + errno_text(errno));
  } catch (const std::exception& error) {
    end_with(error.what());
  }
}

// The first priority that is the program's own; the library of the system hands over argv.
[[gnu::constructor(101)]] void enter(int argc, char** argv) {
  if (has_option(argc, argv, command_option)) become_command(argc, argv);
  if (has_option(argc, argv, launched_option) || record_lies_ready()) become_launched();
}

}  // namespace

Bytes LaunchRecord::encode() const {
  Bytes octets(magic);
  put_u32(octets, static_cast<std::uint32_t>(argv.size()));
  for (const std::string& argument : argv) put_string(octets, argument);
  put_u32(octets, static_cast<std::uint32_t>(env.size()));
  for (const auto& [key, value] : env) {
    put_string(octets, key);
    put_string(octets, value);
  }
  return octets;
}

LaunchRecord LaunchRecord::decode(BytesView octets) {
  if (!octets.starts_with(magic)) {
    throw SpawnFailed(std::string("this process was started with ") + launched_option +
                      ", which is for launchers of actors, but its stdin says nothing of an actor; "
                      "both ends must be the same build of the program");
  }
  ByteReader reader(octets.substr(magic.size()));
  LaunchRecord record;
  for (std::uint32_t left = reader.u32(); left > 0; --left) {
    record.argv.push_back(reader.string(longest_field));
  }
  for (std::uint32_t left = reader.u32(); left > 0; --left) {
    std::string key = reader.string(longest_field);
    record.env.emplace_back(std::move(key), reader.string(longest_field));
  }
  return record;
}

UniqueFd take_launched_lifeline(int fd) {
  UniqueFd lifeline(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!lifeline)
    throw SpawnFailed("the life-line of this actor is not there: " + errno_text(errno));
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (null) ::dup2(null.get(), fd);
  return lifeline;
}

}  // namespace troupe::detail
