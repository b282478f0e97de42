// SPDX-License-Identifier: Apache-2.0
#pragma once

// The program around the actors: `run` makes this process the root actor, or the child actor that
// it was spawned as.

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/base/unique_function.h"

namespace troupe {

/// Given to `run`: takes nothing, returns nothing or an exit code.
template <class Main>
concept MainFunction = std::invocable<Main&> &&
    (std::is_void_v<std::invoke_result_t<Main&>> ||
     std::convertible_to<std::invoke_result_t<Main&>, int>);

namespace detail {

/// Becomes the child actor that this process was spawned as, and does not return; or returns.
void become_child_if_spawned(RunOptions& options);
/// Runs `main` as the root's main task; its error comes out.
void run_root(RunOptions options, UniqueFunction<void()> main);
/// The program around `run_root`: signals, the report of an uncaught error, the exit code.
int run_program(RunOptions options, UniqueFunction<int()> main);

template <MainFunction Main>
UniqueFunction<int()> with_exit_code(Main&& main) {
  return [main = std::decay_t<Main>(std::forward<Main>(main))]() mutable -> int {
    if constexpr (std::is_void_v<std::invoke_result_t<Main&>>) {
      main();
      return 0;
    } else {
      return main();
    }
  };
}

}  // namespace detail

/// The first of two steps, at the top of `main()`: in a process that was spawned as a child this
/// becomes the actor and does not return. Afterwards `run(main)` and `open_root_actor` may be
/// called, any number of times one after the other. Of `options` a child needs `on_actor_start`
/// alone: what is given to `run` later never comes to it. Throws `UsageError` when two functions
/// that the program names cannot be told apart.
void init(int argc, char** argv, RunOptions options = {});

/// Runs `main` as the root actor's main task, and returns the exit code: 0 or main's own, 1 after
/// an error that nobody caught, 130 after SIGINT and 143 after SIGTERM, both of which first cancel
/// the whole tree. The error is printed to stderr, with its actor, relay path and trace; with
/// `TROUPE_ERROR_FORMAT=json` as one line of JSON. After `init`.
template <MainFunction Main>
int run(RunOptions options, Main&& main) {
  return detail::run_program(std::move(options), detail::with_exit_code(std::forward<Main>(main)));
}

/// The same, with default options.
template <MainFunction Main>
int run(Main&& main) {
  return run(RunOptions{}, std::forward<Main>(main));
}

/// `init` and `run` in one step: in a child process this becomes the actor and does not return.
template <MainFunction Main>
int run(int argc, char** argv, RunOptions options, Main&& main) {
  static_cast<void>(argc);
  static_cast<void>(argv);
  detail::become_child_if_spawned(options);
  return run(std::move(options), std::forward<Main>(main));
}

/// The same, with default options.
template <MainFunction Main>
int run(int argc, char** argv, Main&& main) {
  return run(argc, argv, RunOptions{}, std::forward<Main>(main));
}

/// Runs `body` as the root's main task, returns what it returns and lets its error out with its own
/// type. After `init`.
template <std::invocable Body>
std::decay_t<std::invoke_result_t<Body&>> open_root_actor(RunOptions options, Body&& body) {
  using R = std::decay_t<std::invoke_result_t<Body&>>;
  if constexpr (std::is_void_v<R>) {
    detail::run_root(std::move(options), [&] { body(); });
  } else {
    std::optional<R> value;
    detail::run_root(std::move(options), [&] { value.emplace(body()); });
    return std::move(*value);
  }
}

/// Runs one stand-alone actor, which joins the cluster at `options.arbiter_addr` (or becomes its
/// arbiter), exposes `modules`, and serves until it is cancelled: by `Portal::cancel_actor`, SIGINT
/// or SIGTERM. Returns the exit code, as `run` does. In a child process this becomes the actor and
/// does not return.
int run_daemon(int argc, char** argv, std::vector<Module> modules, RunOptions options = {});
/// The same, after `init`.
int run_daemon(std::vector<Module> modules, RunOptions options = {});

}  // namespace troupe
