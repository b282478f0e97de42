// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/dialog_block.h"

#include <vector>

#include "troupe/ipc/dialog_port.h"
#include "troupe/ipc/errors.h"
#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/call.h"
#include "troupe/runtime/rpc/peer.h"
#include "troupe/runtime/rpc/remote_error.h"
#include "troupe/runtime/rpc/stream_input.h"

namespace troupe::detail {
namespace {

// Whether an error of the body says no more than that the dialog has ended.
bool tells_of_the_end(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const BrokenChannel&) {
    return true;
  } catch (const EndOfChannel&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

DialogBlock::DialogBlock(std::shared_ptr<Peer> peer, std::string_view name, StreamInput& input,
                         Leaving leaving)
    : peer_(std::move(peer)),
      port_(connect(*peer_)),
      input_(input),
      leaving_(leaving),
      task_(&Loop::current().current_task()) {
  checkpoint_if_cancelled();
  end_.emplace(*port_, name, peer_.get());
  end_->attach(input);
  if (leaving == Leaving::by_waiting) end_->expect_started();
}

DialogBlock::~DialogBlock() { end_->set_body(nullptr); }

void DialogBlock::run_body(Bytes request, UniqueFunction<void()> body) {
  end_->start(request);
  // The receiver of a one-way stream gets its error in its loop.
  if (leaving_ == Leaving::by_waiting) end_->set_body(&scope_);
  std::exception_ptr error;
  try {
    scope_.run([&] { body(); });
  } catch (const Cancelled&) {
    settle_cancelled();
    if (end_->failed()) std::rethrow_exception(end_->failure());
    throw;
  } catch (...) {
    error = std::current_exception();
  }
  leave(std::move(error));
}

// Nothing more is received here. An error needs no stop before it: it is relayed itself.
void DialogBlock::leave(std::exception_ptr error) {
  end_->set_body(nullptr);
  input_.abandon();
  const bool in_order = error == nullptr && !scope_.cancelled_caught() && !end_->cancel_called();
  if (in_order && leaving_ == Leaving::by_waiting) {
    end_->leave_stream();
    await_end();
  } else {
    settle_cancelled();
  }
  rethrow_outcome(std::move(error));
}

void DialogBlock::await_end() {
  try {
    end_->wait_ended();
  } catch (const Cancelled&) {
    settle_cancelled();
    if (end_->failed()) std::rethrow_exception(end_->failure());
    throw;
  }
}

void DialogBlock::settle_cancelled() {
  if (!end_->ended()) end_->settle_cancelled(peer_->cancel_grace());
}

// A context that its own opener has cancelled ends quietly; so does a stream, which every opener
// cancels by leaving.
bool DialogBlock::quietly_cancelled() {
  if (!end_->was_cancelled() || !end_->cancel_called() || end_->cancelled_by_peer()) return false;
  try {
    std::rethrow_exception(end_->failure());
  } catch (const ContextCancelled& cancelled) {
    return cancelled.canceller() == end_->self();
  } catch (...) {
    return false;
  }
}

void DialogBlock::rethrow_outcome(std::exception_ptr error) {
  std::exception_ptr failure = end_->ended() ? end_->failure() : nullptr;
  if (end_->is_own_cancellation(error)) error = nullptr;
  if (failure != nullptr && quietly_cancelled()) {
    if (error == failure) return;  // thrown by `result()`: no news to who has cancelled
    failure = nullptr;
  }
  if (failure == nullptr && end_->cancelled_by_peer()) {
    failure = std::make_exception_ptr(
        ContextCancelled(end_->what() + " was cancelled by its own task there", end_->peer()));
  }
  if (error == nullptr || error == failure) {
    if (failure != nullptr) std::rethrow_exception(failure);
    return;
  }
  if (failure == nullptr || end_->told() || end_->was_cancelled()) std::rethrow_exception(error);
  if (tells_of_the_end(error)) std::rethrow_exception(failure);
  throw ExceptionGroup("the body of " + end_->what() + " and the other side both failed",
                       {error, failure});
}

void DialogBlock::throw_no_value() {
  throw ContextCancelled(
      end_->what() + " was cancelled from here while its body ran, which so has no value to return",
      end_->self());
}

void DialogBlock::cancel() {
  if (&Loop::current().current_task() == task_) end_->set_body(nullptr);
  end_->request_cancel();
  CancelScope shield({.shield = true});
  shield.run([&] { move_on_after(peer_->cancel_grace(), [&] { end_->cancel_settled().wait(); }); });
}

const Bytes& DialogBlock::wait_for_result() {
  if (end_->cancel_called()) {
    settle_cancelled();
  } else {
    end_->wait_ended();
  }
  if (!end_->ended()) std::rethrow_exception(end_->own_cancellation());
  return end_->result();
}

}  // namespace troupe::detail
