// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who has called. For functions of the runtime that not everybody may call for everybody, such as
// those of the registry; a program's functions are called by whoever holds the key.

#include "troupe/ipc/uid.h"

namespace troupe::detail {

/// The actor that called the function that runs in this task, or in the one that started it: as it
/// proved in the handshake. Null where no call is served, and in functions that are not exposed
/// with `Dispatcher::expose_with_caller`. Lifetime: the task's.
const Uid* current_caller();

/// Says who has called the function that runs in this task.
void set_current_caller(const Uid& caller);

}  // namespace troupe::detail
