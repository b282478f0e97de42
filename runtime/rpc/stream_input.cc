// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/stream_input.h"

#include <algorithm>
#include <limits>
#include <string>

#include "troupe/runtime/rpc/dialog_end.h"
#include "troupe/runtime/rpc/errors.h"

namespace troupe::detail {
namespace {

Window window_of(const StreamOptions& options, Window before) {
  if (options.overrun != Overrun::wait) return Window::unlimited();
  if (options.buffer == 0) return before;
  const std::size_t most = std::numeric_limits<std::uint32_t>::max() - 1;
  return {static_cast<std::uint32_t>(std::min(options.buffer, most)), before.octets};
}

}  // namespace

void StreamInput::configure(const StreamOptions& options) {
  overrun_ = options.overrun;
  if (options.buffer != 0) buffer_ = options.buffer;
  while (overrun_ == Overrun::drop_oldest && values_.size() > buffer_) values_.drop_first();
  const Window window = window_of(options, window_.size());
  if (window == window_.size()) return;
  if (end_ == nullptr) {  // nothing was granted yet
    window_ = ReceiveWindow(window);
    return;
  }
  if (const std::optional<Window> grant = window_.resize(window)) send_grant(*grant);
}

// A stream that is started anew has the whole window again; what has come before keeps its place.
void StreamInput::attach(DialogEnd& end) noexcept {
  end_ = &end;
  window_ = ReceiveWindow(window_.size());
}

void StreamInput::request_end() {
  if (end_ != nullptr) end_->request_cancel();
}

void StreamInput::send_grant(Window grant) {
  if (!finished_ && end_ != nullptr) end_->grant(grant);
}

void StreamInput::accept(Bytes octets) {
  check_credit(octets.size());
  if (!admits_value()) return;
  values_.push(std::move(octets));
  arrived();
}

void StreamInput::accept_several(BytesView octets) {
  ValueReader reader(octets);
  std::size_t count = 0;
  for (; const std::optional<BytesView> value = reader.next(); ++count) check_credit(value->size());
  if (count == 0) throw Error("a frame of values that has none");
  if (overrun_ == Overrun::wait) {  // the credit has made the room
    if (finished_ || abandoned_) return;
    values_.push_several(octets, count);
    return arrived();
  }
  reader = ValueReader(octets);
  while (const std::optional<BytesView> value = reader.next()) {
    if (admits_value()) values_.push(Bytes(*value));
    arrived();
  }
}

void StreamInput::check_credit(std::size_t octets) {
  if (!window_.arrived(cost_of(octets)))
    throw Error("more values of a stream than there was credit for");
  any_came_ = true;
}

void StreamInput::arrived() {
  serve();
  if (has_value()) tell_watchers();
}

void StreamInput::tell_watchers() noexcept { watchers_.tell(); }

void StreamInput::close() noexcept {
  receivers_.unpark_all();
  tell_watchers();
}

void StreamInput::fail(std::exception_ptr error) noexcept {
  while (has_value()) values_.drop_first();
  finished_ = true;
  failure_ = std::move(error);
  close();
}

// Under `wait` the credit has made the room.
bool StreamInput::admits_value() {
  if (finished_ || abandoned_) return false;
  if (overrun_ == Overrun::wait || values_.size() < buffer_) return true;
  if (overrun_ == Overrun::drop_oldest) {
    values_.drop_first();
    return true;
  }
  finish(std::make_exception_ptr(
      StreamOverrun("the receiver of " + end_->what() + " lags behind: its buffer of " +
                    std::to_string(buffer_) + " values is full, and " + end_->peer().to_string() +
                    " has sent one more; receive faster, give a larger buffer, or let the sender "
                    "wait (Overrun::wait)")));
  return false;
}

void StreamInput::finish(std::exception_ptr error) noexcept {
  if (finished_) return;
  finished_ = true;
  failure_ = std::move(error);
  close();
}

void StreamInput::finish_with_dialog(std::exception_ptr error) noexcept {
  ended_with_dialog_ |= !finished_;
  finish(std::move(error));
}

void StreamInput::abandon() noexcept {
  abandoned_ = true;
  close();
}

void StreamInput::report_end() {
  end_seen_ = true;
  if (failure_ == nullptr) return;
  // Others may come to the end while this one waits for the explanation.
  if (ended_with_dialog_ && end_ != nullptr) failure_ = end_->explain(failure_);
  std::rethrow_exception(failure_);
}

void StreamInput::throw_end() {
  report_end();
  throw EndOfChannel("the stream has ended: its sender sends no more values");
}

}  // namespace troupe::detail
