// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/actor_nursery.h"

#include <exception>

#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/child_slot.h"
#include "troupe/runtime/actor/supervision.h"

namespace troupe {

ActorNursery::ActorNursery(detail::NurseryKey key, NurseryOptions options)
    : TaskNursery(key),
      supervision_(std::make_unique<Supervision>(*this, std::move(options.supervise))) {
  Actor::booted();
}

ActorNursery::~ActorNursery() = default;

ActorOptions ActorNursery::named(std::string_view name) {
  ActorOptions options;
  options.name = name;
  return options;
}

std::vector<Uid> ActorNursery::actors() const { return supervision_->uids(); }

void ActorNursery::on_body_end() { supervision_->on_body_end(); }

void ActorNursery::on_child_end() noexcept { supervision_->dismiss_helpers(); }

Portal ActorNursery::start_daemon(std::string_view name, ActorOptions options) {
  if (!options.name.empty() && options.name != name) {
    throw UsageError("start_actor was given two names, '" + std::string(name) + "' and '" +
                     options.name + "'; give one");
  }
  options.name = name;
  return start_actor(std::move(options));
}

Portal ActorNursery::start_actor(ActorOptions options) {
  ChildPlan plan;
  plan.restart = supervision_->restart_of(options, false);
  plan.options = std::move(options);
  return start_child(std::move(plan));
}

Portal ActorNursery::start_one_shot(ActorOptions options, FunctionName function, Bytes call,
                                    std::shared_ptr<MainOutcome> outcome) {
  ChildPlan plan;
  plan.restart = supervision_->restart_of(options, true);
  for (const Module& module : Module::naming(function.key))
    options.enable_modules.push_back(module);
  plan.options = std::move(options);
  plan.functions = {std::move(function)};
  plan.outcome = std::move(outcome);
  plan.call = std::move(call);
  return start_child(std::move(plan));
}

// The task that looks after the child lives until the child is gone for good. Until the child
// serves, it is the caller's, and ends with the caller.
Portal ActorNursery::start_child(ChildPlan plan) {
  const std::string name = "actor " + plan.options.name;
  const auto slot = std::make_shared<ChildSlot>(Actor::booted(), *supervision_, std::move(plan),
                                                supervision_->next_order());
  TaskNursery::start(
      name, [slot](TaskStatus<void>& status) { slot->run([&status] { status.started(); }); });
  return Portal(slot->peer());
}

}  // namespace troupe
