// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/posix_spawn.h"

#include <fcntl.h>
#include <unistd.h>

namespace troupe::detail {

bool has_nul(std::string_view text) noexcept { return text.find('\0') != std::string_view::npos; }

bool is_variable_name(std::string_view name) noexcept {
  return !name.empty() && !has_nul(name) && name.find('=') == std::string_view::npos;
}

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<std::string> environment;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    environment.emplace_back(*entry);
  }
  for (const auto& [key, value] : more) set_variable(environment, key, value);
  return environment;
}

void set_variable(std::vector<std::string>& environment, const std::string& key,
                  const std::string& value) {
  const std::string prefix = key + "=";
  std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(prefix); });
  environment.push_back(prefix + value);
}

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void keep_ended_children() noexcept {
  struct sigaction action {};
  ::sigaction(SIGCHLD, nullptr, &action);
  const bool ignored = action.sa_handler == SIG_IGN;
  if (!ignored && (action.sa_flags & SA_NOCLDWAIT) == 0) return;
  if (ignored) action.sa_handler = SIG_DFL;
  action.sa_flags &= ~SA_NOCLDWAIT;
  ::sigaction(SIGCHLD, &action, nullptr);
}

UniqueFd above_stdio(UniqueFd fd) noexcept {
  if (fd.get() > STDERR_FILENO) return fd;
  return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

void SpawnActions::open_null(int standard) {
  const int flags = standard == STDIN_FILENO ? O_RDONLY : O_WRONLY;
  ::posix_spawn_file_actions_addopen(&actions_, standard, "/dev/null", flags, 0);
}

SpawnAttributes::SpawnAttributes(const sigset_t& at_default) {
  ::posix_spawnattr_init(&attributes_);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes_, &none);
  ::posix_spawnattr_setsigdefault(&attributes_, &at_default);
  ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

void SpawnAttributes::lead_group() {
  short flags = 0;
  ::posix_spawnattr_getflags(&attributes_, &flags);
  ::posix_spawnattr_setflags(&attributes_, flags | POSIX_SPAWN_SETPGROUP);  // to 0: a new one
}

}  // namespace troupe::detail
