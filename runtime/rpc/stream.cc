// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/stream.h"

#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe::detail {

DialogEnd& SinkState::end() const {
  if (!closed_) return *end_;
  throw BrokenChannel(
      "a Sink was used after its stream function had returned; keep its copies inside of that");
}

void throw_no_credit() {
  throw WouldBlock("the receiver has granted no credit for another value; use send to wait for it");
}

void TypedInput<void>::serve() {
  if (!has_value()) return;
  fail(std::make_exception_ptr(
      MsgTypeError("a value came in a direction of a stream that has none")));
}

}  // namespace troupe::detail
