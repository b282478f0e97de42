// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/merge.h"

#include "troupe/runtime/fiber/loop.h"

namespace troupe::detail {

const char* const merge_conflict =
    "another task receives from this merged end: give each task an end of its own";

// The watchers unlink themselves when the wait is over.
MergeWait::MergeWait() {
  what = "MergedReceive::receive";
  abort = [](Wait& aborted) noexcept {
    static_cast<MergeWait&>(aborted).notified_ = true;
    return true;
  };
}

void MergeWait::notify() noexcept {
  if (std::exchange(notified_, true)) return;
  Loop::current().wake(*task);
}

void throw_merge_closed() {
  throw BrokenChannel("this merged end is closed: merge again to go on");
}

void throw_merge_end() {
  throw EndOfChannel(
      "all ends that were merged have come to theirs; next() and range-for end here without an "
      "error");
}

void throw_merge_empty() {
  throw WouldBlock("none of the merged ends has a value: use receive() to wait for one");
}

}  // namespace troupe::detail
