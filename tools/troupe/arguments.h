// SPDX-License-Identifier: Apache-2.0
#pragma once

// The command line of the tool: what is asked for, and where.

#include <chrono>
#include <string>
#include <vector>

namespace troupe::tool {

/// What the tool does.
enum class Command { help, ls, tree, ping, cancel };

/// A command line, read.
struct Arguments {
  Command command = Command::help;
  std::string name;            ///< For `ping` and `cancel`: "name", or "name@1f3a9c02".
  std::string arbiter;         ///< Where the arbiter listens.
  bool local = false;          ///< Whether this user's own trees are meant instead.
  bool tasks = false;          ///< Whether a tree shows tasks.
  bool runtime_tasks = false;  ///< Whether troupe's own are among them.
  bool json = false;           ///< Whether the answer is for programs.
  std::string token_file;      ///< The cluster's secret; empty: the user's own.
  bool insecure_tcp = false;   ///< Whether tcp beyond this host may be used.
  std::chrono::nanoseconds timeout = std::chrono::seconds(3);  ///< For each actor that is asked.
};

/// Reads the arguments after the program's name. Throws `UsageError` with a sentence when they are
/// wrong.
Arguments parse_arguments(const std::vector<std::string>& words);

/// What `--help` prints.
const char* help_text();

}  // namespace troupe::tool
