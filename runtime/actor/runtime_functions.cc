// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/runtime_functions.h"

#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/actor_report.h"
#include "troupe/runtime/actor/tree_report.h"

namespace troupe::detail {

void child_is_ready(const ActorSpec& self, const std::string& why_not) {
  Actor::current().on_child_ready(self.entry(), why_not);
}

void cancel_actor(std::chrono::nanoseconds grace, const Uid& canceller) {
  Actor::current().request_cancel(grace, canceller);
}

bool has_child(const std::string& uuid) { return Actor::current().has_child(uuid); }

const Module& runtime_module() {
  return module<"troupe.runtime", &child_is_ready, &cancel_actor, &has_child, &report_actor,
                &report_tree>;
}

}  // namespace troupe::detail
