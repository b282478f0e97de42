// SPDX-License-Identifier: Apache-2.0
#pragma once

// Running tasks on a thread, without actors.

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/fiber_options.h"

namespace troupe {

namespace detail {
/// Runs `main` and, beside it, the loop's system tasks; returns when all have ended.
void run_loop(UniqueFunction<void()> main, const FiberOptions& options);
[[noreturn]] void throw_main_cancelled();
/// Makes what the calling thread keeps from its first run on; forked children have it, too.
void prepare_runs();
}  // namespace detail

/// Runs `main` as the root task of a loop on the calling thread; returns its value, or lets its
/// error out, when it and everything that it started have ended. Throws `UsageError` when the
/// thread already runs one.
template <std::invocable Main>
std::decay_t<std::invoke_result_t<Main&>> run_tasks(Main&& main, const FiberOptions& options = {}) {
  using R = std::decay_t<std::invoke_result_t<Main&>>;
  if constexpr (std::is_void_v<R>) {
    detail::run_loop([&] { main(); }, options);
  } else {
    std::optional<R> value;
    detail::run_loop([&] { value.emplace(main()); }, options);
    if (!value) detail::throw_main_cancelled();
    return std::move(*value);
  }
}

}  // namespace troupe
