// SPDX-License-Identifier: Apache-2.0
// What listens or connects and is no troupe actor: the guilty connection ends, everyone else's goes
// on, and every error names the address in bounded time.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <thread>
#include <zmq.hpp>

#include "troupe/ipc/frame.h"
#include "troupe/ipc/limits.h"
#include "troupe/ipc/transport.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/ipc/hostile_support.h"
#include "troupe/tests/ipc/socket_support.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::answer;
using testing::contains;
using testing::Echo;
using testing::options_for;
using testing::serve_while;
using testing::Server;
using testing::SocketDirectory;
using testing::unix_socket;
using testing::wait_until;

/// The error of connecting to `address` with little patience; checks that it names the address.
std::string failure_at(const Address& address) {
  TransportOptions hasty = options_for("a");
  hasty.times.handshake = 300ms;
  Echo handler;
  Transport transport(std::move(hasty), handler);
  std::string text = "no error";
  serve_while({&transport}, [&] {
    try {
      transport.connect(address);
    } catch (const TransportClosed& closed) {
      text = closed.what();
    }
    wait_until([&] { return transport.statistics().channels == 0; });
  });
  EXPECT_NE(text.find(address.str()), std::string::npos) << text;
  EXPECT_EQ(handler.connected, 0);
  return text;
}

// ---- What listens ----

TEST(StrangersTest, AListenerThatNeverSpeaksIsGivenUp) {
  run_tasks([] {
    SocketDirectory directory;
    const UniqueFd silent = unix_socket(directory.path("a"), true);
    const std::string text = failure_at(directory.address());
    EXPECT_TRUE(contains(text, "check that")) << text;
  });
}

TEST(StrangersTest, AListenerThatHangsUpIsReported) {
  run_tasks([] {
    SocketDirectory directory;
    const UniqueFd listener = unix_socket(directory.path("a"), true);
    std::jthread stranger([&] { UniqueFd(::accept(listener.get(), nullptr, nullptr)); });
    const std::string text = failure_at(directory.address());
    EXPECT_TRUE(contains(text, "closed it during the handshake")) << text;
  });
}

