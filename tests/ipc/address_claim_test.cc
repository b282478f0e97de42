// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/address_claim.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include "troupe/ipc/errors.h"
#include "troupe/tests/ipc/socket_support.h"

namespace troupe {
namespace {

using testing::SocketDirectory;

TEST(AddressClaimTest, OneAtATimeHasIt) {
  const SocketDirectory directory;
  std::optional<AddressClaim> first = AddressClaim::try_take(directory.address());
  ASSERT_TRUE(first);
  EXPECT_FALSE(AddressClaim::try_take(directory.address()));
  EXPECT_TRUE(AddressClaim::try_take(directory.address("b"))) << "another address";
  first.reset();
  EXPECT_NE(::access(directory.path("a.lock").c_str(), F_OK), 0) << "nothing is left";
  EXPECT_TRUE(AddressClaim::try_take(directory.address()));
}

TEST(AddressClaimTest, TheFileOfAProcessThatWasKilledIsNoObstacle) {
  const SocketDirectory directory;
  std::ofstream(directory.path("a.lock")) << "";
  EXPECT_TRUE(AddressClaim::try_take(directory.address()));
}

// IPC-05: a directory that does not exist is made, for its user alone.
TEST(AddressClaimTest, AMissingFolderIsMadePrivate) {
  const SocketDirectory directory;
  {
    const auto claim = AddressClaim::try_take(directory.address("deep/down/a"));
    ASSERT_TRUE(claim);
    struct stat info {};
    ASSERT_EQ(::stat(directory.path("deep/down").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
  }
  ::rmdir(directory.path("deep/down").c_str());
  ::rmdir(directory.path("deep").c_str());
}

TEST(AddressClaimTest, AFolderThatCannotBeIsNamed) {
  const SocketDirectory directory;
  std::ofstream(directory.path("file")) << "";
  try {
    AddressClaim::try_take(directory.address("file/a"));
    FAIL() << "nothing was thrown";
  } catch (const TransportClosed& closed) {
    EXPECT_NE(std::string(closed.what()).find("file/a"), std::string::npos) << closed.what();
  }
}

// Locks of one file by several descriptors of one process exclude each other as those of several
// processes do. Each holder gives the claim back at once, so that files come and go all the time.
TEST(AddressClaimTest, NeverTwoAtATimeHoweverManyWantIt) {
  const SocketDirectory directory;
  std::atomic<int> holders = 0;
  std::atomic<int> taken = 0;
  std::atomic<int> doubly = 0;
  {
    std::vector<std::jthread> programs;
    for (int i = 0; i < 4; ++i) {
      programs.emplace_back([&] {
        for (int round = 0; round < 2000; ++round) {
          const auto claim = AddressClaim::try_take(directory.address());
          if (!claim) continue;
          if (holders.fetch_add(1) != 0) ++doubly;
          ++taken;
          holders.fetch_sub(1);
        }
      });
    }
  }
  EXPECT_EQ(doubly, 0);
  EXPECT_GT(taken, 0);
}

}  // namespace
}  // namespace troupe
