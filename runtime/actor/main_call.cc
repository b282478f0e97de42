// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/main_call.h"

#include <string>
#include <utility>

#include "troupe/ipc/connection.h"
#include "troupe/ipc/errors.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {

MainCall::MainCall(std::shared_ptr<Connection> connection, Bytes start,
                   std::shared_ptr<ChildLink> link, std::shared_ptr<MainOutcome> outcome)
    : connection_(std::move(connection)), link_(std::move(link)), outcome_(std::move(outcome)) {
  send(std::move(start));
}

MainCall::~MainCall() { close(); }

// What goes wrong here is an error of the call; that the connection is gone comes of the process'
// end, as a rule, which is waited for.
void MainCall::send(Bytes start) {
  const auto gone = [this](std::exception_ptr why) {
    connection_.reset();
    on_closed(std::move(why));
  };
  if (!connection_) {
    return gone(std::make_exception_ptr(TransportClosed(
        TransportClosed::Reason::lost,
        "the connection to actor '" + link_->uid.name + "' (pid " + std::to_string(link_->pid) +
            ") was lost before its function was called",
        link_->uid.uuid)));
  }
  try {
    dialog_ = connection_->open_dialog(*this);
  } catch (const TransportClosed&) {
    return gone(std::current_exception());
  } catch (const Error&) {
    connection_.reset();
    return fail(std::current_exception());
  }
  try {
    connection_->send(FrameKind::start, dialog_, std::move(start));
    connection_->flush();
  } catch (const Error&) {  // larger than the actor takes
    close();
    fail(std::current_exception());
  }
}

void MainCall::close() {
  if (const auto connection = std::exchange(connection_, nullptr)) {
    connection->close_dialog(dialog_);
  }
}

void MainCall::on_frame(FrameKind kind, BytesView payload) {
  switch (kind) {
    case FrameKind::ret:
      if (!outcome_->done.is_set()) outcome_->value = Bytes(payload);
      outcome_->done.set();
      link_->tell_returned();
      return close();
    case FrameKind::error:
      take_error(payload);
      return close();
    case FrameKind::cancel_ack:
      return;
    default:
      throw Error(std::string("a frame '") + to_string(kind) + "' in answer to a plain call");
  }
}

void MainCall::take_error(BytesView payload) {
  try {
    throw_remote(BoxedError::decode(payload));
  } catch (const ContextCancelled&) {  // the whole actor ends, and the function with it
    cut_off_ = std::current_exception();
  } catch (...) {
    fail(std::current_exception());
  }
}

void MainCall::fail(std::exception_ptr error) {
  error_ = std::move(error);
  link_->stop_for(Stop::failed);
}

void MainCall::on_closed(std::exception_ptr why) {
  connection_.reset();
  cut_off_ = std::move(why);
  link_->stop_for(Stop::lost);
}

}  // namespace troupe
