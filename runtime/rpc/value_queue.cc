// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/value_queue.h"

#include <utility>

#include "troupe/ipc/frame.h"
#include "troupe/runtime/fiber/memory_channel.h"

namespace troupe::detail {

std::optional<BytesView> ValueReader::next() {
  if (rest_.empty()) return std::nullopt;
  const std::optional<BytesView> value = take_value(rest_);
  if (!value) throw ShortRead("a value that reaches beyond its frame");
  return value;
}

void ValueQueue::push(Bytes octets) { push_block(std::move(octets), 1, false); }

void ValueQueue::push_several(BytesView octets, std::size_t count) {
  push_block(Bytes(octets), count, true);
}

void ValueQueue::push_block(Bytes octets, std::size_t values, bool framed) {
  blocks_.emplace_back(Block{std::move(octets), values, last_arrival + 1, framed});
  last_arrival += values;
  size_ += values;
}

BytesView ValueQueue::front() noexcept {
  Block& block = blocks_.front();
  if (!block.framed) return block.octets;
  BytesView rest = BytesView(block.octets).substr(block.at);
  return *take_value(rest);
}

void ValueQueue::pop(BytesView first) noexcept {
  Block& block = blocks_.front();
  --size_;
  if (--block.values == 0) return blocks_.pop_front();
  ++block.arrival;
  block.at = static_cast<std::size_t>(first.data() + first.size() - block.octets.data());
}

}  // namespace troupe::detail
