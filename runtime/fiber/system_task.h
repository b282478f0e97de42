// SPDX-License-Identifier: Apache-2.0
#pragma once

// System tasks belong to the run and not to the program's tree of tasks: nothing that `main` does
// cancels them, they end when `main` has ended, and they start without task-local values. For the
// machinery of libraries (signal watchers, pools); programs use nurseries.

#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "troupe/runtime/base/source_location.h"
#include "troupe/runtime/fiber/nursery.h"

namespace troupe {

/// Starts a task that runs `fn` beside the program's own tasks until these have ended; then it is
/// cancelled. An error in it is an `InternalError`, which cancels everything and leaves the run.
/// Never waits. Throws `UsageError` outside of a task, and when the run ends already.
template <detail::TaskBody Fn>
void start_system_task(std::string name, Fn&& fn,
                       SourceLocation where = SourceLocation::current()) {
  using Held = std::decay_t<Fn>;
  detail::spawn_system_task(UniqueFunction<void()>(std::in_place_type<Held>, std::forward<Fn>(fn)),
                            typeid(Held), std::move(name), where);
}

}  // namespace troupe
