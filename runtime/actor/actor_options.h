// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a program's tree, and each actor in it, is set up. Aggregates: name the fields you need.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/actor/statespace.h"
#include "troupe/runtime/actor/supervisor.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/rpc/module.h"
#include "troupe/spawn/child_stdio.h"
#include "troupe/spawn/start_method.h"

namespace troupe {

/// The address at which an arbiter customarily listens: `.arbiter_addr = troupe::default_arbiter`.
inline constexpr const char* default_arbiter = "tcp://127.0.0.1:1616";

/// One actor.
struct ActorOptions {
  std::string name{};                    ///< What others find it by; not unique.
  std::vector<Module> enable_modules{};  ///< What may be called in it.
  std::optional<StartMethod>
      start_method{};         ///< How its process is made; as the program's when not given.
  InitialState statespace{};  ///< What its table begins with.
  std::vector<std::string> bind_addrs{};  ///< Where it listens; empty: at a private socket.
  std::string loglevel{};  ///< What it logs, as `log::get_console_log` takes it; empty: as here.
  /// When it is started again. Where the nursery restarts actors: permanent for `start_actor` and
  /// transient for `run_in_actor` when not given; under `one_cancels_all` only temporary will do.
  std::optional<Restart> restart{};
  /// How long it stays away before it is started again; the supervisor's when not given.
  std::optional<std::chrono::nanoseconds> backoff{};
  /// Its grace time, after which it is killed; the program's default when not given.
  std::optional<std::chrono::nanoseconds> shutdown{};
  /// How long it looks for work before it sleeps; as here when not given. See `RunOptions`.
  std::optional<std::chrono::nanoseconds> busy_poll{};
  std::vector<std::pair<std::string, std::string>> env{};  ///< Added to its environment.
  Stdio stdio = Stdio::inherit;                            ///< Where what it prints goes.
  std::optional<bool> debug_mode{};  ///< Whether it stops in gdb; as the program when not given.
};

/// A program's root actor, and what its tree inherits.
struct RunOptions {
  std::string name = "root";   ///< The root actor's name.
  std::string arbiter_addr{};  ///< Where the arbiter is, or will be; empty: the tree has its own.
  std::vector<std::string> registry_addrs{};  ///< The same for several; the root is in each.
  std::vector<std::string> bind_addrs{};  ///< Where the root listens; empty: at a private socket.
  std::vector<Module> enable_modules{};   ///< What may be called in the root.
  StartMethod start_method = StartMethod::exec;  ///< How child processes are made by default.
  std::string loglevel{};        ///< What the tree logs, as `log::get_console_log` takes it.
  InitialState statespace{};     ///< What the root's table begins with.
  bool ensure_registry = false;  ///< Whether the root must become the arbiter, and not just join.
  Clock* clock = nullptr;        ///< Where the root's time comes from; null: the machine's.
  std::chrono::nanoseconds cancel_grace =
      std::chrono::seconds(5);  ///< How long a cancelled actor or call may take to end.
  /// Runs in every actor, before it serves. Actors come to the options of `init` and of `run(argc,
  /// argv, ...)`; where it stands in others, it runs in the root alone.
  SharedFunction<void()> on_actor_start{};
  std::string token_file{};   ///< The cluster's secret; empty: the user's own, on this host.
  bool insecure_tcp = false;  ///< Whether tcp beyond this host may be used, though unencrypted.
  std::chrono::nanoseconds liveness =
      std::chrono::seconds(15);  ///< How long another host may be silent before it is taken for
                                 ///< lost; 300 ms to one hour.
  std::optional<std::uint64_t>
      schedule_seed{};           ///< Draws the order of tasks that are ready together.
  bool dump_on_sigusr1 = false;  ///< Whether SIGUSR1 prints, on an actor's stderr, its tasks and
                                 ///< those of all actors below it.
  std::size_t stack_size = 256 * 1024;  ///< Octets of address space per task.
  /// How long an actor that has nothing to do looks for work before it sleeps: 50 us or so make
  /// answers come sooner, at the price of processor time while there is nothing to do.
  std::chrono::nanoseconds busy_poll{0};
  bool debug_mode = false;  ///< Whether actors that fail or come to a `breakpoint` stop in gdb.
  bool tracebacks = true;   ///< Whether errors know where they were thrown, at some microseconds
                            ///< for each throw. `TROUPE_TRACEBACKS=0` or `1` has the last word.
};

}  // namespace troupe
