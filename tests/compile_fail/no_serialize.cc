// SPDX-License-Identifier: Apache-2.0

// A class that nobody can serialise.
//
// EXPECT: a type in this message has no serialize function: add `template <class A> void
// serialize(A& ar) { ar(a, b); }` to it

#include "troupe/runtime/rpc/codec.h"

class Closed {
 public:
  explicit Closed(int secret = 0) : secret_(secret) {}

#ifdef FIXED
  template <class A>
  void serialize(A& ar) {
    ar(secret_);
  }
#endif

 private:
  int secret_;
};

const auto octets = troupe::encode(Closed(1));
