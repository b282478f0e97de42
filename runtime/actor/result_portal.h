// SPDX-License-Identifier: Apache-2.0
#pragma once

// The portal to a one-shot actor: a portal, and the result of the actor's main function.

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/rpc/call_codec.h"
#include "troupe/runtime/rpc/portal.h"
#include "troupe/runtime/rpc/stream.h"

namespace troupe {

/// How a one-shot's main function came out; shared by its portals and the task that looks after it.
struct MainOutcome {
  Event done;                ///< It has returned or failed.
  Bytes value;               ///< Its encoded result.
  std::exception_ptr error;  ///< What it threw, or what became of its actor.
  /// Where the values of a stream function go; null for others.
  std::unique_ptr<detail::StreamInput> input{};
  bool received = false;  ///< Whether somebody receives them, or has.

  /// What a stream function may send at first.
  std::optional<detail::Window> window() const {
    if (!input) return std::nullopt;
    return input->window();
  }
  /// It has ended, with `failure` or without. The first word counts.
  void settle(std::exception_ptr failure);
  /// Nobody will receive the stream: its function is to end.
  void close_unread();
};

namespace detail {

/// Waits for the outcome and gives the value, or throws the error. Checkpoint.
const Bytes& wait_for_outcome(MainOutcome& outcome);

/// The time in which somebody receives a main stream.
class MainStreamLease {
 public:
  /// Throws `UsageError` when somebody has received it before.
  explicit MainStreamLease(MainOutcome& outcome);
  MainStreamLease(const MainStreamLease&) = delete;
  MainStreamLease& operator=(const MainStreamLease&) = delete;
  /// Asks the function to end.
  ~MainStreamLease();

  /// Asks the function to end, and waits for that. Checkpoint. Throws its error.
  void finish();

 private:
  MainOutcome& outcome_;
};

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

/// A `Portal` to a one-shot actor whose main function is a stream of `T`. A value.
template <class T>
class StreamPortal : public Portal {
 public:
  using value_type = T;

  /// For the runtime.
  StreamPortal(Portal portal, std::shared_ptr<MainOutcome> outcome)
      : Portal(std::move(portal)), outcome_(std::move(outcome)) {}

  /// Receives the stream of the actor's main function: runs `body(ReceiveStream<T>&)` and returns
  /// what `body` returns. Once; leaving the block cancels the function and waits for its end.
  /// Checkpoint. Throws what the function threw, as `RemoteActorError`, in the loop and here;
  /// `ActorDied` or `TransportClosed` when its actor ended before it did; `UsageError` the second
  /// time.
  template <std::invocable<ReceiveStream<T>&> Body>
  auto result(Body&& body) const {
    using R = std::decay_t<std::invoke_result_t<Body&, ReceiveStream<T>&>>;
    detail::MainStreamLease lease(*outcome_);
    ReceiveStream<T> stream(static_cast<detail::TypedInput<T>&>(*outcome_->input));
    if constexpr (std::is_void_v<R>) {
      body(stream);
      lease.finish();
    } else {
      R value = body(stream);
      lease.finish();
      return value;
    }
  }

 private:
  std::shared_ptr<MainOutcome> outcome_;
};

namespace detail {

template <auto F>
struct OneShotPortal {
  static_assert(!FunctionTraits<F>::is_context,
                "a context function needs an opener: start the actor by start_actor, and call it "
                "with portal.open_context<&f>(args..., body)");
  using type = ResultPortal<ResultOf<F>>;
};
template <auto F>
requires(FunctionTraits<F>::is_stream) struct OneShotPortal<F> {
  using type = StreamPortal<typename FunctionTraits<F>::Inner>;
};

/// Where the main function `F` leaves what comes of it.
template <auto F>
std::shared_ptr<MainOutcome> make_outcome() {
  auto outcome = std::make_shared<MainOutcome>();
  if constexpr (FunctionTraits<F>::is_stream) {
    outcome->input = std::make_unique<TypedInput<typename FunctionTraits<F>::Inner>>();
  }
  return outcome;
}

}  // namespace detail

/// What `run_in_actor<F>` returns: a `ResultPortal<R>`, or a `StreamPortal<T>` when `F` is a
/// stream.
template <auto F>
using OneShot = typename detail::OneShotPortal<F>::type;

}  // namespace troupe
