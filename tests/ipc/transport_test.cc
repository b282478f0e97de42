// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/transport.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/ipc/socket_support.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::Call;
using testing::Echo;
using testing::message_of;
using testing::options_for;
using testing::serve_while;
using testing::SocketDirectory;
using Reason = TransportClosed::Reason;

/// Two actors in one loop: `b` listens, `a` may connect to it.
struct TwoActors {
  explicit TwoActors(TransportOptions of_a = options_for("a"),
                     TransportOptions of_b = options_for("b"))
      : a(std::move(of_a), at_a), b(std::move(of_b), at_b) {
    address = b.bind(directory.address("b"));
  }
  void serve(const std::function<void()>& body) { serve_while({&a, &b}, body); }

  SocketDirectory directory;
  Address address;
  Echo at_a, at_b;
  Transport a, b;
};

template <class Body>
void with_two_actors(Body&& body) {
  run_tasks([&] {
    TwoActors actors;
    actors.serve([&] { body(actors); });
  });
}

std::string failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void wait_until(const std::function<bool()>& condition) {
  while (!condition()) sleep(1ms);
}

// ---- Calls ----

TEST(TransportTest, ACallGoesThereAndBack) {
  with_two_actors([](TwoActors& actors) {
    auto connection = actors.a.connect(actors.address);
    EXPECT_EQ(connection->peer().name, "b");
    EXPECT_EQ(connection->peer_pid(), ::getpid());
    EXPECT_EQ(connection->peer_address(), actors.address);
    EXPECT_EQ(connection->build_id(), "test");
    EXPECT_EQ(testing::echo(connection, "hello"), "hello");
  });
}

TEST(TransportTest, BothDirectionsShareOneConnection) {
  with_two_actors([](TwoActors& actors) {
    auto from_a = actors.a.connect(actors.address);
    EXPECT_EQ(testing::echo(from_a, "1"), "1");
    ASSERT_EQ(actors.b.connections().size(), 1u);
    auto from_b = actors.b.connections()[0];
    EXPECT_EQ(from_b->peer().name, "a");
    EXPECT_EQ(testing::echo(from_b, "2"), "2");
  });
}

TEST(TransportTest, AnOpenConnectionIsUsedAgain) {
  with_two_actors([](TwoActors& actors) {
    auto first = actors.a.connect(actors.address);
    EXPECT_EQ(actors.a.connect(actors.address), first);
    EXPECT_EQ(actors.b.statistics().peers, 1u);
  });
}

TEST(TransportTest, AnAcceptedConnectionServesTheOtherWayToo) {
  with_two_actors([](TwoActors& actors) {
    const Address of_a = actors.a.bind(actors.directory.address("a"));
    actors.a.connect(actors.address);
    wait_until([&] { return actors.at_b.connected == 1; });
    auto back = actors.b.connect(of_a);
    EXPECT_EQ(testing::echo(back, "x"), "x");
    EXPECT_EQ(actors.a.statistics().peers, 0u);
    EXPECT_EQ(actors.b.statistics().channels, 0u);
  });
}

TEST(TransportTest, TasksThatConnectAtOnceShareOneHandshake) {
  with_two_actors([](TwoActors& actors) {
    open_task_nursery([&](TaskNursery& nursery) {
      for (int i = 0; i < 20; ++i) {
        nursery.start_soon([&] { testing::echo(actors.a.connect(actors.address), "x"); });
      }
    });
    EXPECT_EQ(actors.at_b.connected, 1);
  });
}

TEST(TransportTest, BothMayConnectToEachOtherAtOnce) {
  with_two_actors([](TwoActors& actors) {
    const Address of_a = actors.a.bind(actors.directory.address("a"));
    open_task_nursery([&](TaskNursery& nursery) {
      nursery.start_soon(
          [&] { EXPECT_EQ(testing::echo(actors.a.connect(actors.address), "from a"), "from a"); });
      nursery.start_soon(
          [&] { EXPECT_EQ(testing::echo(actors.b.connect(of_a), "from b"), "from b"); });
    });
  });
}

