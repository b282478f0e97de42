// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/context.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/loop_core.h"
#include "troupe/runtime/fiber/task_local.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {
namespace {

// Tasks that are started in a context may outlive it, and know its cell still.
TaskLocal<std::shared_ptr<IpcContext*>>& current() {
  static TaskLocal<std::shared_ptr<IpcContext*>> context;
  return context;
}

// Alone, or from several tasks of the stream's body.
bool is_end_of_channel(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const EndOfChannel&) {
    return true;
  } catch (const ExceptionGroup& group) {
    return std::ranges::all_of(group.exceptions(), is_end_of_channel);
  } catch (...) {
    return false;
  }
}

}  // namespace

IpcContext& current_ipc_ctx() {
  const auto& cell = current().get();
  if (cell && *cell != nullptr) return **cell;
  throw UsageError(
      "there is no context here: call this inside of a context function, or of the body of "
      "open_context");
}

void IpcContext::begin_stream() {
  checkpoint_if_cancelled();
  if (cancel_called() && end_.open()) std::rethrow_exception(end_.own_cancellation());
  check_may_stream();
  if (stream_opened_) {
    throw UsageError("the stream of " + end_.what() +
                     " was opened before; a context has one stream: open another context for more");
  }
  stream_opened_ = true;
}

// Who leaves by an error says nothing: the error itself ends the context. When it does not, because
// a scope within the context absorbs the cancellation, the other side is to know that nobody is
// there.
void IpcContext::run_stream(UniqueFunction<void()> body, bool absorbs_end) {
  try {
    body();
  } catch (const Cancelled&) {
    if (!cancel_scope().effectively_cancelled()) end_.leave_stream();
    throw;
  } catch (...) {
    if (!absorbs_end || !is_end_of_channel(std::current_exception())) {
      stream_broken_off_ = true;
      throw;
    }
  }
  end_.leave_stream();
}

void IpcContext::leave_broken_stream() {
  if (stream_broken_off_) end_.leave_stream();
}

namespace detail {

CurrentContext::CurrentContext(IpcContext& context)
    : cell_(std::make_shared<IpcContext*>(&context)), before_(current().get()) {
  current().set(cell_);
}

CurrentContext::~CurrentContext() {
  *cell_ = nullptr;
  current().set(before_);
}

void cancel_opener(CalleeEnd& end) {
  end.request_cancel();
  CancelScope shield({.shield = true});
  shield.run([&] { move_on_after(end.cancel_grace(), [&] { end.cancel_settled().wait(); }); });
}

std::optional<Uid> canceller_of(const OpenerEnd& end) {
  if (end.cancelled_from() == CancelledFrom::here) return end.self();
  if (end.cancelled_from() == CancelledFrom::there || end.was_cancelled()) return end.peer();
  return std::nullopt;
}

void say_started(CalleeEnd& end, BytesView octets) {
  checkpoint_if_cancelled();
  if (end.started()) {
    throw UsageError(end.what() + " called `started` a second time; send more by the stream");
  }
  end.send_started(octets);
  LoopCore::current().spend();
}

void check_started_before_stream(const CalleeEnd& end) {
  if (end.started()) return;
  throw UsageError(end.what() + " opened its stream before `started`; call ctx.started(...) first");
}

void check_started_before_return(const CalleeEnd& end) {
  if (end.started() || end.cancelled_from() != CancelledFrom::nowhere) return;
  throw UsageError(end.what() +
                   " returned without a call of `started`; every context calls it once");
}

// A context that has ended with a result may still have values to receive.
void check_not_failed(OpenerEnd& end) {
  if (end.ended()) static_cast<void>(end.result());
}

}  // namespace detail
}  // namespace troupe
