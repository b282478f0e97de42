// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/cluster.h"

#include <sched.h>

#include <algorithm>
#include <memory>

#include "troupe/runtime/actor/child_slot.h"
#include "troupe/runtime/actor/current_actor.h"
#include "troupe/runtime/actor/supervision.h"

namespace troupe {
namespace {

std::size_t processors() {
  cpu_set_t usable;
  if (::sched_getaffinity(0, sizeof usable, &usable) != 0) return 1;
  return std::max<std::size_t>(1, static_cast<std::size_t>(CPU_COUNT(&usable)));
}

std::vector<std::string> names_of(const ClusterOptions& options) {
  const std::size_t count = options.count
                                ? options.count->value()
                                : (options.names.empty() ? processors() : options.names.size());
  if (count == unbounded) throw UsageError("a cluster has a number of actors: give a count");
  if (!options.names.empty()) {
    if (options.names.size() != count) {
      throw UsageError("a cluster of " + std::to_string(count) + " actors was given " +
                       std::to_string(options.names.size()) + " names; give one of the two");
    }
    return options.names;
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back(current_actor().name() + ".worker_" + std::to_string(i));
  }
  return names;
}

}  // namespace

namespace detail {

std::vector<Portal> start_cluster(ActorNursery& nursery, const ClusterOptions& options) {
  const std::vector<std::string> names = names_of(options);
  std::vector<std::optional<Portal>> started(names.size());
  open_task_nursery([&](TaskNursery& starters) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      auto plan = std::make_unique<ChildPlan>();
      plan->options = options.actor;
      plan->options.name = names[i];
      plan->options.enable_modules = options.enable_modules;
      plan->restart = nursery.supervision_->restart_of(plan->options, false);
      plan->is_helper = true;
      starters.start_soon("start of " + names[i],
                          [&nursery, &portal = started[i], plan = std::move(plan)] {
                            portal.emplace(nursery.start_child(std::move(*plan)));
                          });
    }
  });
  std::vector<Portal> portals;
  for (std::optional<Portal>& portal : started) portals.push_back(*std::move(portal));
  return portals;
}

}  // namespace detail
}  // namespace troupe
