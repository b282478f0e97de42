// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a program's tree, and each actor in it, is set up. Aggregates: name the fields you need.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/rpc/module.h"

namespace troupe {

/// The address at which an arbiter customarily listens: `.arbiter_addr = troupe::default_arbiter`.
inline constexpr const char* default_arbiter = "tcp://127.0.0.1:1616";

/// How a child process is made.
enum class StartMethod {
  exec,  ///< A fresh image of this very binary.
};

/// One actor.
struct ActorOptions {
  std::string name{};                            ///< What others find it by; not unique.
  std::vector<Module> enable_modules{};          ///< What may be called in it.
  StartMethod start_method = StartMethod::exec;  ///< How its process is made.
  std::vector<std::string> bind_addrs{};         ///< Where it listens; empty: at a private socket.
  std::optional<std::chrono::nanoseconds>
      shutdown{};  ///< Its grace time; the program's default when not given.
  std::vector<std::pair<std::string, std::string>> env{};  ///< Added to its environment.
};

/// A program's root actor, and what its tree inherits.
struct RunOptions {
  std::string name = "root";   ///< The root actor's name.
  std::string arbiter_addr{};  ///< Where the arbiter is, or will be; empty: the tree has its own.
  std::vector<std::string> registry_addrs{};  ///< The same for several; the root is in each.
  std::vector<std::string> bind_addrs{};  ///< Where the root listens; empty: at a private socket.
  std::vector<Module> enable_modules{};   ///< What may be called in the root.
  StartMethod start_method = StartMethod::exec;  ///< How child processes are made by default.
  bool ensure_registry = false;  ///< Whether the root must become the arbiter, and not just join.
  Clock* clock = nullptr;        ///< Where the root's time comes from; null: the machine's.
  std::chrono::nanoseconds cancel_grace =
      std::chrono::seconds(5);              ///< How long a cancelled actor or call may take to end.
  UniqueFunction<void()> on_actor_start{};  ///< Runs in every actor, before it serves.
  std::string token_file{};   ///< The cluster's secret; empty: the user's own, on this host.
  bool insecure_tcp = false;  ///< Whether tcp beyond this host may be used, though unencrypted.
  std::optional<std::uint64_t>
      schedule_seed{};           ///< Draws the order of tasks that are ready together.
  bool dump_on_sigusr1 = false;  ///< Whether SIGUSR1 prints an actor's tree of tasks on its stderr.
  std::size_t stack_size = 256 * 1024;  ///< Octets of address space per task.
};

}  // namespace troupe
