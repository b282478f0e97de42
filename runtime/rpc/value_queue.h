// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values of a stream that have arrived and that nobody has taken, as they came: octets. They are
// decoded when they are taken, so a value is made, used and destroyed while it is in the cache, in
// the task that wants it; what has arrived together is kept in one piece. Private to the package.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "troupe/ipc/frame.h"
#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/fiber/ring.h"

namespace troupe::detail {

/// Goes through the values of a frame `yields`: each is a length and so many octets.
class ValueReader {
 public:
  explicit ValueReader(BytesView octets) noexcept : rest_(octets) {}
  /// The next value, borrowed; empty at the end. Throws `ShortRead` when it is not all there.
  std::optional<BytesView> next() {
    if (rest_.empty()) return std::nullopt;
    const std::optional<BytesView> value = take_value(rest_);
    if (!value) [[unlikely]]
      throw_short();
    return value;
  }

 private:
  [[noreturn]] static void throw_short();

  BytesView rest_;
};

/// A queue of encoded values. Each has the number of its arrival, see `last_arrival`.
class ValueQueue {
 public:
  /// Appends one value.
  void push(Bytes octets);
  /// Appends `count` values, all that a frame `yields` holds.
  void push_several(BytesView octets, std::size_t count);

  /// Whether there is none.
  bool empty() const noexcept { return size_ == 0; }
  /// How many there are.
  std::size_t size() const noexcept { return size_; }
  /// The number of the first one; there must be one.
  std::uint64_t first_arrival() noexcept { return blocks_.front().arrival; }
  /// The first one; there must be one. Lifetime: until the next change.
  BytesView front() noexcept {
    const Block& block = blocks_.front();
    if (!block.framed) return block.octets;
    BytesView rest = BytesView(block.octets).substr(block.at);
    return *take_value(rest);
  }
  /// Drops the first one, which `front` has just given.
  void pop(BytesView first) noexcept {
    Block& block = blocks_.front();
    --size_;
    if (--block.values == 0) return pop_block();
    ++block.arrival;
    block.at = static_cast<std::size_t>(first.data() + first.size() - block.octets.data());
  }
  /// Drops the first one unseen; there must be one.
  void drop_first() noexcept { pop(front()); }

 private:
  // What has arrived together.
  struct Block {
    Bytes octets;
    std::size_t values;     // that are left
    std::uint64_t arrival;  // of the first of them
    bool framed;            // lengths stand before the values
    std::size_t at = 0;     // where the first of them begins
  };

  void push_block(Bytes octets, std::size_t values, bool framed);
  void pop_block() noexcept;

  Ring<Block> blocks_;
  std::size_t size_ = 0;
};

}  // namespace troupe::detail
