// SPDX-License-Identifier: Apache-2.0
// Addresses and peers that a transport does not take, and what it says of them.

#include "troupe/ipc/transport.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/ipc/socket_support.h"
#include "troupe/tests/ipc/two_actors.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::contains;
using testing::Echo;
using testing::failure_of;
using testing::options_for;
using testing::serve_while;
using testing::SocketDirectory;
using testing::TwoActors;
using testing::wait_until;
using testing::with_two_actors;
using Reason = TransportClosed::Reason;

TEST(TransportRefusalTest, ConnectingToNothingNamesTheAddress) {
  run_tasks([] {
    SocketDirectory directory;
    Echo handler;
    Transport transport(options_for("a"), handler);
    serve_while({&transport}, [&] {
      const Address address = directory.address("missing");
      const std::string text = failure_of([&] { transport.connect(address); });
      EXPECT_TRUE(contains(text, address.str())) << text;
      EXPECT_TRUE(contains(text, "does not exist")) << text;
      EXPECT_EQ(transport.statistics().channels, 0u);
    });
    EXPECT_EQ(handler.disconnected, 0) << "it never stood";
  });
}

TEST(TransportRefusalTest, ConnectingToAPortWhereNobodyListensFailsAtOnce) {
  run_tasks([] {
    Echo handler;
    Transport transport(options_for("a"), handler);
    serve_while({&transport}, [&] {
      const std::string text =
          failure_of([&] { transport.connect(Address::parse("tcp://127.0.0.1:1")); });
      EXPECT_TRUE(contains(text, "tcp://127.0.0.1:1")) << text;
      EXPECT_TRUE(contains(text, "nobody accepts")) << text;
    });
  });
}

TEST(TransportRefusalTest, ConnectingWithAnotherKeyFailsOnBothSides) {
  run_tasks([] {
    TransportOptions stranger = options_for("stranger");
    stranger.key = Key::from_bytes(Bytes(Key::size, 'z'));
    TwoActors actors(std::move(stranger));
    actors.serve([&] {
      try {
        actors.a.connect(actors.address);
        ADD_FAILURE();
      } catch (const TransportClosed& closed) {
        EXPECT_EQ(closed.reason(), Reason::refused);
        EXPECT_TRUE(contains(closed.what(), "another key")) << closed.what();
      }
      wait_until([&] { return actors.b.statistics().peers == 0; });
    });
    EXPECT_EQ(actors.at_b.connected, 0);
    EXPECT_EQ(actors.at_b.disconnected, 0);
  });
}

TEST(TransportRefusalTest, ACancelledConnectLeavesNothing) {
  with_two_actors([](TwoActors& actors) {
    const Address gone = actors.directory.address("silent");
    // An actor that does not serve stands for anything that takes long.
    Echo at_c;
    Transport c(options_for("c"), at_c);
    const Address slow = c.bind(gone);
    EXPECT_FALSE(move_on_after(20ms, [&] { actors.a.connect(slow); }));
    wait_until([&] { return actors.a.statistics().channels == 0; });
  });
}

// IPC-04: a handshake has a limit of its own, a generous one.
TEST(TransportRefusalTest, AnActorThatDoesNotServeIsGivenUpInTime) {
  EXPECT_EQ(TransportOptions{}.times.handshake, 10s);
  run_tasks([] {
    TransportOptions hasty = options_for("a");
    hasty.times.handshake = 100ms;
    SocketDirectory directory;
    Echo at_a, at_b;
    Transport a(std::move(hasty), at_a);
    Transport b(options_for("b"), at_b);
    const Address address = b.bind(directory.address());
    serve_while({&a}, [&] {
      const std::string text = failure_of([&] { a.connect(address); });
      EXPECT_TRUE(contains(text, address.str())) << text;
      EXPECT_TRUE(contains(text, "nobody answered within 0.1 s")) << text;
    });
  });
}

// IPC-06: an address that is listened on cannot be bound again.
TEST(TransportRefusalTest, AnAddressInUseCannotBeBound) {
  with_two_actors([](TwoActors& actors) {
    EXPECT_TRUE(contains(failure_of([&] { actors.a.bind(actors.address); }), "already in use"));
    const Address tcp = actors.b.bind(Address::parse("tcp://127.0.0.1:*"));
    EXPECT_TRUE(contains(failure_of([&] { actors.a.bind(tcp); }), "already in use"));
    EXPECT_EQ(testing::echo(actors.a.connect(actors.address), "x"), "x") << "it still works";
  });
}

// Of two who want an address exactly one gets it, and the other is told so.
TEST(TransportRefusalTest, AnExclusiveAddressIsOnesOwn) {
  with_two_actors([](TwoActors& actors) {
    const Address address = actors.directory.address("new/a");
    EXPECT_EQ(actors.b.bind_exclusively(address), address);
    for (const Address& taken : {address, actors.b.bind(Address::parse("tcp://127.0.0.1:*"))}) {
      try {
        actors.a.bind_exclusively(taken);
        ADD_FAILURE() << taken.str();
      } catch (const TransportClosed& closed) {
        EXPECT_EQ(closed.reason(), Reason::in_use) << closed.what();
      }
    }
    EXPECT_EQ(testing::echo(actors.a.connect(address), "x"), "x");
    actors.b.unbind(address);
    EXPECT_EQ(actors.a.bind_exclusively(address), address);
    actors.a.unbind(address);
    EXPECT_EQ(::rmdir(actors.directory.path("new").c_str()), 0) << "nothing is left in it";
  });
}

