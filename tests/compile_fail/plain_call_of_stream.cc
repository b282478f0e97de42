// SPDX-License-Identifier: Apache-2.0

// ONE-01: what makes a function a stream is its first parameter, seen at compile time: such a
// function is no plain one.
//
// EXPECT: this function is a stream (its first parameter is a Sink): call it with
// portal.open_stream<&f>(args..., body)

#include "troupe/runtime/rpc/portal.h"

void count_up(troupe::Sink<int> out, int to);

#ifdef FIXED
void listen(const troupe::Portal& portal) {
  portal.open_stream<&count_up>(3, [](troupe::ReceiveStream<int>&) {});
}
#else
void listen(const troupe::Portal& portal) { portal.run<&count_up>(3); }
#endif
