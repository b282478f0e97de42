// SPDX-License-Identifier: Apache-2.0
#pragma once

// The guard against tasks that point into a nursery's dead body. A body's locals die before its
// children are awaited, so a child that captured one by reference reads what is no more. In debug
// builds (those without NDEBUG) every nursery looks, at its body's end, through the closures of its
// live children for addresses in the part of the stack that the body has used; one is enough to
// abort, naming the task. Only closures are looked at, not what they point to. Octets that nobody
// wrote may look like an address (those of an empty std::optional in an optimised build, at worst):
// the runtime clears what it can, and TROUPE_ALLOW_DANGLING=1 in the environment turns the abort
// into a warning.

#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/fiber/task.h"

namespace troupe::detail {

struct InNursery;
class BodyRef;

/// Guards one call of a nursery's body.
class DanglingGuard {
 public:
  /// Calls the body in a frame of its own, below which everything is dead when it has returned or
  /// thrown.
  void call(const BodyRef& body);
  /// Aborts when the closure of a child points below that frame. Does nothing with NDEBUG.
  void check(IntrusiveList<Task, InNursery>& children) const noexcept;
  /// Whether this library was compiled with the guard.
  static bool enabled() noexcept;

 private:
  const void* frame_ = nullptr;
};

}  // namespace troupe::detail
