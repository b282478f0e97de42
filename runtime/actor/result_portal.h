// SPDX-License-Identifier: Apache-2.0
#pragma once

// The portal to a one-shot actor: a portal, and the result of the actor's main function.

#include <exception>
#include <memory>
#include <utility>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/rpc/call_codec.h"
#include "troupe/runtime/rpc/portal.h"

namespace troupe {

/// How a one-shot's main function came out; shared by its portals and the task that calls it.
struct MainOutcome {
  Event done;                ///< It has returned or failed.
  Bytes value;               ///< Its encoded result.
  std::exception_ptr error;  ///< What it threw, or what became of its actor.
};

namespace detail {

/// Waits for the outcome and gives the value, or throws the error. Checkpoint.
const Bytes& wait_for_outcome(MainOutcome& outcome);

}  // namespace detail

/// A `Portal` to a one-shot actor. A value.
template <class R>
class ResultPortal : public Portal {
 public:
  /// For the runtime.
  ResultPortal(Portal portal, std::shared_ptr<MainOutcome> outcome)
      : Portal(std::move(portal)), outcome_(std::move(outcome)) {}

  /// Waits for the actor's main function and returns its result. May be called again, by several
  /// tasks, and after the nursery's block. Checkpoint. Throws what the function threw, as
  /// `RemoteActorError`; `ActorDied` or `TransportClosed` when its actor ended before it did.
  R result() const { return decode_message<R>(detail::wait_for_outcome(*outcome_)); }

 private:
  std::shared_ptr<MainOutcome> outcome_;
};

}  // namespace troupe
