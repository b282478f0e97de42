// SPDX-License-Identifier: Apache-2.0

// A pointer to a polymorphic class, which would be sliced.
//
// EXPECT: a value in this message is a unique_ptr to a polymorphic class, which would be sliced;
// pass a std::variant of values

#include <memory>

#include "troupe/runtime/rpc/codec.h"

struct Actor {
#ifdef FIXED
  int parts = 0;
#else
  virtual ~Actor() = default;
#endif
};

const auto octets = troupe::encode(std::make_unique<Actor>());
