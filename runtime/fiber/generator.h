// SPDX-License-Identifier: Apache-2.0
#pragma once

// A function that makes values one after the other, as a channel: what Python has generators for.
// The values meet their receiver (nothing is buffered), and the function never outlives the block.

#include <concepts>

#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/nursery.h"

namespace troupe {

/// Runs `generate(send)` (with a `MemorySendChannel<T>&`) in a task, and `body(values)` (with a
/// `MemoryReceiveChannel<T>&`), whose value it returns. `values` ends when `generate` returns. When
/// `body` ends first, `generate` is cancelled and awaited: its cleanup has run when this returns.
/// An error of `generate`, also one raised between its last value and the cancellation, cancels the
/// body and leaves here. Checkpoint.
///
///     open_generator<int>([](auto& send) { for (int i = 0;; ++i) send.send(i); },
///                         [](auto& numbers) { for (int n : numbers) if (n == 3) break; });
template <class T, std::invocable<MemorySendChannel<T>&> Generate,
          std::invocable<MemoryReceiveChannel<T>&> Body>
auto open_generator(Generate&& generate, Body&& body) {
  // Declared outside of the nursery, whose tasks outlive its body.
  MemoryChannel<T> channel = open_memory_channel<T>(0);
  return open_task_nursery([&](TaskNursery& nursery) {
    nursery.start_soon("generator", [&generate, &channel] {
      generate(channel.send);
      channel.send.close();  // not after an error: the body is to see that, and not an end
    });
    struct CancelAtEnd {
      TaskNursery& nursery;
      ~CancelAtEnd() { nursery.cancel("the receiver of the generator has left"); }
    } const cancel{nursery};
    return body(channel.receive);
  });
}

}  // namespace troupe
