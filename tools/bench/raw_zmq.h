// SPDX-License-Identifier: Apache-2.0
#pragma once

// The programs on ZeroMQ alone beside which the dialogs are measured: a DEALER and a ROUTER over
// ipc:// in two processes, fixed sizes, one message a value, and nothing but the calls of sockets.

#include <cstddef>
#include <optional>

namespace troupe::bench {

/// Becomes the other process of a raw program, if this one was started as that; returns its exit
/// code. To be called first in main.
std::optional<int> run_raw_peer(int argc, char** argv);

/// Nanoseconds of a round trip of `size` octets, over `count` of them; both ends sleep in epoll.
double raw_round_trip(long count, std::size_t size);
/// Nanoseconds from making a DEALER until it has connected and got its first answer, of another
/// thread's ROUTER; the mean of `count`.
double raw_connect(long count);
/// Requests of `size` octets a second, with `in_flight` of them under way.
double raw_calls(long count, std::size_t size, int in_flight);
/// Values of `size` octets a second that the other process sends.
double raw_stream(long count, std::size_t size);

/// Binds this thread, and what it starts from now on, to one CPU, or to all.
void use_one_cpu(bool one);

}  // namespace troupe::bench
