// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the fiber layer is compared with: the same work with Boost.Fiber alone and its own
// round_robin scheduler. Each function runs on a thread that has not used fibers before, and
// returns nanoseconds per operation.

namespace troupe::bench {

/// Two fibers yield in turns; per switch.
double raw_switch(long count);
/// Creates fibers with pooled stacks in batches of 1000 and joins them; per fiber.
double raw_create_join(long count);
/// boost::fibers::buffered_channel of 64; per item.
double raw_buffered_channel(long count);
/// Ping-pong through two boost::fibers::unbuffered_channel; per item.
double raw_rendezvous(long count);
/// Creates fibers on the stacks of a `StackPool` and lets each park; per fiber.
double raw_park(long count);

}  // namespace troupe::bench
