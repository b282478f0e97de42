// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where exceptions were thrown. Every `throw` of the process leaves the return addresses of its
// stack in a small table, under the exception object's address and without looking at names; that
// costs about as much again as the throw. Who reports the error later asks for them; traceback.h
// makes text of them.
//
// It works by standing in for `__cxa_throw` of the C++ runtime, so a program that links libstdc++
// statically has no traces, and nothing else changes for it.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <typeinfo>
#include <vector>

namespace troupe {

/// How many functions a trace has at most, from the one that threw outwards.
inline constexpr std::size_t max_trace_frames = 24;

/// Switches recording on or off, for the whole process; it is on at the start, and off forgets what
/// was recorded. The environment has the last word: `TROUPE_TRACEBACKS=0` or `1`. Never waits.
void enable_throw_traces(bool on) noexcept;

/// Records no exceptions of exactly this type from now on, so that they cost nothing. For a few
/// types that are thrown often and never reported. Never waits.
void skip_throw_traces_of(const std::type_info& type) noexcept;

/// The return addresses of the functions through which `error` was thrown, innermost first. Empty
/// when it was not recorded: it was never thrown (`std::make_exception_ptr`), or a few hundred
/// others were thrown since. Any thread may ask. Never waits.
std::vector<std::uintptr_t> throw_trace(const std::exception_ptr& error);

}  // namespace troupe
