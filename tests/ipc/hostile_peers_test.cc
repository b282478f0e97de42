// SPDX-License-Identifier: Apache-2.0
// Peers that hold the key, or nearly, and break the protocol on purpose: the guilty connection
// ends, with a reason that its other end can print, the honest one goes on, and nothing grows.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <random>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "troupe/ipc/frame.h"
#include "troupe/ipc/limits.h"
#include "troupe/ipc/transport.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/ipc/hostile_support.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::contains;
using testing::Server;
using testing::Traitor;
using testing::wait_until;

Bytes frame_of(FrameKind kind, std::uint64_t dialog, BytesView payload = {}) {
  Bytes message;
  append_frame(message, kind, dialog, payload);
  return message;
}

Bytes piece_of(FrameKind kind, std::uint64_t dialog, const Piece& piece) {
  Bytes message(frame_header_size + piece_header_size + piece.octets.size(), '\0');
  write_piece(message.data(), kind, dialog, piece);
  return message;
}

// A frame whose length field says something else than how long it is.
Bytes frame_with_length(std::uint32_t length) {
  Bytes message = frame_of(FrameKind::start, 2, "payload");
  std::memcpy(message.data(), &length, sizeof length);
  return message;
}

// Lets a peer shake hands and then say `message`; returns why it was told to go.
std::string told_after(const Bytes& message) {
  std::string told;
  run_tasks([&] {
    Server server;
    server.survive(
        [&](zmq::context_t& context) {
          Traitor traitor(context, server);
          ASSERT_TRUE(traitor.enter());
          traitor.say(message);
          told = traitor.hear_refusal();
        },
        2);
  });
  EXPECT_TRUE(contains(told, "you broke the protocol")) << told;
  return told;
}

// Lets a peer that `tune` has spoiled try to shake hands; returns why it was refused, as its own
// side prints it.
std::string refused_when(const std::function<void(SessionConfig&)>& tune) {
  std::string why;
  run_tasks([&] {
    Server server;
    server.survive([&](zmq::context_t& context) {
      Traitor traitor(context, server, tune);
      EXPECT_FALSE(traitor.enter());
      why = traitor.why();
    });
  });
  return why;
}

// ---- Handshakes ----

TEST(HostilePeersTest, ThePeerThatEntersIsServed) {
  run_tasks([] {
    Server server;
    server.survive(
        [&](zmq::context_t& context) {
          Traitor honest(context, server);
          ASSERT_TRUE(honest.enter()) << honest.why();
          honest.say(frame_of(FrameKind::start, 2, "echo:x"));
          EXPECT_EQ(honest.hear(), frame_of(FrameKind::ret, 2, "x"));
        },
        2);
  });
}

TEST(HostilePeersTest, OtherVersionsAreRefusedWithBothRanges) {
  const std::string why = refused_when([](SessionConfig& config) {
    config.versions = {1000, 2000};
  });
  EXPECT_TRUE(contains(why, "1000 to 2000")) << why;
  EXPECT_TRUE(contains(why, "1 to 1")) << why;
}

TEST(HostilePeersTest, NamesThatAreNoTextAreRefused) {
  for (const std::string name : {"\xff\xfe", "\xed\xa0\x80", "a\x1b[2Jb", ""}) {
    const std::string why = refused_when([&](SessionConfig& config) { config.uid.name = name; });
    EXPECT_TRUE(contains(why, "name")) << why;
  }
}

TEST(HostilePeersTest, IdsAndAddressesThatAreNoneAreRefused) {
  EXPECT_TRUE(contains(refused_when([](SessionConfig& c) { c.uid.uuid = "mine"; }), "uuid"));
  EXPECT_TRUE(contains(refused_when([](SessionConfig& c) { c.address = "somewhere"; }), "address"));
  EXPECT_TRUE(contains(refused_when([](SessionConfig& c) { c.build_id = Bytes(600, 'x'); }),
                       "malformed hello"));
  EXPECT_FALSE(refused_when([](SessionConfig& c) { c.dialed = "no address"; }).empty());
}

TEST(HostilePeersTest, AnotherMagicIsRefused) {
  run_tasks([] {
    Server server;
    server.survive([&](zmq::context_t& context) {
      zmq::socket_t socket = server.stranger(context);
      testing::say(socket, frame_of(FrameKind::hello, 0, "\x89trouqe\n and so on"));
      EXPECT_TRUE(contains(testing::answer(socket), "does not begin as a troupe program does"));
    });
  });
}

