// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/main_call.h"

#include <string>
#include <utility>

#include "troupe/ipc/connection.h"
#include "troupe/ipc/errors.h"
#include "troupe/runtime/rpc/call_trace.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {

MainCall::MainCall(std::shared_ptr<Connection> connection, Bytes start,
                   std::shared_ptr<ChildLink> link, std::shared_ptr<MainOutcome> outcome)
    : DialogEnd(connection.get()),
      connection_(std::move(connection)),
      link_(std::move(link)),
      outcome_(std::move(outcome)) {
  if (outcome_->input) attach(*outcome_->input);
  send(std::move(start));
}

MainCall::~MainCall() = default;

std::string MainCall::what() const {
  return "the main function of actor " + link_->uid.to_string();
}

// What goes wrong here is an error of the call; that the connection is gone comes of the process'
// end, as a rule, which is waited for.
void MainCall::send(Bytes start) {
  if (!connection_) {
    return on_closed(std::make_exception_ptr(TransportClosed(
        TransportClosed::Reason::lost,
        "the connection to actor '" + link_->uid.name + "' (pid " + std::to_string(link_->pid) +
            ") was lost before its function was called",
        link_->uid.uuid)));
  }
  try {
    set_id(port()->open_dialog(*this));
  } catch (const TransportClosed&) {
    return on_closed(std::current_exception());
  } catch (const Error&) {
    return fail(std::current_exception());
  }
  try {
    detail::trace_call(self(), peer(), id());
    port()->send(FrameKind::start, id(), std::move(start));
    connection_->flush();
  } catch (const Error&) {  // larger than the actor takes
    close();
    fail(std::current_exception());
  }
}

// How a stream ends is told by the outcome: another incarnation may go on with it.
void MainCall::close() {
  detach();
  port()->close_dialog(id());
  finish(nullptr);
}

void MainCall::on_frame(FrameKind kind, BytesView payload) {
  switch (kind) {
    case FrameKind::ret:
      // A permanent one-shot is called again and again; its first result stands.
      if (!outcome_->done.is_set()) outcome_->value = Bytes(payload);
      close();
      outcome_->settle(nullptr);
      return link_->tell_returned();
    case FrameKind::error:
      return take_error(payload);
    default:
      return on_common_frame(kind, payload);
  }
}

void MainCall::take_error(BytesView payload) {
  std::exception_ptr error;
  bool cancelled = false;
  try {
    throw_remote(BoxedError::decode(payload));
  } catch (const ContextCancelled&) {
    error = std::current_exception();
    cancelled = true;
  } catch (...) {
    error = std::current_exception();
  }
  close();
  if (cancelled && cancel_called()) {  // whoever received the stream has left it, or nobody did
    outcome_->settle(nullptr);
    return link_->tell_returned();
  }
  if (!cancelled) return fail(std::move(error));
  cut_off_ = std::move(error);  // the whole actor ends, and the function with it
}

void MainCall::fail(std::exception_ptr error) {
  error_ = std::move(error);
  link_->stop_for(Stop::failed);
}

void MainCall::on_closed(std::exception_ptr why) {
  detach();
  keep_uids();
  finish(nullptr);
  cut_off_ = std::move(why);
  link_->stop_for(Stop::lost);
}

}  // namespace troupe
