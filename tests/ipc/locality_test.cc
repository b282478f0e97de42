// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/locality.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <fstream>

#include "troupe/tests/ipc/socket_support.h"

namespace troupe {
namespace {

using testing::SocketDirectory;

Address at(const std::string& text) { return Address::parse(text); }

// A socket file; that nobody listens there does not matter here.
void make_socket_file(const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
}

struct LocalityTest : ::testing::Test {
  LocalityTest() : socket(directory.address()) { make_socket_file(directory.path("a")); }

  SocketDirectory directory;
  Address socket;
  Address loopback = at("tcp://127.0.0.1:5");
  Address network = at("tcp://192.0.2.7:5");
};

TEST_F(LocalityTest, AHostNamesMachineAndNetwork) {
  EXPECT_EQ(this_host(), this_host());
  EXPECT_NE(this_host().find("/net:["), std::string::npos) << this_host();
}

// DSC-27: a socket on this host is preferred to its loopback, that to the network; otherwise the
// order stays.
TEST_F(LocalityTest, TheNearestComesFirst) {
  const Address other = at("tcp://192.0.2.8:5");
  EXPECT_EQ(nearest_first({network, loopback, other, socket}, this_host()),
            (std::vector<Address>{socket, loopback, network, other}));
  EXPECT_EQ(nearest_first({network, loopback, socket}, ""),
            (std::vector<Address>{socket, loopback, network}));
}

TEST_F(LocalityTest, AnotherHostIsReachedOverTheNetworkOnly) {
  EXPECT_EQ(nearest_first({socket, loopback, network}, "elsewhere/net:[1]"),
            (std::vector<Address>{network}));
  EXPECT_TRUE(nearest_first({socket, loopback}, "elsewhere/net:[1]").empty());
}

TEST_F(LocalityTest, AnotherContainerOfThisMachineHasAnotherLoopback) {
  const std::string machine = this_host().substr(0, this_host().find('/'));
  EXPECT_EQ(nearest_first({loopback, socket, network}, machine + "/net:[1]"),
            (std::vector<Address>{socket, network}));
}

TEST_F(LocalityTest, ASocketThatIsNotThereBelongsToAnotherFileSystem) {
  std::ofstream(directory.path("file")) << "";
  EXPECT_EQ(nearest_first({directory.address("missing"), directory.address("file"), loopback},
                          this_host()),
            (std::vector<Address>{loopback}));
}

TEST_F(LocalityTest, WildcardsLeadNowhere) {
  EXPECT_TRUE(
      nearest_first({at("tcp://0.0.0.0:5"), at("tcp://127.0.0.1:0"), Address()}, "").empty());
}

TEST_F(LocalityTest, AWildcardIsListenedAtOnEveryInterface) {
  const std::vector<Address> found = connectable(at("tcp://0.0.0.0:5"));
  EXPECT_NE(std::find(found.begin(), found.end(), loopback), found.end());
  for (const Address& address : found) EXPECT_FALSE(address.is_wildcard()) << address.str();
  EXPECT_EQ(connectable(network), std::vector<Address>{network});
  EXPECT_TRUE(connectable(at("tcp://127.0.0.1:0")).empty());
}

TEST_F(LocalityTest, TheWayToTheLoopbackIsTheLoopback) {
  EXPECT_EQ(interface_towards(loopback), "127.0.0.1");
}

}  // namespace
}  // namespace troupe
