// SPDX-License-Identifier: Apache-2.0
// Sockets of connections that are made ahead.

#include "troupe/ipc/dial.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "troupe/ipc/transport.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/tests/ipc/socket_support.h"

namespace troupe {
namespace {

using testing::event_descriptors;
using testing::SocketDirectory;

// While it lives the process gets no further descriptor.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(STDERR_FILENO);
    ::close(next);
    const rlimit limit{static_cast<rlim_t>(next), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(DialTest, AsksAnotherHostThreeTimesWithinItsLivenessTime) {
  Dial far({.liveness = std::chrono::milliseconds(600)});
  far.begin(Address::parse("tcp://192.0.2.1:1616"));
  EXPECT_EQ(far.socket.get(zmq::sockopt::heartbeat_ivl), 200);
  EXPECT_EQ(far.socket.get(zmq::sockopt::heartbeat_timeout), 600);
  EXPECT_EQ(far.socket.get(zmq::sockopt::heartbeat_ttl), 600);
}

TEST(DialTest, AsksNothingOnThisHost) {
  Dial near({});
  near.begin(Address::parse("tcp://127.0.0.1:1616"));
  EXPECT_EQ(near.socket.get(zmq::sockopt::heartbeat_ivl), 0);
}

TEST(DialerTest, KeepsTheSocketsOfTheNextConnection) {
  SocketDirectory directory;
  Dialer dialer({});
  const auto first = dialer.begin(directory.address("a"));
  const int with_one = event_descriptors();
  dialer.prepare();
  const int with_spare = event_descriptors();
  EXPECT_GT(with_spare, with_one);
  dialer.prepare();
  EXPECT_EQ(event_descriptors(), with_spare) << "one is enough";
  const auto second = dialer.begin(directory.address("b"));
  EXPECT_EQ(event_descriptors(), with_spare) << "they were there";
  EXPECT_EQ(second->address, directory.address("b"));
}

TEST(DialerTest, KeepsNoneForWhoHasConnectedToItsParentOnly) {
  SocketDirectory directory;
  Dialer dialer({});
  auto early = std::make_unique<Dial>(TimeLimits{});
  early->begin(directory.address());
  Dial& parents = *early;
  dialer.adopt(std::move(early));
  const int before = event_descriptors();
  EXPECT_EQ(dialer.begin(directory.address()).get(), &parents);
  dialer.prepare();
  EXPECT_LE(event_descriptors(), before);
  EXPECT_EQ(dialer.take_spare(), nullptr);
}

TEST(DialerTest, WithoutDescriptorsTheNextConnectionSaysSo) {
  SocketDirectory directory;
  Dialer dialer({});
  const auto first = dialer.begin(directory.address());
  {
    const NoDescriptors limit;
    dialer.prepare();
    EXPECT_THROW(dialer.begin(directory.address()), Error);
  }
  EXPECT_NE(dialer.begin(directory.address()), nullptr);
}

// What differs between addresses is set when it is known which one it is.
TEST(DialerTest, SocketsMadeAheadLeadToAddressesOfEachKind) {
  SocketDirectory directory;
  run_tasks([&] {
    testing::Echo at_a, at_b;
    Transport a(testing::options_for("a"), at_a);
    Transport b(testing::options_for("b"), at_b);
    const Address addresses[] = {b.bind(directory.address()),
                                 b.bind(Address::parse("tcp://127.0.0.1:0")),
                                 b.bind(Address::parse("tcp://[::1]:0"))};
    testing::serve_while({&a, &b}, [&] {
      for (const Address& address : addresses) {
        EXPECT_EQ(testing::echo(a.connect(address), "x"), "x") << address.str();
      }
    });
  });
}

}  // namespace
}  // namespace troupe
