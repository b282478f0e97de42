// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a tracer hears of calls, streams and contexts, at both of their ends.

#include <cstdint>

#include "troupe/ipc/uid.h"

namespace troupe::detail {

/// One dialog, as one of its ends sees it.
struct TracedCall {
  bool is_callee;  ///< Which end this is.
  const Uid& caller;
  const Uid& callee;
  std::uint64_t dialog;  ///< The same at both ends; not used twice on one connection.
};

/// Called in the task that calls, and in the one that serves, as each begins; null: nobody is
/// interested.
inline void (*call_trace_hook)(const TracedCall& call) = nullptr;

/// This actor, `self`, calls another one.
inline void trace_call(const Uid& self, const Uid& callee, std::uint64_t dialog) {
  if (call_trace_hook != nullptr) [[unlikely]]
    call_trace_hook({/*is_callee=*/false, self, callee, dialog});
}

/// This actor, `self`, serves a call.
inline void trace_service(const Uid& caller, const Uid& self, std::uint64_t dialog) {
  if (call_trace_hook != nullptr) [[unlikely]]
    call_trace_hook({/*is_callee=*/true, caller, self, dialog});
}

}  // namespace troupe::detail
