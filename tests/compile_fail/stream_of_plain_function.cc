// SPDX-License-Identifier: Apache-2.0

// ONE-06: a function without a sink sends no stream, and is refused where it is named.
//
// EXPECT: this function is no stream (its first parameter is no Sink<T>): call it with
// portal.run<&f>(args...)

#include "troupe/runtime/rpc/portal.h"

int count(int to);
void count_up(troupe::Sink<int> out, int to);

#ifdef FIXED
void listen(const troupe::Portal& portal) {
  portal.open_stream<&count_up>(3, [](troupe::ReceiveStream<int>&) {});
}
#else
void listen(const troupe::Portal& portal) {
  portal.open_stream<&count>(3, [](troupe::ReceiveStream<int>&) {});
}
#endif
