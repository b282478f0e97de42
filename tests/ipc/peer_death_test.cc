// SPDX-License-Identifier: Apache-2.0
// What happens to connections whose other end dies, stops or comes back, with real processes.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "troupe/ipc/transport.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/ipc/socket_support.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::Call;
using testing::Echo;
using testing::ForkedProcess;
using testing::message_of;
using testing::options_for;
using testing::serve_while;
using testing::SocketDirectory;
using testing::wait_until;
using Reason = TransportClosed::Reason;

/// A process that listens at `address` and answers for ever.
void serve_for_ever(const Address& address, const std::function<void()>& ready) {
  run_tasks([&] {
    Echo handler;
    Transport transport(options_for("server"), handler);
    transport.bind(address);
    ready();
    transport.serve();
  });
}

/// A process that connects to `address`, opens a dialog that is never answered, and waits for ever.
void call_and_wait(const Address& address, const std::function<void()>& ready) {
  run_tasks([&] {
    Echo handler;
    Transport transport(options_for("client"), handler);
    serve_while({&transport}, [&] {
      auto connection = transport.connect(address);
      Call call(connection, "silent");
      testing::echo(connection, "the start has arrived");
      ready();
      sleep_forever();
    });
  });
}

Reason reason_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const TransportClosed& closed) {
    return closed.reason();
  }
  ADD_FAILURE() << "no error";
  return Reason::left;
}

// FLT-01: a thousand messages go there and back, and nothing but the end in order ends it.
TEST(PeerDeathTest, TwoProcessesTalkAndPart) {
  SocketDirectory directory;
  ForkedProcess server([&](const auto& ready) { serve_for_ever(directory.address(), ready); });
  server.wait_ready();
  run_tasks([&] {
    Echo handler;
    Transport transport(options_for("a"), handler);
    serve_while({&transport}, [&] {
      auto connection = transport.connect(directory.address());
      EXPECT_NE(connection->peer_pid(), ::getpid());
      for (int i = 0; i < 1000; ++i) ASSERT_EQ(testing::echo(connection, "x"), "x");
      transport.leave();
    });
    ASSERT_EQ(handler.disconnected, 1);
    EXPECT_NE(handler.reasons[0].find("in order"), std::string::npos) << handler.reasons[0];
  });
}

// FLT-03: a peer whose side breaks in the middle of a dialog is missed at once: the dialog ends.
TEST(PeerDeathTest, AKilledServerEndsEveryDialogOfItsClients) {
  SocketDirectory directory;
  ForkedProcess server([&](const auto& ready) { serve_for_ever(directory.address(), ready); });
  server.wait_ready();
  run_tasks([&] {
    Echo handler;
    Transport transport(options_for("a"), handler);
    serve_while({&transport}, [&] {
      auto connection = transport.connect(directory.address());
      Call one(connection, "silent");
      Call two(connection, "silent");
      testing::echo(connection, "the starts have arrived");
      server.kill();
      EXPECT_EQ(reason_of([&] { one.result(); }), Reason::lost);
      EXPECT_EQ(reason_of([&] { two.result(); }), Reason::lost);
      EXPECT_EQ(one.closed, 1);
      EXPECT_EQ(two.closed, 1);
      const std::string text = message_of(connection->why());
      EXPECT_NE(text.find("server@"), std::string::npos) << text;
      EXPECT_EQ(handler.disconnected, 1);
      // The file is still there; a new connection is refused at once.
      EXPECT_EQ(reason_of([&] { transport.connect(directory.address()); }), Reason::unreachable);
    });
  });
}

TEST(PeerDeathTest, AKilledClientEndsEveryDialogAtTheServer) {
  SocketDirectory directory;
  // The client is forked before this process has a ZeroMQ context, and waits for the server.
  ForkedProcess client([&](const auto& ready) {
    directory.await_go();
    call_and_wait(directory.address(), ready);
  });
  run_tasks([&] {
    Echo handler;
    Transport transport(options_for("server"), handler);
    transport.bind(directory.address());
    directory.give_go();
    serve_while({&transport}, [&] {
      wait_until([&] { return handler.starts == 2; });
      EXPECT_EQ(handler.dialogs_closed, 0);
      client.kill();
      wait_until([&] { return handler.disconnected == 1; });
      EXPECT_EQ(handler.dialogs_closed, 1);
      EXPECT_NE(handler.reasons[0].find("client@"), std::string::npos) << handler.reasons[0];
      EXPECT_EQ(transport.statistics().peers, 0u);
    });
  });
}