// What a process that was killed has left behind is no obstacle.
TEST(TransportRefusalTest, AnAbandonedSocketIsReplaced) {
  with_two_actors([](TwoActors& actors) {
    const Address address = actors.directory.address("old");
    ASSERT_EQ(::link(actors.directory.path("b").c_str(), actors.directory.path("old").c_str()), 0);
    EXPECT_THROW(actors.a.bind_exclusively(address), TransportClosed) << "it is alive";
    actors.b.stop_listening();
    while (true) {
      try {
        actors.a.bind_exclusively(address);
        break;
      } catch (const TransportClosed&) {
        sleep(1ms);  // ZeroMQ closes sockets in its own time
      }
    }
  });
}

TEST(TransportRefusalTest, WhoListensNoMoreCanStillConnect) {
  with_two_actors([](TwoActors& actors) {
    const Address of_a = actors.a.bind(actors.directory.address("a"));
    auto to_b = actors.a.connect(actors.address);
    actors.b.stop_listening();
    to_b->wait_closed();
    EXPECT_THROW(actors.a.connect(actors.address), TransportClosed);
    EXPECT_EQ(testing::echo(actors.b.connect(of_a), "x"), "x");
    EXPECT_TRUE(actors.b.addresses().empty());
  });
}

TEST(TransportRefusalTest, LocalhostCanBeBound) {
  with_two_actors([](TwoActors& actors) {
    const Address bound = actors.b.bind(Address::parse("tcp://localhost:0"));
    EXPECT_EQ(bound.host(), "127.0.0.1");
    EXPECT_EQ(testing::echo(actors.a.connect(bound), "x"), "x");
  });
}

TEST(TransportRefusalTest, AnActorOfAnotherClusterIsReachedWithItsKey) {
  run_tasks([] {
    TransportOptions guest = options_for("guest");
    guest.key = Key::from_bytes(Bytes(Key::size, 'z'));
    TwoActors actors(std::move(guest));
    actors.serve([&] {
      EXPECT_THROW(actors.a.connect(actors.address), TransportClosed);
      const Key key = Key::from_bytes(Bytes(Key::size, 'k'));
      EXPECT_EQ(testing::echo(actors.a.connect(actors.address, &key), "x"), "x");
    });
  });
}

// IPC-14: on the accepting side of a Unix socket the kernel tells who has connected.
TEST(TransportRefusalTest, TheKernelTellsWhoHasConnected) {
  with_two_actors([](TwoActors& actors) {
    auto connection = actors.a.connect(actors.address);
    testing::echo(connection, "x");
    EXPECT_FALSE(connection->credentials());
    auto accepted = actors.b.connections().at(0);
    EXPECT_EQ(accepted->credentials(), (PeerCredentials{::getpid(), ::geteuid(), ::getegid()}));
    const Address tcp = actors.b.bind(Address::parse("tcp://127.0.0.1:*"));
    testing::echo(actors.a.connect(tcp), "y");
    for (const auto& each : actors.b.connections()) {
      EXPECT_EQ(each->credentials().has_value(), each == accepted);
    }
  });
}

TEST(TransportRefusalTest, AFileThatIsNoSocketIsNotReplaced) {
  with_two_actors([](TwoActors& actors) {
    std::ofstream(actors.directory.path("precious")) << "data";
    const std::string text =
        failure_of([&] { actors.a.bind(actors.directory.address("precious")); });
    EXPECT_TRUE(contains(text, "no socket")) << text;
    struct stat status {};
    ASSERT_EQ(::lstat(actors.directory.path("precious").c_str(), &status), 0);
    EXPECT_TRUE(S_ISREG(status.st_mode));
  });
}

TEST(TransportRefusalTest, AMissingDirectoryIsNamed) {
  with_two_actors([](TwoActors& actors) {
    const std::string text =
        failure_of([&] { actors.a.bind(actors.directory.address("no/such/dir")); });
    EXPECT_TRUE(contains(text, "no/such/dir")) << text;
    EXPECT_TRUE(contains(text, "directory")) << text;
  });
}

TEST(TransportRefusalTest, TcpBeyondThisHostNeedsTheOptionThatSaysSo) {
  run_tasks([] {
    Echo handler;
    Transport careful(options_for("a"), handler);
    const Address everywhere = Address::parse("tcp://0.0.0.0:*");
    EXPECT_THROW(careful.bind(everywhere), UsageError);
    const std::string text =
        failure_of([&] { careful.connect(Address::parse("tcp://192.0.2.1:80")); });
    EXPECT_TRUE(contains(text, "insecure_tcp")) << text;
    TransportOptions bold = options_for("a");
    bold.insecure_tcp = true;
    Transport insecure(std::move(bold), handler);
    EXPECT_NE(insecure.bind(everywhere).port(), 0);
  });
}

TEST(TransportRefusalTest, WildcardsCannotBeConnectedTo) {
  run_tasks([] {
    TransportOptions bold = options_for("a");
    bold.insecure_tcp = true;
    Echo handler;
    Transport transport(std::move(bold), handler);
    EXPECT_THROW(transport.connect(Address::parse("tcp://*:5")), UsageError);
    EXPECT_THROW(transport.connect(Address()), UsageError);
  });
}

TEST(TransportRefusalTest, ServeRunsOnce) {
  with_two_actors([](TwoActors& actors) {
    checkpoint();
    EXPECT_THROW(actors.a.serve(), UsageError);
  });
}

}  // namespace
}  // namespace troupe
