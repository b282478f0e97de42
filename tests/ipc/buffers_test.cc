// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/buffers.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>
#include <vector>

namespace troupe {
namespace {

TEST(BuffersTest, ABufferIsUsedAgain) {
  Bytes buffer = take_buffer();
  EXPECT_TRUE(buffer.empty());
  EXPECT_GE(buffer.capacity(), buffer_size);
  buffer.assign("values");
  const char* const memory = buffer.data();
  give_buffer(std::move(buffer));
  const Bytes again = take_buffer();
  EXPECT_EQ(again.data(), memory);
  EXPECT_TRUE(again.empty());
}

TEST(BuffersTest, OtherOctetsAreDropped) {
  for (const std::size_t size : {std::size_t{0}, buffer_size / 2, 10 * buffer_size}) {
    Bytes other(size, 'x');
    const char* const memory = other.data();
    give_buffer(std::move(other));
    const Bytes buffer = take_buffer();
    EXPECT_NE(buffer.data(), memory);
    EXPECT_LE(buffer.capacity(), 2 * buffer_size);
  }
}

TEST(BuffersTest, ThreadsDoNotShareOne) {
  std::vector<std::thread> threads;
  for (char own = 'a'; own < 'a' + 4; ++own) {
    threads.emplace_back([own] {
      for (int i = 0; i < 2'000; ++i) {
        Bytes buffer = take_buffer();
        buffer.assign(1'000, own);
        EXPECT_EQ(buffer.find_first_not_of(own), Bytes::npos);
        give_buffer(std::move(buffer));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace troupe
