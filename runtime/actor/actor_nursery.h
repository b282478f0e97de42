// SPDX-License-Identifier: Apache-2.0
#pragma once

// Nurseries of actors. An `ActorNursery` is a `TaskNursery` that can also start actors; leaving its
// block waits for them and reaps every process.

#include <concepts>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/actor/result_portal.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/rpc/function.h"
#include "troupe/runtime/rpc/portal.h"

namespace troupe {

class ChildActor;
struct ChildLink;

/// Starts actors and tasks and waits for them. Resource; made by `open_nursery` only.
class ActorNursery : public TaskNursery {
 public:
  /// Only `open_nursery` has the key.
  explicit ActorNursery(detail::NurseryKey key);
  ~ActorNursery() override;

  /// Starts an actor that lives until it is cancelled, and waits until it serves. Checkpoint.
  /// Throws `SpawnFailed` when it cannot be started.
  Portal start_actor(std::string name, ActorOptions options = {});
  /// The same; the name stands in the options.
  Portal start_actor(ActorOptions options);

  /// Starts an actor that runs `F(args...)`, and waits until it serves; the function's result is
  /// the portal's `result()`. The actor keeps serving until the nursery's body has ended, then it
  /// leaves. What is callable in it: `F`, every function of each module that names `F`, and what
  /// the options enable. An error of `F` belongs to the nursery, even when the body catches it from
  /// `result()`. Checkpoint. Throws `SpawnFailed` when the actor cannot be started.
  template <auto F, class... Args>
  ResultPortal<ResultOf<F>> run_in_actor(ActorOptions options, Args&&... args) {
    detail::check_plain<F>();
    static_cast<void>(typename Fn<F>::Registered{});
    auto outcome = std::make_shared<MainOutcome>();
    Portal portal =
        start_one_shot(std::move(options), function_key<F>(),
                       detail::encode_start<F>(std::nullopt, std::forward<Args>(args)...), outcome);
    return {std::move(portal), std::move(outcome)};
  }
  /// The same, with the name alone.
  template <auto F, class... Args>
  ResultPortal<ResultOf<F>> run_in_actor(const char* name, Args&&... args) {
    return run_in_actor<F>(named(name), std::forward<Args>(args)...);
  }
  /// The same, with the name alone.
  template <auto F, class... Args>
  ResultPortal<ResultOf<F>> run_in_actor(const std::string& name, Args&&... args) {
    return run_in_actor<F>(named(name), std::forward<Args>(args)...);
  }
  /// The same for generic code: `n.run_in_actor(troupe::fn<&f>, name, args...)`.
  template <auto F, class Name, class... Args>
  ResultPortal<ResultOf<F>> run_in_actor(Fn<F>, Name&& name, Args&&... args) {
    return run_in_actor<F>(std::forward<Name>(name), std::forward<Args>(args)...);
  }

 private:
  static ActorOptions named(std::string name);
  std::shared_ptr<ChildLink> start(ActorOptions options, std::vector<std::string> functions);
  Portal start_one_shot(ActorOptions options, const std::string& key, Bytes call,
                        std::shared_ptr<MainOutcome> outcome);
  static void supervise(ChildActor& child);
  static void run_main(Peer& peer, const std::string& key, Bytes call, MainOutcome& outcome);
  void on_body_end() override { body_ended_.set(); }
  // Whatever ends its actors early counts as a call: `cancel_called()` tells how they ended.
  void on_cancelled() override { cancel("the nursery was cancelled from outside"); }
  std::vector<std::exception_ptr> settle(std::vector<std::exception_ptr> errors) override;

  Event body_ended_;
};

/// What the body of `open_nursery` may be: a callable that takes the nursery, or nothing.
template <class Body>
concept ActorNurseryBody = std::invocable<Body&, ActorNursery&> || std::invocable<Body&>;

/// Opens a nursery of actors, runs `body` with it, waits for all its children and reaps them, and
/// returns what the body returned. Boots the actor runtime when this is the first use of it.
/// Checkpoint. Throws as `open_task_nursery` does.
template <ActorNurseryBody Body>
auto open_nursery(Body&& body) -> detail::NurseryResult<Body, ActorNursery> {
  ActorNursery nursery(detail::NurseryFactory::key());
  return detail::run_nursery(nursery, body);
}

}  // namespace troupe
