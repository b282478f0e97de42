// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/result_portal.h"

#include "troupe/runtime/fiber/errors.h"

namespace troupe {

void MainOutcome::settle(std::exception_ptr failure) {
  if (done.is_set()) return;
  error = std::move(failure);
  if (input) input->finish(error);
  done.set();
}

void MainOutcome::close_unread() {
  if (input && !received && !done.is_set()) input->request_end();
}

namespace detail {

const Bytes& wait_for_outcome(MainOutcome& outcome) {
  outcome.done.wait();
  if (outcome.error) std::rethrow_exception(outcome.error);
  return outcome.value;
}

MainStreamLease::MainStreamLease(MainOutcome& outcome) : outcome_(outcome) {
  if (outcome.received) {
    throw UsageError(
        "the stream of a one-shot actor was received before: use subscribe for several receivers");
  }
  outcome.received = true;
}

MainStreamLease::~MainStreamLease() {
  outcome_.input->abandon();
  outcome_.input->request_end();
}

void MainStreamLease::finish() {
  outcome_.input->abandon();
  outcome_.input->request_end();
  static_cast<void>(wait_for_outcome(outcome_));
}

}  // namespace detail
}  // namespace troupe
