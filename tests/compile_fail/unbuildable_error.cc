// SPDX-License-Identifier: Apache-2.0

// An error that its receiver could not rebuild.
//
// EXPECT: this error cannot be rebuilt by its receiver: give it a constructor from a std::string,
// or a default constructor and a serialize function

#include <string>

#include "troupe/runtime/rpc/remote_error.h"

struct Missed : troupe::Error {
#ifdef FIXED
  using Error::Error;
#else
  explicit Missed(int cue) : Error("missed " + std::to_string(cue)) {}
#endif
};

const bool registered = troupe::register_error<Missed>();
