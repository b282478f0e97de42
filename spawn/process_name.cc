// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/process_name.h"

#include <sys/prctl.h>

namespace troupe {

namespace {

constexpr std::size_t comm_capacity = 15;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

bool is_control(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet < 0x20 || octet == 0x7f;
}

}  // namespace

std::string process_name(std::string_view actor_name) {
  std::string name = "troupe:";
  const std::size_t room = comm_capacity - name.size();
  std::size_t length = actor_name.size();
  if (length > room) {
    length = room;
    while (length > 0 && continues_character(actor_name[length])) --length;
    if (length == 0) length = room;  // not UTF-8 at all
  }
  for (char c : actor_name.substr(0, length)) name += is_control(c) ? '?' : c;
  return name;
}

void set_process_name(std::string_view actor_name) {
  ::prctl(PR_SET_NAME, process_name(actor_name).c_str(), 0, 0, 0);
}

}  // namespace troupe
