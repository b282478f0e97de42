// SPDX-License-Identifier: Apache-2.0
#pragma once

// The name under which `ps -o comm`, `top` and `pgrep` show an actor. argv stays as it was.

#include <string>
#include <string_view>

namespace troupe {

/// What `set_process_name` sets: "troupe:" and the name, cut to the 15 bytes that the kernel keeps
/// (never within a UTF-8 character), control bytes replaced by '?'.
std::string process_name(std::string_view actor_name);

/// Shows this process as `troupe:<actor_name>` in ps' comm column.
///
/// Threads: it names the calling thread; ps shows the main thread's name as the process'.
void set_process_name(std::string_view actor_name);

}  // namespace troupe
