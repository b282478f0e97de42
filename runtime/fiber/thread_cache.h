// SPDX-License-Identifier: Apache-2.0
#pragma once

// Threads kept for the next piece of blocking work, as starting one costs more than most of it.
// Shared by all loops of the process. They run nothing of the loops themselves.

#include <chrono>
#include <cstddef>

#include "troupe/runtime/base/unique_function.h"

namespace troupe::detail {

/// Runs `work`, which must not throw, on an idle thread or on a new one. Never waits. Thread-safe.
/// Throws `Error` when no thread can be started.
void run_on_cached_thread(UniqueFunction<void()> work);

/// How many threads wait for work. Thread-safe.
std::size_t idle_cached_threads();

/// How many threads there are, those that work included. Thread-safe.
std::size_t cached_threads();

/// How long a thread waits for work before it ends: ten seconds, unless a test is in a hurry.
/// Thread-safe.
void set_cached_thread_expiry(std::chrono::nanoseconds expiry);

}  // namespace troupe::detail