TEST(HostilePeersTest, ADialogBeforeTheProofIsRefused) {
  run_tasks([] {
    Server server;
    server.survive([&](zmq::context_t& context) {
      zmq::socket_t socket = server.stranger(context);
      testing::say(socket, frame_of(FrameKind::start, 2, "echo:x"));
      EXPECT_TRUE(contains(testing::answer(socket), "before the end of the handshake"));
    });
    EXPECT_EQ(server.handler.starts, 3) << "the honest client's";
  });
}

// Whoever stands between passes on what was meant for another address: the key is proved by the
// real server alone, and it does not listen where the victim has dialed.
TEST(HostilePeersTest, ARelayIsFoundOut) {
  run_tasks([] {
    Server server;
    const Address trap = server.directory.address("trap");
    std::string why;
    server.survive([&](zmq::context_t& context) {
      zmq::socket_t front(context, zmq::socket_type::router);
      front.set(zmq::sockopt::linger, 0);
      front.bind(trap.str());
      std::atomic<bool> over = false;
      std::jthread relay([&] {
        zmq::socket_t back = server.stranger(context);
        Bytes victim;
        while (!over) {
          zmq::message_t id, message;
          if (front.recv(id, zmq::recv_flags::dontwait)) {
            victim = id.to_string();
            static_cast<void>(front.recv(message, zmq::recv_flags::none));
            back.send(message, zmq::send_flags::dontwait);
          }
          if (back.recv(message, zmq::recv_flags::dontwait)) {
            front.send(zmq::buffer(victim), zmq::send_flags::sndmore);
            front.send(message, zmq::send_flags::dontwait);
          }
          std::this_thread::sleep_for(1ms);
        }
      });
      const struct Stop {
        std::atomic<bool>& flag;
        ~Stop() { flag = true; }
      } stop{over};
      testing::Echo handler;
      Transport victim(testing::options_for("victim"), handler);
      testing::serve_while({&victim}, [&] {
        try {
          victim.connect(trap);
        } catch (const TransportClosed& closed) {
          EXPECT_EQ(closed.reason(), TransportClosed::Reason::refused);
          why = closed.what();
        }
      });
    });
    EXPECT_TRUE(contains(why, "relays")) << why;
    EXPECT_TRUE(contains(why, trap.str())) << why;
  });
}

// ---- After the handshake ----

TEST(HostilePeersTest, RubbishIsNamed) {
  EXPECT_TRUE(contains(told_after("x"), "1 octets that are no frame"));
  EXPECT_TRUE(contains(told_after(Bytes(1000, '\xff')), "octets"));
  std::mt19937_64 random(7);
  Bytes rubbish(5000, '\0');
  for (char& c : rubbish) c = static_cast<char>(random());
  told_after(rubbish);
}

TEST(HostilePeersTest, FramesThatAreCutOrContinuedAreNamed) {
  EXPECT_TRUE(contains(told_after(frame_of(FrameKind::start, 2, "echo:x").substr(0, 20)),
                       "are left in its message"));
  EXPECT_TRUE(contains(told_after(frame_of(FrameKind::start, 2, "echo:x") + "trailing"),
                       "8 octets that are no frame"));
  EXPECT_TRUE(contains(told_after(frame_with_length(0xffffffff)), "4294967295 octets"));
  EXPECT_TRUE(contains(told_after(frame_with_length(3)), "no frame"));
}

TEST(HostilePeersTest, UnknownKindsAndBitsAreNamed) {
  EXPECT_TRUE(contains(told_after(frame_of(static_cast<FrameKind>(200), 2)), "unknown kind 200"));
  EXPECT_TRUE(contains(told_after(frame_of(static_cast<FrameKind>(0), 2)), "unknown kind 0"));
  for (const std::size_t octet : {5u, 6u, 7u}) {
    Bytes message = frame_of(FrameKind::start, 2, "echo:x");
    message[octet] = '\x80';
    EXPECT_TRUE(contains(told_after(message), "reserved bits"));
  }
}

TEST(HostilePeersTest, FramesOutOfOrderAreNamed) {
  EXPECT_TRUE(contains(told_after(frame_of(FrameKind::yield, 2)), "never opened"));
  EXPECT_TRUE(contains(told_after(frame_of(FrameKind::start, 1)), "not the peer's to open"));
  EXPECT_TRUE(contains(told_after(frame_of(FrameKind::hello, 0)), "after the handshake"));
  EXPECT_TRUE(contains(told_after(frame_of(FrameKind::proof, 0)), "after the handshake"));
  EXPECT_TRUE(contains(told_after(frame_of(FrameKind::bye_ack, 0)), "without a bye"));
}

