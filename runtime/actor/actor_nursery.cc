// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/actor_nursery.h"

#include <algorithm>

#include "troupe/ipc/errors.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/child_actor.h"
#include "troupe/runtime/actor/errors.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {

ActorNursery::ActorNursery(detail::NurseryKey key) : TaskNursery(key) { Actor::booted(); }

ActorNursery::~ActorNursery() = default;

ActorOptions ActorNursery::named(std::string name) {
  ActorOptions options;
  options.name = std::move(name);
  return options;
}

Portal ActorNursery::start_actor(std::string name, ActorOptions options) {
  if (!options.name.empty() && options.name != name) {
    throw UsageError("start_actor was given two names, '" + name + "' and '" + options.name +
                     "'; give one");
  }
  options.name = std::move(name);
  return start_actor(std::move(options));
}

Portal ActorNursery::start_actor(ActorOptions options) {
  const std::shared_ptr<ChildLink> link = start(std::move(options), {});
  return Actor::booted().portal(link->uid, link->address);
}

// The supervising task lives as long as the child's process.
std::shared_ptr<ChildLink> ActorNursery::start(ActorOptions options,
                                               std::vector<std::string> functions) {
  auto child =
      std::make_unique<ChildActor>(Actor::booted(), std::move(options), std::move(functions));
  return TaskNursery::start<std::shared_ptr<ChildLink>>(
      [child = std::move(child)](TaskStatus<std::shared_ptr<ChildLink>>& status) {
        child->spawn();
        status.started(child->link());
        supervise(*child);
      });
}

void ActorNursery::supervise(ChildActor& child) {
  try {
    if (!child.wait()) child.end();
  } catch (const Cancelled&) {
    child.end();
    throw;
  }
  child.pass_verdict();
}

Portal ActorNursery::start_one_shot(ActorOptions options, const std::string& key, Bytes call,
                                    std::shared_ptr<MainOutcome> outcome) {
  for (const Module& module : Module::naming(key)) options.enable_modules.push_back(module);
  const std::string name = options.name;
  const std::shared_ptr<ChildLink> link = start(std::move(options), {key});
  Portal portal = Actor::booted().portal(link->uid, link->address);
  start_soon("main of " + name, [this, link, peer = portal.peer(), key, call = std::move(call),
                                 outcome]() mutable {
    run_main(*peer, key, std::move(call), *outcome);
    body_ended_.wait();  // siblings may call each other until then, whichever returned first
    link->leave.set();
  });
  return portal;
}

void ActorNursery::run_main(Peer& peer, const std::string& key, Bytes call, MainOutcome& outcome) {
  struct Done {
    MainOutcome& outcome;
    ~Done() { outcome.done.set(); }
  } const done{outcome};
  try {
    detail::PlainCall main(peer, key);
    main.start(call);
    outcome.value = std::move(main.wait());
  } catch (const Cancelled&) {
    outcome.error = std::make_exception_ptr(
        TransportClosed(TransportClosed::Reason::left,
                        "the call of " + key + " was cancelled together with its nursery"));
    throw;
  } catch (const RemoteActorError&) {
    outcome.error = std::current_exception();
    throw;
  } catch (const Error&) {  // the end of the actor: its supervising task tells the nursery
    outcome.error = std::current_exception();
  }
}

// One failure may reach the nursery by several ways (the body that called `result()`, the task that
// supervises the actor), always as the same exception object.
std::vector<std::exception_ptr> ActorNursery::settle(std::vector<std::exception_ptr> errors) {
  std::vector<std::exception_ptr> distinct;
  for (std::exception_ptr& error : errors) {
    if (std::find(distinct.begin(), distinct.end(), error) == distinct.end()) {
      distinct.push_back(std::move(error));
    }
  }
  return distinct;
}

namespace detail {

const Bytes& wait_for_outcome(MainOutcome& outcome) {
  outcome.done.wait();
  if (outcome.error) std::rethrow_exception(outcome.error);
  return outcome.value;
}

}  // namespace detail
}  // namespace troupe
