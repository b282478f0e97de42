// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/buffers.h"

#include <mutex>
#include <utility>
#include <vector>

namespace troupe {

namespace {

// More than libzmq lets wait in a pipe.
constexpr std::size_t max_kept = 32;

struct Pool {
  Pool() { kept.reserve(max_kept); }
  std::mutex mutex;
  std::vector<Bytes> kept;
};

// Never destroyed: libzmq's threads give buffers back until the process ends.
Pool& pool() {
  static Pool& instance = *new Pool;
  return instance;
}

}  // namespace

Bytes take_buffer() {
  Bytes buffer;
  {
    const std::lock_guard lock(pool().mutex);
    if (!pool().kept.empty()) {
      buffer = std::move(pool().kept.back());
      pool().kept.pop_back();
    }
  }
  buffer.clear();
  buffer.reserve(buffer_size);
  return buffer;
}

void give_buffer(Bytes&& buffer) noexcept {
  if (buffer.capacity() < buffer_size || buffer.capacity() > 2 * buffer_size) return;
  const std::lock_guard lock(pool().mutex);
  if (pool().kept.size() < max_kept) pool().kept.push_back(std::move(buffer));
}

}  // namespace troupe
