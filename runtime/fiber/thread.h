// SPDX-License-Identifier: Apache-2.0
#pragma once

// Blocking work (files, name look-ups, other people's libraries) in worker threads, so that the
// loop goes on meanwhile; and calls back from threads into the loop. Work that only computes is
// better off in an actor.

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "troupe/runtime/base/unique_function.h"

namespace troupe {

class CapacityLimiter;
class LoopToken;

/// How `to_thread_run` runs its function.
struct ThreadOptions {
  std::string name = {};               ///< Of the thread meanwhile; empty: the task's.
  bool abandon_on_cancel = false;      ///< Whether a cancelled caller leaves the thread to itself.
  CapacityLimiter* limiter = nullptr;  ///< Bounds the threads; null: the loop's own, of 40.
};

namespace detail {

template <class Fn>
using ThreadResult = std::decay_t<std::invoke_result_t<std::decay_t<Fn>&>>;

void run_in_thread(UniqueFunction<void()> work, const ThreadOptions& options);
void run_in_host(UniqueFunction<void()> function);
void run_in_loop(const LoopToken& token, UniqueFunction<void()> function);

/// Calls `run` with a function that calls `fn` and keeps its value; returns the value.
template <class Fn, class Run>
ThreadResult<Fn> value_of_remote_call(Fn&& fn, Run run) {
  using R = ThreadResult<Fn>;
  using Held = std::decay_t<Fn>;
  if constexpr (std::is_void_v<R>) {
    // Shared: the thread may be left to itself, and what it works on with it.
    auto call = std::make_shared<Held>(std::forward<Fn>(fn));
    run([call] { (*call)(); });
  } else {
    struct Call {
      Held fn;
      std::optional<R> value;
    };
    auto call = std::make_shared<Call>(Call{Held(std::forward<Fn>(fn)), {}});
    run([call] { call->value.emplace(call->fn()); });
    return std::move(*call->value);
  }
}

}  // namespace detail

/// Runs `fn` in a worker thread and returns its value, or throws its error; the loop goes on
/// meanwhile. Checkpoint before `fn` starts. A thread cannot be stopped: when the caller is
/// cancelled it waits for the end of `fn`, whose value it then still gets, unless
/// `abandon_on_cancel` is set: then it leaves at once, and value and error of `fn` are dropped.
/// `fn` sees the task's `TaskLocal` values. Throws `Error` when no thread can be started. Lifetime:
/// what `fn` refers to, and the limiter, must outlive an abandoned thread.
template <std::invocable Fn>
auto to_thread_run(Fn&& fn, const ThreadOptions& options = {}) -> detail::ThreadResult<Fn> {
  return detail::value_of_remote_call(std::forward<Fn>(fn), [&](UniqueFunction<void()> work) {
    detail::run_in_thread(std::move(work), options);
  });
}

/// From inside of `to_thread_run`: runs `fn` on the loop, in the task that waits for this thread
/// (in one of its own if the thread may be abandoned), and waits for its value or error. `fn` may
/// wait, and is cancelled when that task is: let the `Cancelled` that comes out here pass. Blocks
/// the thread. Throws `UsageError` in other threads, and on the loop itself.
template <std::invocable Fn>
auto from_thread_run(Fn&& fn) -> detail::ThreadResult<Fn> {
  return detail::value_of_remote_call(std::forward<Fn>(fn), [](UniqueFunction<void()> function) {
    detail::run_in_host(std::move(function));
  });
}

/// From any other thread: runs `fn` in a task of the loop that `token` names, and waits for its
/// value or error. Blocks the thread. Throws `UsageError` on a loop's thread or when the loop has
/// ended, `Error` when it ends before `fn` does.
template <std::invocable Fn>
auto from_thread_run(const LoopToken& token, Fn&& fn) -> detail::ThreadResult<Fn> {
  return detail::value_of_remote_call(std::forward<Fn>(fn), [&](UniqueFunction<void()> function) {
    detail::run_in_loop(token, std::move(function));
  });
}

/// From inside of `to_thread_run`: raises `Cancelled` when the task that waits for this thread is
/// cancelled (or was, and has left it). Cheap enough for inner loops. Throws `UsageError` in other
/// threads.
void from_thread_check_cancelled();

/// The limiter of threads that the current loop uses where none is given: 40 at once. Throws
/// `UsageError` outside of a task.
CapacityLimiter& current_default_thread_limiter();

/// How many threads work for the current loop, those that were abandoned included.
std::size_t active_thread_count();

/// Waits until no thread works for the current loop, those that were abandoned included.
/// Checkpoint.
void wait_all_threads_completed();

}  // namespace troupe