TEST(StrangersTest, AListenerThatSpeaksAnotherProtocolIsReported) {
  run_tasks([] {
    SocketDirectory directory;
    const UniqueFd listener = unix_socket(directory.path("a"), true);
    std::jthread stranger([&] {
      const UniqueFd peer(::accept(listener.get(), nullptr, nullptr));
      const std::string greeting =
          "220 mail.example ESMTP ready, and quite a bit of text after it "
          "so that nobody waits for more\r\n";
      static_cast<void>(!::write(peer.get(), greeting.data(), greeting.size()));
      ::usleep(500'000);
    });
    const std::string text = failure_at(directory.address());
    EXPECT_TRUE(contains(text, "troupe actor")) << text;
  });
}

TEST(StrangersTest, AnotherZeroMqProgramThatAnswersRubbishIsReported) {
  run_tasks([] {
    SocketDirectory directory;
    zmq::context_t context;
    zmq::socket_t router(context, zmq::socket_type::router);
    router.set(zmq::sockopt::linger, 0);
    router.bind(directory.address().str());
    std::jthread stranger([&] {
      zmq::message_t id, hello;
      static_cast<void>(router.recv(id, zmq::recv_flags::none));
      static_cast<void>(router.recv(hello, zmq::recv_flags::none));
      router.send(id, zmq::send_flags::sndmore);
      router.send(zmq::str_buffer("pleased to meet you"), zmq::send_flags::none);
    });
    const std::string text = failure_at(directory.address());
    EXPECT_TRUE(contains(text, "no troupe actor")) << text;
  });
}

TEST(StrangersTest, AnotherZeroMqProgramThatNeverAnswersIsGivenUp) {
  run_tasks([] {
    SocketDirectory directory;
    zmq::context_t context;
    zmq::socket_t router(context, zmq::socket_type::router);
    router.set(zmq::sockopt::linger, 0);
    router.bind(directory.address().str());
    const std::string text = failure_at(directory.address());
    EXPECT_TRUE(contains(text, "nobody answered within 0.3 s")) << text;
  });
}

TEST(StrangersTest, ASocketFileWithoutAListenerIsReportedAtOnce) {
  run_tasks([] {
    SocketDirectory directory;
    unix_socket(directory.path("a"), true).reset();
    const std::string text = failure_at(directory.address());
    EXPECT_TRUE(contains(text, "nobody listens")) << text;
  });
}

TEST(StrangersTest, AFileThatIsNoSocketIsReported) {
  run_tasks([] {
    SocketDirectory directory;
    const UniqueFd file(::open(directory.path("a").c_str(), O_CREAT | O_WRONLY, 0600));
    failure_at(directory.address());
  });
}

// The impostor bound the address first, and has not the key.
TEST(StrangersTest, AnImpostorAtTheAddressGetsNoConnection) {
  run_tasks([] {
    SocketDirectory directory;
    TransportOptions impostor = options_for("impostor");
    impostor.key = Key::from_bytes(Bytes(Key::size, 'i'));
    Echo at_impostor, at_victim;
    Transport fake(std::move(impostor), at_impostor);
    fake.bind(directory.address());
    Transport victim(options_for("victim"), at_victim);
    serve_while({&fake, &victim},
                [&] { EXPECT_THROW(victim.connect(directory.address()), TransportClosed); });
    EXPECT_EQ(at_impostor.connected, 0);
    EXPECT_EQ(at_victim.connected, 0);
  });
}

// ---- What connects ----

TEST(StrangersTest, RubbishIsAnsweredWithTheReason) {
  run_tasks([] {
    Server server;
    server.survive([&](zmq::context_t& context) {
      zmq::socket_t socket = server.stranger(context);
      socket.send(zmq::str_buffer("GET / HTTP/1.1"), zmq::send_flags::none);
      EXPECT_TRUE(contains(answer(socket), "you broke the protocol"));
    });
  });
}

TEST(StrangersTest, MessagesInSeveralPartsAreRefused) {
  run_tasks([] {
    Server server;
    server.survive([&](zmq::context_t& context) {
      zmq::socket_t socket = server.stranger(context);
      for (int i = 0; i < 100; ++i) socket.send(zmq::str_buffer("x"), zmq::send_flags::sndmore);
      socket.send(zmq::str_buffer("x"), zmq::send_flags::none);
      EXPECT_TRUE(contains(answer(socket), "several parts"));
    });
  });
}

TEST(StrangersTest, EmptyMessagesAreIgnored) {
  run_tasks([] {
    Server server;
    server.survive([&](zmq::context_t& context) {
      zmq::socket_t socket = server.stranger(context);
      for (int i = 0; i < 100; ++i) socket.send(zmq::message_t(), zmq::send_flags::none);
      socket.send(zmq::str_buffer("x"), zmq::send_flags::none);
      answer(socket);
    });
  });
}

TEST(StrangersTest, AFloodOfRubbishFromManyStarvesNobody) {
  run_tasks([] {
    Server server;
    server.survive([&](zmq::context_t& context) {
      std::mt19937_64 random(5);
      std::vector<zmq::socket_t> sockets;
      for (int i = 0; i < 20; ++i) sockets.push_back(server.stranger(context));
      for (int round = 0; round < 200; ++round) {
        for (zmq::socket_t& socket : sockets) {
          Bytes rubbish(random() % 2000, static_cast<char>(random()));
          socket.send(zmq::buffer(rubbish), zmq::send_flags::dontwait);
        }
        if (round % 50 == 0) sleep(1ms);
      }
      for (zmq::socket_t& socket : sockets) answer(socket);
    });
  });
}

TEST(StrangersTest, AMessageBeyondTheLimitEndsItsConnection) {
  run_tasks([] {
    Server server;
    server.survive([&](zmq::context_t& context) {
      zmq::socket_t socket = server.stranger(context);
      Bytes oversized(max_message_size + 1, 'x');
      socket.send(zmq::buffer(oversized), zmq::send_flags::none);
      sleep(50ms);
      EXPECT_EQ(server.transport.statistics().peers, 1u) << "it was never even read";
    });
  });
}

TEST(StrangersTest, PortScannersLeaveNothing) {
  run_tasks([] {
    Server server;
    server.survive([&](zmq::context_t& context) {
      for (int i = 0; i < 200; ++i) {
        const UniqueFd scanner = unix_socket(server.directory.path("a"), false);
        if (i % 2 == 0) static_cast<void>(!::write(scanner.get(), "\r\n\r\n", 4));
        if (i % 20 != 0) continue;
        // A descriptor that a scanner has just left serves a real connection next.
        zmq::socket_t socket = server.stranger(context);
        socket.send(zmq::str_buffer("x"), zmq::send_flags::none);
        answer(socket);
      }
    });
  });
}

// While the server does not look, many come on one descriptor, one after the other, each with a
// message that wants no answer. When it does, all their ends are told before their beginnings.
TEST(StrangersTest, WhoHasGoneBeforeItsFirstMessageIsReadLeavesNothing) {
  run_tasks([] {
    Server server;
    server.survive([&](zmq::context_t&) {
      for (int i = 0; i < 50; ++i) {
        zmq::context_t context;
        zmq::socket_t socket = server.stranger(context);
        socket.set(zmq::sockopt::linger, -1);
        if (i % 3 != 0) socket.send(zmq::message_t(), zmq::send_flags::none);
        socket.close();
        context.close();  // returns when the message is on its way
      }
    });
  });
}

TEST(StrangersTest, AHandshakeThatIsNeverFinishedExpires) {
  run_tasks([] {
    SocketDirectory directory;
    TransportOptions hasty = options_for("server");
    hasty.times.handshake = 50ms;
    Echo handler;
    Transport transport(std::move(hasty), handler);
    transport.bind(directory.address());
    serve_while({&transport}, [&] {
      zmq::context_t context;
      zmq::socket_t slow(context, zmq::socket_type::dealer);
      slow.set(zmq::sockopt::linger, 0);
      slow.connect(directory.address().str());
      slow.send(zmq::message_t(), zmq::send_flags::none);
      wait_until([&] { return transport.statistics().peers == 1; });
      EXPECT_TRUE(contains(answer(slow), "not finished in time"));
    });
  });
}

}  // namespace
}  // namespace troupe
