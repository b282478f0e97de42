// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/uid.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "troupe/ipc/text.h"
#include "troupe/runtime/base/error.h"

namespace troupe {

namespace {
constexpr std::size_t max_name = 255;
constexpr std::size_t uuid_digits = 32;
}  // namespace

std::string Uid::to_string() const { return name + "@" + uuid.substr(0, 8); }

std::string make_uuid() {
  std::array<unsigned char, uuid_digits / 2> octets;
  // Up to 256 octets come whole or not at all; the call waits only in the first moments of a
  // system's life.
  while (::getrandom(octets.data(), octets.size(), 0) != static_cast<ssize_t>(octets.size())) {
    if (errno != EINTR)
      throw Error(std::string("no random octets from the system: ") + std::strerror(errno));
  }
  return to_hex({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

std::string name_fault(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (name.size() > max_name) return "it is longer than " + std::to_string(max_name) + " octets";
  if (!is_utf8(name)) return "it is no valid UTF-8";
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return "it has control characters";
  }
  return {};
}

bool is_uuid(std::string_view uuid) {
  if (uuid.size() != uuid_digits) return false;
  return uuid.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace troupe
