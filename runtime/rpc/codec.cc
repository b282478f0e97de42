// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/codec.h"

#include <string>

namespace troupe::detail {

// Out of line, so that decoding code stays small in every translation unit.

void throw_too_deep_to_encode() {
  throw UsageError("this value is nested more than " + std::to_string(max_nesting) +
                   " objects deep and cannot be sent; flatten it, into a vector with indices say");
}

void throw_valueless_variant() {
  throw UsageError(
      "this std::variant holds no value (an exception left it so) and cannot be sent; assign one "
      "first");
}

void throw_too_deep() {
  throw DecodeError("the message is nested more than " + std::to_string(max_nesting) +
                    " objects deep");
}

void throw_short(std::uint64_t wanted, std::size_t left) {
  throw DecodeError("the message is truncated: " + std::to_string(wanted) +
                    " more octets expected, " + std::to_string(left) + " left");
}

void throw_bad_count(std::uint64_t count, std::size_t left) {
  throw DecodeError("the message claims " + std::to_string(count) + " elements, but only " +
                    std::to_string(left) + " octets are left");
}

void throw_over_budget(std::uint64_t wanted, std::uint64_t budget) {
  throw DecodeError("the message needs " + std::to_string(wanted) +
                    " octets of memory, where only " + std::to_string(budget) +
                    " more are granted to a message of its size");
}

void throw_trailing(std::size_t left) {
  throw DecodeError("the message goes on for " + std::to_string(left) +
                    " octets after its last value: sender and receiver disagree on its type");
}

void throw_bad_bool(unsigned octet) {
  throw DecodeError("the message has " + std::to_string(octet) +
                    " where a bool (0 or 1) is expected");
}

void throw_bad_alternative(std::uint32_t index, std::size_t count) {
  throw DecodeError("the message names alternative " + std::to_string(index) + " of a variant of " +
                    std::to_string(count));
}

void throw_same_key_twice() {
  throw DecodeError("the message has the same key twice in a set or map");
}

void throw_cereal(const char* what) {
  throw DecodeError(std::string("the message cannot be decoded: ") + what);
}

}  // namespace troupe::detail
