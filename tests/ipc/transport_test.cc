// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/transport.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/ipc/socket_support.h"
#include "troupe/tests/ipc/two_actors.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::Call;
using testing::contains;
using testing::Echo;
using testing::options_for;
using testing::serve_while;
using testing::SocketDirectory;
using testing::TwoActors;
using testing::wait_until;
using testing::with_two_actors;

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

}  // namespace
}  // namespace troupe
