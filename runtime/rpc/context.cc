// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/context.h"

#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/task_local.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {
namespace {

TaskLocal<IpcContext*>& current() {
  static TaskLocal<IpcContext*> context;
  return context;
}

}  // namespace

IpcContext& current_ipc_ctx() {
  if (IpcContext* context = current().get()) return *context;
  throw UsageError(
      "there is no context here: call this inside of a context function, or of the body of "
      "open_context");
}

void IpcContext::begin_stream() {
  checkpoint_if_cancelled();
  check_may_stream();
  if (cancel_called()) std::rethrow_exception(end_.own_cancellation());
  if (stream_opened_) {
    throw UsageError("the stream of " + end_.what() +
                     " was opened before; a context has one stream: open another context for more");
  }
  stream_opened_ = true;
}

void IpcContext::run_stream(UniqueFunction<void()> body, bool absorbs_end) {
  try {
    body();
  } catch (const EndOfChannel&) {
    if (!absorbs_end) throw;
  }
  end_.leave_stream();
}

namespace detail {

CurrentContext::CurrentContext(IpcContext& context) : before_(current().get()) {
  current().set(&context);
}

CurrentContext::~CurrentContext() { current().set(before_); }

void cancel_opener(CalleeEnd& end) {
  end.request_cancel();
  CancelScope shield({.shield = true});
  shield.run([&] { move_on_after(end.cancel_grace(), [&] { end.cancel_settled().wait(); }); });
}

std::optional<Uid> canceller_of(const CalleeEnd& end) {
  if (end.cancel_called()) return end.self();
  return end.canceller();
}

std::optional<Uid> canceller_of(const OpenerEnd& end) {
  if (end.cancel_called()) return end.self();
  if (end.was_cancelled() || end.cancelled_by_peer()) return end.peer();
  return std::nullopt;
}

void say_started(CalleeEnd& end, BytesView octets) {
  checkpoint_if_cancelled();
  if (end.started()) {
    throw UsageError(end.what() + " called `started` a second time; send more by the stream");
  }
  end.send_started(octets);
  Loop::current().spend();
}

void check_started_before_stream(const CalleeEnd& end) {
  if (end.started()) return;
  throw UsageError(end.what() + " opened its stream before `started`; call ctx.started(...) first");
}

void check_started_before_return(const CalleeEnd& end) {
  if (end.started()) return;
  throw UsageError(end.what() +
                   " returned without a call of `started`; every context calls it once");
}

// A context that has ended with a result may still have values to receive.
void check_not_failed(OpenerEnd& end) {
  if (end.ended()) static_cast<void>(end.result());
}

}  // namespace detail
}  // namespace troupe
