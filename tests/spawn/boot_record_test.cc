// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/boot_record.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <system_error>
#include <thread>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/spawn/errors.h"

namespace troupe {
namespace {

struct Pair {
  UniqueFd parent;
  UniqueFd child;
};

Pair make_pair() {
  int ends[2];
  ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Bytes some_octets(std::size_t count) {
  Bytes octets(count, '\0');
  for (std::size_t i = 0; i < count; ++i) octets[i] = static_cast<char>(i * 2654435761u >> 13);
  return octets;
}

void write_record(const Pair& pair, BytesView blob) {
  detail::BootRecordWriter(pair.parent.get(), blob).finish();
}

void expect_refused(Pair& pair, const std::string& why) {
  pair.parent.reset();
  try {
    detail::read_boot_record(pair.child.get());
    FAIL() << "the record was accepted";
  } catch (const SpawnFailed& error) {
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
  }
}

void write_raw(const Pair& pair, BytesView octets) {
  ASSERT_EQ(::send(pair.parent.get(), octets.data(), octets.size(), 0), ssize_t(octets.size()));
}

TEST(BootRecordTest, SmallOnesNeedNoReaderToBeWritten) {
  const Pair pair = make_pair();
  for (std::size_t size : {0, 1, 20'000}) {
    write_record(pair, some_octets(size));
    EXPECT_EQ(detail::read_boot_record(pair.child.get()), some_octets(size));
  }
}

TEST(BootRecordTest, OneLargerThanTheSocketsBufferWaitsForItsReader) {
  Pair pair = make_pair();
  const Bytes blob = some_octets(10 << 20);
  Bytes received;
  std::thread child([&] { received = detail::read_boot_record(pair.child.get()); });
  run_tasks([&] { write_record(pair, blob); });
  child.join();
  EXPECT_TRUE(received == blob);
}

TEST(BootRecordTest, WritingSomeNeverWaits) {
  Pair pair = make_pair();
  const Bytes blob = some_octets(10 << 20);
  Bytes received;
  detail::BootRecordWriter record(pair.parent.get(), blob);
  record.write_some();
  record.write_some();
  std::thread child([&] { received = detail::read_boot_record(pair.child.get()); });
  run_tasks([&] { record.finish(); });
  child.join();
  EXPECT_TRUE(received == blob);
}

TEST(BootRecordTest, WhatFollowsItStaysInTheLine) {
  Pair pair = make_pair();
  write_record(pair, "blob");
  write_raw(pair, "more");
  EXPECT_EQ(detail::read_boot_record(pair.child.get()), "blob");
  char rest[8];
  EXPECT_EQ(::recv(pair.child.get(), rest, sizeof rest, MSG_DONTWAIT), 4);
}

TEST(BootRecordTest, AnEmptyLineIsRefused) {
  Pair pair = make_pair();
  expect_refused(pair, "after 0 of the 4 octets");
}

TEST(BootRecordTest, OneCutInItsLengthIsRefused) {
  Pair pair = make_pair();
  write_raw(pair, "ab");
  expect_refused(pair, "after 2 of the 4 octets");
}

TEST(BootRecordTest, OneCutInItsBlobIsRefused) {
  Pair pair = make_pair();
  Bytes octets;
  put_u32(octets, 100);
  write_raw(pair, octets + "only this");
  expect_refused(pair, "after 9 of the 100 octets");
}

TEST(BootRecordTest, AnAbsurdLengthIsRefused) {
  Pair pair = make_pair();
  write_raw(pair, "\xff\xff\xff\xff and more");
  expect_refused(pair, "no boot record");
}

TEST(BootRecordTest, ALengthThatDoesNotComeCostsNoMemory) {
  Pair pair = make_pair();
  Bytes octets;
  put_u32(octets, detail::max_boot_record);
  write_raw(pair, octets + "tiny");
  expect_refused(pair, "after 4 of the 1073741824 octets");
}

TEST(BootRecordTest, ALineWhoseReaderHasGoneIsAnError) {
  Pair pair = make_pair();
  pair.child.reset();
  EXPECT_THROW(write_record(pair, "blob"), std::system_error);
}

}  // namespace
}  // namespace troupe
