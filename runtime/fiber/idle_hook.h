// SPDX-License-Identifier: Apache-2.0
#pragma once

// Called when a loop has nothing to do: the moment to send what has been collected during its turn.

#include "troupe/runtime/base/intrusive_list.h"

namespace troupe {

namespace detail {
struct InIdleHooks;
}

/// Something the loop calls whenever no task is ready, right before it would sleep, and at a
/// bounded interval under load. Registers with the current loop as long as it lives.
class IdleHook : public ListHook<detail::InIdleHooks> {
 public:
  /// Runs on the loop, outside of any task: it must not wait; it may wake tasks and flush buffers.
  virtual void before_idle() noexcept = 0;

 protected:
  IdleHook();
  virtual ~IdleHook() = default;
};

}  // namespace troupe
