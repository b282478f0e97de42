// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/value_queue.h"

#include <utility>

#include "troupe/ipc/buffers.h"
#include "troupe/runtime/fiber/memory_channel.h"

namespace troupe::detail {

void ValueReader::throw_short() { throw ShortRead("a value that reaches beyond its frame"); }

void ValueQueue::push(Bytes octets) { push_block(std::move(octets), 1, false); }

void ValueQueue::push_several(BytesView octets, std::size_t count) {
  Bytes copy;
  if (octets.size() >= worth_a_buffer) copy = take_buffer();
  copy.assign(octets);
  push_block(std::move(copy), count, true);
}

void ValueQueue::push_block(Bytes octets, std::size_t values, bool framed) {
  blocks_.emplace_back(Block{std::move(octets), values, last_arrival + 1, framed});
  last_arrival += values;
  size_ += values;
}

void ValueQueue::pop_block() noexcept {
  give_buffer(std::move(blocks_.front().octets));
  blocks_.pop_front();
}

}  // namespace troupe::detail