TEST(TransportTest, AnActorCanCallItself) {
  with_two_actors([](TwoActors& actors) {
    EXPECT_EQ(testing::echo(actors.b.connect(actors.address), "me"), "me");
  });
}

TEST(TransportTest, ManyCallsAtOnceAllReturn) {
  with_two_actors([](TwoActors& actors) {
    auto connection = actors.a.connect(actors.address);
    std::vector<std::unique_ptr<Call>> calls;
    for (int i = 0; i < 10'000; ++i) {
      calls.push_back(std::make_unique<Call>(connection, "echo:" + std::to_string(i)));
    }
    for (int i = 0; i < 10'000; ++i) ASSERT_EQ(calls[i]->result(), std::to_string(i));
    calls.clear();
    EXPECT_EQ(connection->statistics().open_dialogs, 0u);
    EXPECT_EQ(connection->statistics().queued_octets, 0u);
  });
}

TEST(TransportTest, LargeValuesGoBothWays) {
  with_two_actors([](TwoActors& actors) {
    auto connection = actors.a.connect(actors.address);
    Bytes large(20'000'000, '\0');
    for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 + i / 997);
    EXPECT_TRUE(testing::echo(connection, large) == large);
  });
}

TEST(TransportTest, ASmallCallPassesALargeValue) {
  with_two_actors([](TwoActors& actors) {
    auto connection = actors.a.connect(actors.address);
    Call large(connection, "echo:" + Bytes(50'000'000, 'x'));
    Call small(connection, "echo:small");
    EXPECT_EQ(small.result(), "small");
    EXPECT_GT(connection->queued(), 1'000'000u) << "most of the large value is still to be sent";
    EXPECT_EQ(large.result().size(), 50'000'000u);
  });
}