TEST(HostilePeersTest, SizesThatCannotBeAreNamed) {
  const std::uint64_t huge = std::uint64_t{1} << 63;
  EXPECT_TRUE(contains(told_after(piece_of(FrameKind::start, 2, {huge, 0, "x"})),
                       "9223372036854775808 octets"));
  EXPECT_TRUE(contains(told_after(piece_of(FrameKind::start, 2, {huge, huge - 1, "x"})),
                       "first piece is missing"));
  EXPECT_TRUE(contains(told_after(piece_of(FrameKind::start, 2, {~std::uint64_t{0}, 5, "x"})),
                       "first piece is missing"));
  EXPECT_TRUE(
      contains(told_after(piece_of(FrameKind::start, 2, {1, 0, "xyz"})), "beyond its whole"));
  EXPECT_TRUE(contains(told_after(frame_of(FrameKind::ping, 0, Bytes(65, 'x'))), "ping"));
}

// Large values that are announced and never sent cost their announcer the connection, once they
// are more than a connection may have under way.
TEST(HostilePeersTest, ValuesThatAreAnnouncedAndNotSentAreBounded) {
  Bytes message;
  for (std::uint64_t id = 2; id <= 20; id += 2) {
    message += piece_of(FrameKind::start, id, {Limits{}.max_payload, 0, "x"});
  }
  EXPECT_TRUE(contains(told_after(message), "on their way at once"));
}

// ---- Numbers ----

// It asks and asks and never reads an answer: what waits for it is bounded, and then it goes.
TEST(HostilePeersTest, WhoNeverReadsIsToldToGo) {
  run_tasks([] {
    TransportOptions careful = testing::options_for("server");
    careful.limits.max_queued = 4u << 20;
    Server server(std::move(careful));
    server.survive(
        [&](zmq::context_t& context) {
          Traitor traitor(context, server);
          ASSERT_TRUE(traitor.enter());
          const Bytes large = "echo:" + Bytes(50'000, 'x');
          std::size_t most = 0;
          for (std::uint64_t id = 2; server.handler.disconnected == 0; id += 2) {
            traitor.say(frame_of(FrameKind::start, id, large));
            sleep(0ms);
            for (const auto& connection : server.transport.connections()) {
              most = std::max(most, connection->queued());
            }
          }
          EXPECT_LT(most, 6u << 20);
          EXPECT_TRUE(contains(server.handler.reasons.at(0), "wait to be read"))
              << server.handler.reasons.at(0);
        },
        2);
  });
}

TEST(HostilePeersTest, WhoOpensDialogsWithoutEndIsToldToGo) {
  run_tasks([] {
    TransportOptions careful = testing::options_for("server");
    careful.limits.max_dialogs = 100;
    Server server(std::move(careful));
    server.survive(
        [&](zmq::context_t& context) {
          Traitor traitor(context, server);
          ASSERT_TRUE(traitor.enter());
          Bytes message;
          for (std::uint64_t id = 2; id < 2000; id += 2) {
            message += frame_of(FrameKind::start, id, "silent");
          }
          traitor.say(message);
          EXPECT_TRUE(contains(traitor.hear_refusal(), "too many others open"));
          EXPECT_LE(server.handler.dialogs_closed, 202);
        },
        2);
  });
}

// A peer that floods the server with what is allowed is served, and so is everybody else meanwhile.
TEST(HostilePeersTest, AFloodStarvesNobody) {
  run_tasks([] {
    Server server;
    server.survive(
        [&](zmq::context_t& context) {
          Traitor traitor(context, server);
          ASSERT_TRUE(traitor.enter());
          auto honest = server.client.connect(server.directory.address());
          Bytes pings;
          for (int i = 0; i < 1000; ++i) pings += frame_of(FrameKind::ping, 0, Bytes(64, 'x'));
          for (int i = 0; i < 200; ++i) {
            traitor.say(pings);
            if (i % 20 == 0) {
              EXPECT_EQ(testing::echo(honest, "between"), "between");
            }
          }
          for (const auto& connection : server.transport.connections()) {
            EXPECT_LT(connection->queued(), 4u << 20);
          }
        },
        2);
  });
}

// Those who come to be refused leave nothing.
TEST(HostilePeersTest, ThousandsOfRefusedPeersLeaveNothing) {
  run_tasks([] {
    Server server;
    const auto visits = [&](zmq::context_t& context, int count) {
      for (int i = 0; i < count; ++i) {
        zmq::socket_t socket = server.stranger(context);
        testing::say(socket, Bytes(3000, 'x'));
        testing::answer(socket);
      }
    };
    server.survive([&](zmq::context_t& context) {
      visits(context, 200);  // warms up
      const auto descriptors = testing::open_descriptors();
      visits(context, 2000);
      wait_until([&] { return server.transport.statistics().peers < 20; });
      EXPECT_LT(testing::open_descriptors(), descriptors + 100);
    });
  });
}

}  // namespace
}  // namespace troupe