// A clean last word is never taken for a death: what came before the end is heard first.
TEST(PeerDeathTest, TheLastWordsOfADyingClientAreHeard) {
  SocketDirectory directory;
  ForkedProcess client([&](const auto& ready) {
    directory.await_go();
    run_tasks([&] {
      Echo handler;
      Transport transport(options_for("client"), handler);
      serve_while({&transport}, [&] {
        auto connection = transport.connect(directory.address());
        std::vector<std::unique_ptr<Call>> calls;
        for (int i = 0; i < 500; ++i) {
          calls.push_back(std::make_unique<Call>(connection, "silent"));
          if (i % 10 == 0) sleep(0ms);
        }
        while (connection->queued() != 0) sleep(1ms);
        ::usleep(100'000);  // for the I/O thread
        ready();
        ::_exit(0);
      });
    });
  });
  run_tasks([&] {
    Echo handler;
    Transport transport(options_for("server"), handler);
    transport.bind(directory.address());
    directory.give_go();
    serve_while({&transport}, [&] {
      wait_until([&] { return handler.connected == 1; });
      client.wait_ready();  // blocks the loop: data and death are seen together
      client.wait();
      ::usleep(20'000);
      wait_until([&] { return handler.disconnected == 1; });
      EXPECT_EQ(handler.starts, 500);
      EXPECT_EQ(handler.dialogs_closed, 500);
    });
  });
}

TEST(PeerDeathTest, TheLastWordsOfADyingServerAreHeard) {
  SocketDirectory directory;
  ForkedProcess server([&](const auto& ready) {
    run_tasks([&] {
      Echo handler;
      Transport transport(options_for("server"), handler);
      transport.bind(directory.address());
      ready();
      serve_while({&transport}, [&] {
        wait_until([&] { return handler.connected == 1; });
        auto connection = transport.connections().at(0);
        std::vector<std::unique_ptr<Call>> calls;
        for (int i = 0; i < 500; ++i) {
          calls.push_back(std::make_unique<Call>(connection, "silent"));
          if (i % 10 == 0) sleep(0ms);
        }
        while (connection->queued() != 0) sleep(1ms);
        ::usleep(100'000);  // for the I/O thread
        ::_exit(0);
      });
    });
  });
  server.wait_ready();
  run_tasks([&] {
    Echo handler;
    Transport transport(options_for("client"), handler);
    serve_while({&transport}, [&] {
      testing::echo(transport.connect(directory.address()), "x");
      server.wait();  // blocks the loop: data and death are seen together
      ::usleep(20'000);
      wait_until([&] { return handler.disconnected == 1; });
      EXPECT_EQ(handler.starts, 500);
      EXPECT_EQ(handler.dialogs_closed, 500);
    });
  });
}

TEST(PeerDeathTest, AStoppedPeerIsSlowAndNotDead) {
  SocketDirectory directory;
  ForkedProcess server([&](const auto& ready) { serve_for_ever(directory.address(), ready); });
  server.wait_ready();
  run_tasks([&] {
    Echo handler;
    Transport transport(options_for("a"), handler);
    serve_while({&transport}, [&] {
      auto connection = transport.connect(directory.address());
      testing::echo(connection, "x");
      server.signal(SIGSTOP);
      // Far more than every pipe on the way holds.
      std::vector<std::unique_ptr<Call>> calls;
      for (int i = 0; i < 4000; ++i) {
        calls.push_back(
            std::make_unique<Call>(connection, "echo:" + std::to_string(i) + Bytes(8000, 'x')));
      }
      sleep(100ms);
      EXPECT_GT(connection->queued(), 0u);
      EXPECT_EQ(handler.disconnected, 0);
      server.signal(SIGCONT);
      for (int i = 0; i < 4000; ++i) {
        ASSERT_EQ(calls[i]->result(), std::to_string(i) + Bytes(8000, 'x'));
      }
    });
  });
}

TEST(PeerDeathTest, APeerThatDiesWithAFullPipeIsBuried) {
  SocketDirectory directory;
  ForkedProcess client([&](const auto& ready) {
    directory.await_go();
    call_and_wait(directory.address(), ready);
  });
  run_tasks([&] {
    Echo handler;
    Transport transport(options_for("server"), handler);
    transport.bind(directory.address());
    directory.give_go();
    serve_while({&transport}, [&] {
      wait_until([&] { return handler.starts == 2; });
      client.signal(SIGSTOP);
      Call large(transport.connections().at(0), Bytes(50'000'000, 'x'));
      sleep(20ms);
      client.kill();
      EXPECT_EQ(reason_of([&] { large.result(); }), Reason::lost);
      wait_until([&] { return transport.statistics().peers == 0; });
    });
  });
}

TEST(PeerDeathTest, AServerThatStartedAgainIsReachedAnew) {
  SocketDirectory directory;
  auto server = std::make_unique<ForkedProcess>(
      [&](const auto& ready) { serve_for_ever(directory.address(), ready); });
  server->wait_ready();
  ForkedProcess successor([&](const auto& ready) {
    directory.await_go();
    serve_for_ever(directory.address(), ready);
  });
  run_tasks([&] {
    Echo handler;
    Transport transport(options_for("a"), handler);
    serve_while({&transport}, [&] {
      auto first = transport.connect(directory.address());
      const Uid before = first->peer();
      server.reset();
      first->wait_closed();
      directory.give_go();
      successor.wait_ready();
      auto second = transport.connect(directory.address());
      EXPECT_EQ(testing::echo(second, "x"), "x");
      EXPECT_NE(second->peer(), before);
    });
  });
}

}  // namespace
}  // namespace troupe
