// SPDX-License-Identifier: Apache-2.0
#pragma once

// Nurseries of actors. An `ActorNursery` is a `TaskNursery` that can also start actors; leaving its
// block waits for them and reaps every process. What it does when one fails is its supervisor's to
// say: by default the first failure cancels everything in it.

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/actor/result_portal.h"
#include "troupe/runtime/actor/supervisor.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/rpc/function.h"
#include "troupe/runtime/rpc/portal.h"

namespace troupe {

class ActorNursery;
class Supervision;
struct ChildPlan;
struct ClusterOptions;

namespace detail {
std::vector<Portal> start_cluster(ActorNursery& nursery, const ClusterOptions& options);
}

/// How a nursery of actors goes about its work.
struct NurseryOptions {
  Supervisor supervise = one_cancels_all();  ///< What it does when an actor ends.
};

namespace detail {

/// Lambdas, function objects and plain pointers to functions, but not `fn<&f>`.
template <class T>
concept NamelessCallable = (std::is_class_v<T> && !requires { T::pointer; }) ||
                           std::is_function_v<std::remove_pointer_t<T>>;

/// Text. Names are taken by templates, as `{.name = "x"}` could be a std::string to g++.
template <class T>
concept ActorName = std::convertible_to<T, std::string_view>;

}  // namespace detail

/// Starts actors and tasks and waits for them. Resource; made by `open_nursery` only.
class ActorNursery : public TaskNursery {
 public:
  // The compiler shows these lines, with what to do instead, to who tries.
  ActorNursery() = delete;                     // open_nursery makes it, for its body
  ActorNursery(const ActorNursery&) = delete;  // it stays in its block: pass an ActorNursery& on
  ActorNursery& operator=(const ActorNursery&) = delete;
  /// Only `open_nursery` has the key.
  explicit ActorNursery(detail::NurseryKey key, NurseryOptions options = {});
  ~ActorNursery() override;

  /// Starts an actor that lives until it is cancelled, and waits until it serves. Checkpoint.
  /// Throws `SpawnFailed` when it cannot be started. Where actors are started again, the portal
  /// leads to the new incarnation: calls that are under way when one dies end with `ActorDied`,
  /// calls that are made meanwhile wait for the next.
  template <detail::ActorName Name>
  Portal start_actor(Name&& name, ActorOptions options = {}) {
    return start_daemon(std::forward<Name>(name), std::move(options));
  }
  /// The same; the name stands in the options.
  Portal start_actor(ActorOptions options);

  /// Starts an actor that runs `F(args...)`, and waits until it serves; the function's result is
  /// the portal's `result()`, and the values of a stream function its `result(body)`. The actor
  /// keeps serving until the nursery's body has ended, then it leaves. What is callable in it: `F`,
  /// every function of each module that names `F`, and what the options enable. An error of `F`
  /// belongs to the nursery, even when the body catches it from `result()`; where actors are
  /// started again, `F` is then called once more, and `result()` waits for the incarnation that
  /// completes. Checkpoint. Throws `SpawnFailed` when the actor cannot be started.
  template <auto F, class... Args>
  OneShot<F> run_in_actor(ActorOptions options, Args&&... args) {
    static_cast<void>(typename Fn<F>::Registered{});
    auto outcome = detail::make_outcome<F>();
    Bytes request;
    detail::encode_start<F>(request, outcome->window(), std::forward<Args>(args)...);
    Portal portal =
        start_one_shot(std::move(options), function_name<F>(), std::move(request), outcome);
    return {std::move(portal), std::move(outcome)};
  }
  /// The same, with the name alone.
  template <auto F, detail::ActorName Name, class... Args>
  OneShot<F> run_in_actor(Name&& name, Args&&... args) {
    return run_in_actor<F>(named(std::forward<Name>(name)), std::forward<Args>(args)...);
  }
  /// The same for generic code: `n.run_in_actor(troupe::fn<&f>, name, args...)`.
  template <auto F, detail::ActorName Name, class... Args>
  OneShot<F> run_in_actor(Fn<F>, Name&& name, Args&&... args) {
    return run_in_actor<F>(named(std::forward<Name>(name)), std::forward<Args>(args)...);
  }
  /// The same, with options.
  template <auto F, class... Args>
  OneShot<F> run_in_actor(Fn<F>, ActorOptions options, Args&&... args) {
    return run_in_actor<F>(std::move(options), std::forward<Args>(args)...);
  }
  /// Refuses what is no name of a function, with a sentence that says what to do.
  template <detail::NamelessCallable Callable, class... Args>
  void run_in_actor(const Callable&, Args&&...) {
    refuse_callable<Callable>();
  }

  /// Who is in it: the present incarnations of its actors, in the order in which they were started,
  /// without those that are gone for good. Never waits.
  std::vector<Uid> actors() const;

 private:
  friend std::vector<Portal> detail::start_cluster(ActorNursery&, const ClusterOptions&);

  static ActorOptions named(std::string_view name);
  Portal start_daemon(std::string_view name, ActorOptions options);
  Portal start_one_shot(ActorOptions options, FunctionName function, Bytes call,
                        std::shared_ptr<MainOutcome> outcome);
  Portal start_child(ChildPlan plan);
  void on_body_end() override;
  void on_child_end() noexcept override;
  // Whatever ends its actors early counts as a call: `cancel_called()` tells how they ended.
  void on_cancelled() override { cancel("the nursery was cancelled from outside"); }

  std::unique_ptr<Supervision> supervision_;
};

/// What the body of `open_nursery` may be: a callable that takes the nursery, or nothing.
template <class Body>
concept ActorNurseryBody = std::invocable<Body&, ActorNursery&> || std::invocable<Body&>;

/// Opens a nursery of actors, runs `body` with it, waits for all its children and reaps them, and
/// returns what the body returned. Boots the actor runtime when this is the first use of it.
/// Checkpoint. Throws as `open_task_nursery` does.
///
///     open_nursery({.supervise = one_for_one({.intensity = 3, .period = 5s})}, body);
template <ActorNurseryBody Body>
auto open_nursery(NurseryOptions options, Body&& body)
    -> detail::NurseryResult<Body, ActorNursery> {
  static_assert(!std::derived_from<detail::NurseryResult<Body, ActorNursery>, TaskNursery>,
                "a nursery ends with its block: let the body return what its actors computed, or "
                "n.status()");
  const detail::NurseryHolder holder(
      std::make_unique<ActorNursery>(detail::NurseryFactory::key(), std::move(options)));
  return detail::run_nursery(static_cast<ActorNursery&>(*holder), body);
}

/// The same; the first failure cancels everything in it.
template <ActorNurseryBody Body>
auto open_nursery(Body&& body) -> detail::NurseryResult<Body, ActorNursery> {
  return open_nursery(NurseryOptions{}, std::forward<Body>(body));
}

/// Refuses a body that takes something else.
template <class Body>
requires(!ActorNurseryBody<Body>) void open_nursery(Body&&) {
  static_assert(ActorNurseryBody<Body>,
                "the body of open_nursery takes an ActorNursery&, or nothing");
}

}  // namespace troupe
