// SPDX-License-Identifier: Apache-2.0
#pragma once

// A function in a process of its own, as a plain call. For work in bulk, bounded by a
// `CapacityLimiter`; where one actor can do many calls, `start_actor` and `portal.run` spare the
// spawning.

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "troupe/runtime/actor/actor_nursery.h"

namespace troupe {

namespace detail {

template <class... Args>
inline constexpr bool begins_with_options = false;
template <class First, class... Rest>
inline constexpr bool begins_with_options<First, Rest...> =
    std::is_same_v<std::remove_cvref_t<First>, ActorOptions>;

/// What an actor is called that runs the function of this key: its unqualified name.
std::string actor_name_for(std::string_view key);

}  // namespace detail

/// Spawns an actor, runs `F(args...)` in it, reaps it, and returns the result. Checkpoint. Throws
/// what the function threw, as `RemoteActorError`; `ActorDied`, `SpawnFailed`. When the caller is
/// cancelled the actor is, too.
///
///     const double area = to_actor<&integrate>(0.0, 1.0);
template <auto F, class... Args>
ResultOf<F> to_actor(ActorOptions options, Args&&... args) {
  if (options.name.empty()) options.name = detail::actor_name_for(function_key<F>());
  return open_nursery([&](ActorNursery& nursery) {
    return nursery.run_in_actor<F>(std::move(options), std::forward<Args>(args)...).result();
  });
}

/// The same; the actor has the function's name, and default options.
template <auto F, class... Args>
requires(!detail::begins_with_options<Args...>) ResultOf<F> to_actor(Args&&... args) {
  return to_actor<F>(ActorOptions{}, std::forward<Args>(args)...);
}

}  // namespace troupe
