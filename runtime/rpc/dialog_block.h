// SPDX-License-Identifier: Apache-2.0
#pragma once

// The block of a dialog at its opener: opens the dialog, runs the body, and is left only when the
// remote task has ended (or was given up after a cancellation that it did not answer). What
// `open_stream` and `open_context` have in common.

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/parking_lot.h"
#include "troupe/runtime/rpc/opener_end.h"

namespace troupe {

class DialogPort;
class Peer;

namespace detail {

/// How a block is left when its body has ended well.
enum class Leaving : std::uint8_t {
  by_cancelling,  ///< A stream: the remote function is cancelled.
  by_waiting,     ///< A context: the remote function is waited for.
};

/// One dialog, from its start to its end. Resource; lives on the opener's stack.
class DialogBlock {
 public:
  /// Connects and opens the dialog; `input` gets its stream. Checkpoint. Throws as `call` does.
  DialogBlock(std::shared_ptr<Peer> peer, std::string_view name, StreamInput& input,
              Leaving leaving);
  DialogBlock(const DialogBlock&) = delete;
  DialogBlock& operator=(const DialogBlock&) = delete;
  ~DialogBlock();

  /// The dialog's end here.
  OpenerEnd& end() noexcept { return *end_; }
  /// The scope of the body.
  CancelScope& scope() noexcept { return scope_; }

  /// Sends the request and runs `body`; see `open_stream` and `open_context`.
  template <class Body>
  std::decay_t<std::invoke_result_t<Body&>> run(Bytes request, Body&& body) {
    using R = std::decay_t<std::invoke_result_t<Body&>>;
    if constexpr (std::is_void_v<R>) {
      run_body(std::move(request), [&] { body(); });
    } else {
      std::optional<R> value;
      run_body(std::move(request), [&] { value.emplace(body()); });
      // What ended the body was absorbed.
      if (!value) std::rethrow_exception(end_->own_cancellation());
      return *std::move(value);
    }
  }

  /// Asks the other side to end, and waits until it has heard that, for a bounded time. The task
  /// of the body goes on; if another task calls this, the body is cancelled. Checkpoint, shielded.
  void cancel();
  /// Waits for the result. Checkpoint.
  const Bytes& wait_for_result();

  /// While it lives, the block is not left: a task elsewhere that cancels it, or waits for its
  /// result, may be what ends it, and still be at it.
  class Use {
   public:
    explicit Use(DialogBlock& block) noexcept : block_(block) { ++block_.users_; }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() {
      if (--block_.users_ == 0) block_.unused_.unpark_all();
    }

   private:
    DialogBlock& block_;
  };

 private:
  void run_body(Bytes request, UniqueFunction<void()> body);
  std::exception_ptr call_body(UniqueFunction<void()>& body);
  void leave_in_order();
  void settle();
  void rethrow_outcome(const std::exception_ptr& error);
  std::exception_ptr news();
  bool quietly_cancelled();

  std::shared_ptr<Peer> peer_;
  std::shared_ptr<DialogPort> port_;
  std::optional<OpenerEnd> end_;
  StreamInput& input_;
  Leaving leaving_;
  CancelScope scope_;
  const Task* task_;
  std::size_t users_ = 0;
  ParkingLot unused_;
};

}  // namespace detail
}  // namespace troupe
