// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every actor lets its peers call, besides what the program exposes: the runtime's own module.

#include <chrono>
#include <string>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/boot_spec.h"
#include "troupe/runtime/rpc/module.h"

namespace troupe::detail {

/// A child says to its parent: I am `self`, and serve. `why_not` is empty, or why it cannot.
void child_is_ready(const ActorSpec& self, const std::string& why_not);

/// Asks this actor to end in order, within `grace`; `canceller` is who asks.
void cancel_actor(std::chrono::nanoseconds grace, const Uid& canceller);

/// Whether that is a child of this actor, and has not ended.
bool has_child(const std::string& uuid);

/// The module "troupe.runtime".
const Module& runtime_module();

}  // namespace troupe::detail
