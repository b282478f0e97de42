// SPDX-License-Identifier: Apache-2.0
#pragma once

// Being told of who joins and who leaves, as OTP's `pg:monitor` does.

#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "troupe/runtime/actor/directory.h"
#include "troupe/runtime/fiber/receive_iterator.h"

namespace troupe {

/// Who joins and leaves; an input range of `ActorEvent` without an end. Resource, made by
/// `watch_actors`.
class ActorEvents {
 public:
  using value_type = ActorEvent;
  using Iterator = ReceiveIterator<ActorEvents>;

  /// For the runtime.
  explicit ActorEvents(ActorEventSource& source) noexcept : source_(source) {}
  ActorEvents(const ActorEvents&) = delete;
  ActorEvents& operator=(const ActorEvents&) = delete;

  /// Receives the next event. Checkpoint. Throws `TransportClosed` when the arbiter is gone: watch
  /// anew, and it is told again who is in; `StreamOverrun` when thousands of events were not taken.
  ActorEvent receive() { return source_.next(); }
  /// The same, never empty.
  std::optional<ActorEvent> next() { return source_.next(); }
  /// Iterates over the events.
  Iterator begin() noexcept { return Iterator(*this); }
  /// Never reached.
  std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

 private:
  ActorEventSource& source_;
};

namespace detail {
void watch_actors(const std::string& prefix, const std::function<void(ActorEvents&)>& body);
}  // namespace detail

/// Calls `body(events)` with an `ActorEvents&` that tells of the actors whose names begin with
/// `prefix` (all, if it is empty): first those that are in, as joined, and from then on who joins
/// and leaves, in the order in which the arbiter hears of it. Where there are several arbiters, the
/// first that answers is asked. The watch ends when `body` does, whose result is returned.
/// Checkpoint. Throws `TransportClosed` when no arbiter can be reached.
template <class Body>
auto watch_actors(const std::string& prefix, Body&& body) {
  using Result = std::invoke_result_t<Body, ActorEvents&>;
  if constexpr (std::is_void_v<Result>) {
    detail::watch_actors(prefix, [&](ActorEvents& events) { body(events); });
  } else {
    std::optional<Result> result;
    detail::watch_actors(prefix, [&](ActorEvents& events) { result.emplace(body(events)); });
    return *std::move(result);
  }
}

}  // namespace troupe
