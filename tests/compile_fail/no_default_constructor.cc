// SPDX-License-Identifier: Apache-2.0

// A type without a default constructor.
//
// EXPECT: a type in this message has no default constructor: the receiver makes a value first and
// then loads it; add one

#include "troupe/runtime/rpc/codec.h"

struct Seat {
#ifdef FIXED
  explicit Seat(int at = 0) : number(at) {}
#else
  explicit Seat(int at) : number(at) {}
#endif

  int number;
  template <class A>
  void serialize(A& ar) {
    ar(number);
  }
};

int decode(troupe::BytesView octets) { return troupe::decode_value<Seat>(octets).number; }