TEST(TransportTest, ValuesOfAStreamArriveInOrder) {
  with_two_actors([](TwoActors& actors) {
    Call call(actors.a.connect(actors.address), "count:50000");
    call.result();
    ASSERT_EQ(call.values.size(), 50'000u);
    for (int i = 0; i < 50'000; ++i) ASSERT_EQ(call.values[i], std::to_string(i));
  });
}

// IPC-02: a server at a random address listens there, without peers until somebody comes.
TEST(TransportTest, TcpOnTheLoopbackWorksWithAPortOfTheSystemsChoice) {
  with_two_actors([](TwoActors& actors) {
    const Address tcp = actors.b.bind(Address::parse("tcp://127.0.0.1:*"));
    EXPECT_NE(tcp.port(), 0);
    EXPECT_EQ(testing::echo(actors.a.connect(tcp), "x"), "x");
    const Address named = Address::parse("tcp://localhost:" + std::to_string(tcp.port()));
    EXPECT_EQ(testing::echo(actors.a.connect(named), "y"), "y");
    EXPECT_EQ(actors.b.addresses().size(), 2u);
  });
}

// ---- The end in order ----

TEST(TransportTest, LeaveEndsEveryConnectionInOrder) {
  with_two_actors([](TwoActors& actors) {
    auto connection = actors.a.connect(actors.address);
    Call call(connection, "silent");
    testing::echo(connection, "the start has arrived");
    actors.a.leave();
    EXPECT_EQ(call.closed, 1);
    EXPECT_FALSE(connection->open());
    wait_until([&] { return actors.at_b.disconnected == 1; });
    EXPECT_EQ(actors.at_b.dialogs_closed, 1);
    EXPECT_EQ(actors.at_a.disconnected, 1);
    EXPECT_TRUE(contains(actors.at_b.reasons[0], "in order")) << actors.at_b.reasons[0];
    wait_until([&] { return actors.b.statistics().peers == 0; });
    EXPECT_EQ(actors.a.statistics().channels, 0u);
  });
}

TEST(TransportTest, TheAcceptingSideMayLeaveToo) {
  with_two_actors([](TwoActors& actors) {
    auto connection = actors.a.connect(actors.address);
    testing::echo(connection, "x");
    actors.b.leave();
    connection->wait_closed();
    EXPECT_EQ(actors.at_a.disconnected, 1);
    EXPECT_EQ(actors.at_b.disconnected, 1);
    EXPECT_TRUE(contains(actors.at_a.reasons[0], "in order")) << actors.at_a.reasons[0];
  });
}

TEST(TransportTest, BothMayLeaveAtOnce) {
  with_two_actors([](TwoActors& actors) {
    auto connection = actors.a.connect(actors.address);
    testing::echo(connection, "x");
    open_task_nursery([&](TaskNursery& nursery) {
      nursery.start_soon([&] { actors.a.leave(); });
      nursery.start_soon([&] { actors.b.leave(); });
    });
    EXPECT_EQ(actors.at_a.disconnected, 1);
    EXPECT_EQ(actors.at_b.disconnected, 1);
  });
}

TEST(TransportTest, EverythingSaidBeforeByeArrives) {
  with_two_actors([](TwoActors& actors) {
    auto connection = actors.a.connect(actors.address);
    std::vector<std::unique_ptr<Call>> calls;
    for (int i = 0; i < 1000; ++i) {
      calls.push_back(std::make_unique<Call>(connection, "echo:" + Bytes(10'000, 'x')));
    }
    actors.a.leave();
    EXPECT_EQ(actors.at_b.starts, 1000);
  });
}

TEST(TransportTest, AfterTheEndANewConnectionIsMade) {
  with_two_actors([](TwoActors& actors) {
    auto first = actors.a.connect(actors.address);
    actors.a.leave();
    auto second = actors.a.connect(actors.address);
    EXPECT_NE(first, second);
    EXPECT_EQ(testing::echo(second, "again"), "again");
  });
}

TEST(TransportTest, DestructionTellsEveryOpenDialogOnce) {
  run_tasks([] {
    SocketDirectory directory;
    Echo at_a, at_b;
    auto a = std::make_unique<Transport>(options_for("a"), at_a);
    Transport b(options_for("b"), at_b);
    const Address address = b.bind(directory.address());
    std::shared_ptr<Connection> connection;
    std::unique_ptr<Call> call;
    serve_while({a.get(), &b}, [&] {
      connection = a->connect(address);
      call = std::make_unique<Call>(connection, "silent");
      testing::echo(connection, "x");
    });
    a.reset();
    EXPECT_EQ(call->closed, 1);
    EXPECT_EQ(at_a.disconnected, 1);
    EXPECT_FALSE(connection->open());
    connection->send(FrameKind::yield, 2, "into the void");
    EXPECT_THROW(Call(connection, "x"), TransportClosed);
    // The other end learns of it, without a bye.
    serve_while({&b}, [&] { wait_until([&] { return at_b.disconnected == 1; }); });
    EXPECT_EQ(at_b.dialogs_closed, 1);
  });
}

// IPC-17: when a listener closes its socket file goes at once, so late connectors find nothing.
TEST(TransportTest, TheSocketFileLivesAsLongAsTheListener) {
  SocketDirectory directory;
  run_tasks([&] {
    Echo handler;
    {
      Transport transport(options_for("a"), handler);
      transport.bind(directory.address("x"));
      EXPECT_EQ(::access(directory.path("x").c_str(), F_OK), 0);
    }
    EXPECT_NE(::access(directory.path("x").c_str(), F_OK), 0);
  });
}

TEST(TransportTest, NothingIsLeftBehind) {
  with_two_actors([](TwoActors& actors) { actors.a.connect(actors.address); });  // warms up
  const int before = testing::open_descriptors();
  for (int i = 0; i < 20; ++i) {
    with_two_actors(
        [](TwoActors& actors) { testing::echo(actors.a.connect(actors.address), "x"); });
  }
  EXPECT_EQ(testing::open_descriptors(), before);
}

TEST(TransportTest, ManyConnectionsComeAndGo) {
  run_tasks([] {
    SocketDirectory directory;
    Echo at_b;
    Transport b(options_for("b"), at_b);
    const Address address = b.bind(directory.address());
    serve_while({&b}, [&] {
      for (int round = 0; round < 10; ++round) {
        std::vector<std::unique_ptr<Echo>> handlers;
        std::vector<std::unique_ptr<Transport>> clients;
        open_task_nursery([&](TaskNursery& nursery) {
          for (int i = 0; i < 20; ++i) {
            handlers.push_back(std::make_unique<Echo>());
            clients.push_back(std::make_unique<Transport>(options_for("c"), *handlers.back()));
            Transport& client = *clients.back();
            nursery.start_soon([&client, &address] {
              serve_while({&client}, [&] { testing::echo(client.connect(address), "x"); });
            });
          }
        });
        clients.clear();  // without a bye; their descriptors are used again at once
      }
      wait_until([&] { return b.statistics().peers == 0; });
    });
    EXPECT_EQ(at_b.connected, 200);
    EXPECT_EQ(at_b.disconnected, 200);
  });
}

// ---- Refusals ----

TEST(TransportTest, ConnectingToNothingNamesTheAddress) {
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

TEST(TransportTest, ConnectingToAPortWhereNobodyListensFailsAtOnce) {
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

TEST(TransportTest, ConnectingWithAnotherKeyFailsOnBothSides) {
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

TEST(TransportTest, ACancelledConnectLeavesNothing) {
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
TEST(TransportTest, AnActorThatDoesNotServeIsGivenUpInTime) {
  EXPECT_EQ(TransportOptions{}.handshake_timeout, 10s);
  run_tasks([] {
    TransportOptions hasty = options_for("a");
    hasty.handshake_timeout = 100ms;
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
TEST(TransportTest, AnAddressInUseCannotBeBound) {
  with_two_actors([](TwoActors& actors) {
    EXPECT_TRUE(contains(failure_of([&] { actors.a.bind(actors.address); }), "already in use"));
    const Address tcp = actors.b.bind(Address::parse("tcp://127.0.0.1:*"));
    EXPECT_TRUE(contains(failure_of([&] { actors.a.bind(tcp); }), "already in use"));
    EXPECT_EQ(testing::echo(actors.a.connect(actors.address), "x"), "x") << "it still works";
  });
}

// Of two who want an address exactly one gets it, and the other is told so.
TEST(TransportTest, AnExclusiveAddressIsOnesOwn) {
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
TEST(TransportTest, AnAbandonedSocketIsReplaced) {
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

TEST(TransportTest, WhoListensNoMoreCanStillConnect) {
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

TEST(TransportTest, LocalhostCanBeBound) {
  with_two_actors([](TwoActors& actors) {
    const Address bound = actors.b.bind(Address::parse("tcp://localhost:0"));
    EXPECT_EQ(bound.host(), "127.0.0.1");
    EXPECT_EQ(testing::echo(actors.a.connect(bound), "x"), "x");
  });
}

TEST(TransportTest, AnActorOfAnotherClusterIsReachedWithItsKey) {
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
TEST(TransportTest, TheKernelTellsWhoHasConnected) {
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

TEST(TransportTest, AFileThatIsNoSocketIsNotReplaced) {
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

TEST(TransportTest, AMissingDirectoryIsNamed) {
  with_two_actors([](TwoActors& actors) {
    const std::string text =
        failure_of([&] { actors.a.bind(actors.directory.address("no/such/dir")); });
    EXPECT_TRUE(contains(text, "no/such/dir")) << text;
    EXPECT_TRUE(contains(text, "directory")) << text;
  });
}

TEST(TransportTest, TcpBeyondThisHostNeedsTheOptionThatSaysSo) {
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

TEST(TransportTest, WildcardsCannotBeConnectedTo) {
  run_tasks([] {
    TransportOptions bold = options_for("a");
    bold.insecure_tcp = true;
    Echo handler;
    Transport transport(std::move(bold), handler);
    EXPECT_THROW(transport.connect(Address::parse("tcp://*:5")), UsageError);
    EXPECT_THROW(transport.connect(Address()), UsageError);
  });
}

TEST(TransportTest, ServeRunsOnce) {
  with_two_actors([](TwoActors& actors) {
    checkpoint();
    EXPECT_THROW(actors.a.serve(), UsageError);
  });
}

}  // namespace
}  // namespace troupe
