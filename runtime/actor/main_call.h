// SPDX-License-Identifier: Apache-2.0
#pragma once

// The call of a one-shot actor's main function in one incarnation of it. Needs no task: the answer
// goes into the outcome that `result()` waits for, and wakes the task that looks after the child.
// An answer that comes counts, whatever was cancelled meanwhile. The values of a stream function go
// where `result(body)` takes them. For all other calls see rpc/call.h.

#include <exception>
#include <memory>
#include <string>

#include "troupe/runtime/actor/child_link.h"
#include "troupe/runtime/actor/result_portal.h"
#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/rpc/dialog_end.h"

namespace troupe {

class Connection;

/// One call of a main function, from its start to its answer. Resource.
class MainCall final : public detail::DialogEnd {
 public:
  /// Sends `start`, a request with its arguments, at once: the function is to run although the
  /// caller may keep this loop busy from now on. `connection` is null when there is none.
  MainCall(std::shared_ptr<Connection> connection, Bytes start, std::shared_ptr<ChildLink> link,
           std::shared_ptr<MainOutcome> outcome);
  MainCall(const MainCall&) = delete;
  MainCall& operator=(const MainCall&) = delete;
  ~MainCall();

  /// What the function threw, or why it could not be called; null when neither.
  const std::exception_ptr& error() const noexcept { return error_; }
  /// How the call ended otherwise without a result: it was cancelled, or its connection lost. Null
  /// when it has not.
  const std::exception_ptr& cut_off() const noexcept { return cut_off_; }

  std::string what() const override;
  void on_frame(FrameKind kind, BytesView payload) override;
  void on_closed(std::exception_ptr why) override;

 private:
  bool expects_values() const noexcept override { return had_input(); }
  bool expects_credit() const noexcept override { return false; }
  void send(Bytes start);
  void close();
  void take_error(BytesView payload);
  void fail(std::exception_ptr error);

  std::shared_ptr<Connection> connection_;
  std::shared_ptr<ChildLink> link_;       // shared with portals
  std::shared_ptr<MainOutcome> outcome_;  // shared with portals
  std::exception_ptr error_;
  std::exception_ptr cut_off_;
};

}  // namespace troupe
