// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/dialog_block.h"

#include <vector>

#include "troupe/ipc/dialog_port.h"
#include "troupe/ipc/errors.h"
#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/errors.h"
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
      task_(&LoopCore::current().current_task()) {
  checkpoint_if_cancelled();
  end_.emplace(*port_, name, peer_.get());
  end_->attach(input);
  if (leaving == Leaving::by_waiting) end_->expect_started();
}

DialogBlock::~DialogBlock() { end_->set_body(nullptr); }

void DialogBlock::run_body(Bytes request, UniqueFunction<void()> body) {
  end_->start(request);
  std::exception_ptr error;
  try {
    error = call_body(body);
    if (error == nullptr && !scope_.cancelled_caught()) leave_in_order();
  } catch (const Cancelled&) {
    settle();
    // The death of a child cancels the nursery, too: which of both the body is told by is chance.
    if (end_->failed() || end_->loss_ends_body()) std::rethrow_exception(end_->failure());
    throw;
  }
  settle();
  rethrow_outcome(error);
}

// Returns the body's error. The receiver of a one-way stream gets that of the other side in its
// loop; the body of a context is interrupted.
std::exception_ptr DialogBlock::call_body(UniqueFunction<void()>& body) {
  if (leaving_ == Leaving::by_waiting) end_->set_body(&scope_);
  try {
    scope_.run([&] { body(); });
    return nullptr;
  } catch (const Cancelled&) {
    throw;
  } catch (...) {
    return std::current_exception();
  }
}

// Waits for the other side's end, unless somebody cancels the context: then it is cancelled, too.
void DialogBlock::leave_in_order() {
  if (leaving_ == Leaving::by_cancelling) return;
  if (end_->cancelled_from() != CancelledFrom::nowhere) return;
  input_.abandon();
  CancelScope waiting;
  struct Body {
    OpenerEnd& end;
    Body(OpenerEnd& e, CancelScope& scope) : end(e) { end.set_body(&scope); }
    ~Body() { end.set_body(nullptr); }
  } const body(*end_, waiting);
  end_->leave_stream();
  waiting.run([&] { end_->wait_ended(); });
}

// Nothing more is received here, and the other side is to end if it has not. Nobody tells it by a
// `stop` first: the cancel says it all.
void DialogBlock::settle() {
  end_->set_body(nullptr);
  input_.abandon();
  if (!end_->ended() && !end_->settle_cancelled(peer_->cancel_grace())) end_->abandon();
  CancelScope shield({.shield = true});
  shield.run([&] {
    while (users_ > 0) unused_.park("the end of a dialog");
  });
}

// A context that its own opener has cancelled ends quietly, and so does a stream, which every
// opener cancels by leaving.
bool DialogBlock::quietly_cancelled() {
  if (end_->cancelled_from() == CancelledFrom::here && end_->lost()) return true;
  if (!end_->was_cancelled()) return false;
  if (leaving_ == Leaving::by_waiting && end_->cancelled_from() != CancelledFrom::here)
    return false;
  try {
    std::rethrow_exception(end_->failure());
  } catch (const ContextCancelled& cancelled) {
    return cancelled.canceller() == end_->self();
  } catch (...) {
    return false;
  }
}

// What the end of the dialog tells to whoever leaves the block; null if nothing.
std::exception_ptr DialogBlock::news() {
  if (end_->failed()) return end_->failure();
  if (end_->cancelled_from() == CancelledFrom::there) {
    return std::make_exception_ptr(
        ContextCancelled(end_->what() + " was cancelled by its own task there", end_->peer()));
  }
  return quietly_cancelled() ? nullptr : end_->failure();
}

void DialogBlock::rethrow_outcome(const std::exception_ptr& error) {
  const std::exception_ptr told = news();
  if (error == nullptr || end_->tells_of_cancel(error)) {
    // Who has caught the error of a one-way stream in the loop has dealt with it.
    const bool dealt_with = error == nullptr && end_->told() && leaving_ == Leaving::by_cancelling;
    if (told != nullptr && !dealt_with) std::rethrow_exception(told);
    return;
  }
  if (told == nullptr) std::rethrow_exception(error);
  if (tells_of_the_end(error)) std::rethrow_exception(told);
  const bool both_failed = (end_->failed() || end_->lost()) && !end_->told() && error != told;
  if (!both_failed) std::rethrow_exception(error);
  throw ExceptionGroup("the body of " + end_->what() + " and the other side both failed",
                       {error, told});
}

// When no answer comes in time, the body is not kept waiting for it either.
void DialogBlock::cancel() {
  const Use use(*this);
  if (&LoopCore::current().current_task() == task_) end_->set_body(nullptr);
  if (!end_->cancel(peer_->cancel_grace())) end_->cancel_body("the context was cancelled");
}

const Bytes& DialogBlock::wait_for_result() {
  if (end_->cancelled_from() == CancelledFrom::here && !end_->ended()) {
    end_->settle_cancelled(peer_->cancel_grace());
    if (!end_->ended()) std::rethrow_exception(end_->own_cancellation());
  } else {
    end_->wait_ended();
  }
  return end_->result();
}

}  // namespace troupe::detail
