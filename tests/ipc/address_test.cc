// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/address.h"

#include <gtest/gtest.h>

#include "troupe/runtime/base/error.h"

namespace troupe {
namespace {

// DSC-34: addresses of all kinds are told as text from which they come back, with path, host and
// port.
TEST(AddressTest, ComeBackFromTheirText) {
  for (const std::string text : {"ipc:///tmp/troupe-0/a.sock", "tcp://127.0.0.1:1616",
                                 "tcp://[::1]:5", "tcp://node-7.example:80"}) {
    const Address address = Address::parse(text);
    EXPECT_EQ(address.str(), text);
    EXPECT_EQ(Address::parse(address.str()), address);
  }
}

TEST(AddressTest, ParsesIpcPaths) {
  const Address address = Address::parse("ipc:///tmp/troupe-0/a.sock");
  EXPECT_EQ(address.kind(), Address::Kind::ipc);
  EXPECT_EQ(address.path(), "/tmp/troupe-0/a.sock");
  EXPECT_EQ(address.str(), "ipc:///tmp/troupe-0/a.sock");
  EXPECT_TRUE(address.is_local());
  EXPECT_FALSE(address.is_wildcard());
}

TEST(AddressTest, ParsesTcpHostsAndPorts) {
  const Address address = Address::parse("tcp://127.0.0.1:1616");
  EXPECT_EQ(address.kind(), Address::Kind::tcp);
  EXPECT_EQ(address.host(), "127.0.0.1");
  EXPECT_EQ(address.port(), 1616);
  EXPECT_EQ(Address::parse("tcp://[::1]:5").host(), "::1");
  EXPECT_EQ(Address::parse("tcp://node-7.example:80").host(), "node-7.example");
}

TEST(AddressTest, WildcardsCanOnlyBeBound) {
  EXPECT_TRUE(Address::parse("tcp://*:5").is_wildcard());
  EXPECT_TRUE(Address::parse("tcp://127.0.0.1:*").is_wildcard());
  EXPECT_TRUE(Address::parse("tcp://127.0.0.1:0").is_wildcard());
  EXPECT_TRUE(Address::parse("tcp://0.0.0.0:5").is_wildcard());
  EXPECT_FALSE(Address::parse("tcp://localhost:5").is_wildcard());
}

TEST(AddressTest, OnlyLoopbackIsLocal) {
  EXPECT_TRUE(Address::parse("tcp://localhost:1").is_local());
  EXPECT_TRUE(Address::parse("tcp://127.9.9.9:1").is_local());
  EXPECT_TRUE(Address::parse("tcp://[::1]:1").is_local());
  EXPECT_FALSE(Address::parse("tcp://127.evil.example:1").is_local());
  EXPECT_FALSE(Address::parse("tcp://10.0.0.1:1").is_local());
  EXPECT_FALSE(Address::parse("tcp://*:1").is_local());
}

TEST(AddressTest, TheDefaultOneIsEmpty) {
  EXPECT_TRUE(Address().empty());
  EXPECT_EQ(Address().str(), "");
}

TEST(AddressTest, IsAValueThatComparesAndHashes) {
  const Address a = Address::parse("ipc:///a");
  EXPECT_EQ(a, Address::parse("ipc:///a"));
  EXPECT_NE(a, Address::parse("ipc:///b"));
  EXPECT_EQ(std::hash<Address>{}(a), std::hash<Address>{}(Address::parse("ipc:///a")));
}

// DSC-35: an address of another kind is an error that names it.
TEST(AddressTest, OfAnotherKindIsNamed) {
  for (const std::string text : {"udp://127.0.0.1:5", "quic://host:5", "/ip4/127.0.0.1/tcp/5"}) {
    try {
      Address::parse(text);
      ADD_FAILURE() << text;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    }
  }
}

TEST(AddressTest, AnythingElseIsAUsageErrorThatShowsTheRightForm) {
  for (const std::string text :
       {"", "x", "ipc://", "ipc://relative", "ipc://@abstract", "http://a:1", "tcp://",
        "tcp://host", "tcp://:5", "tcp://host:", "tcp://host:65536", "tcp://host:-1",
        "tcp://host:5x", "tcp://ho st:5", "tcp://[::1:5", "tcp://a/b:5", "tcp://host:5 ",
        "ipc:///a\nb", "ipc:///\xff"}) {
    try {
      Address::parse(text);
      ADD_FAILURE() << text;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("ipc:///absolute/path"), std::string::npos)
          << error.what();
    }
  }
}

// IPC-07: a path that no Unix socket can have is refused with its length, before anything is bound.
TEST(AddressTest, PathsThatNoSocketCanHaveAreRefused) {
  EXPECT_NO_THROW(Address::parse("ipc:///" + std::string(106, 'x')));
  EXPECT_THROW(Address::parse("ipc:///" + std::string(107, 'x')), UsageError);
}

}  // namespace
}  // namespace troupe
