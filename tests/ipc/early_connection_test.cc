// SPDX-License-Identifier: Apache-2.0
// Connections that are begun before there is a transport.

#include "troupe/ipc/early_connection.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <optional>

#include "troupe/ipc/transport.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/ipc/socket_support.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::Echo;
using testing::options_for;
using testing::serve_while;
using testing::SocketDirectory;
using testing::unix_socket;

bool somebody_knocks(const UniqueFd& listener, std::chrono::milliseconds patience) {
  pollfd look{listener.get(), POLLIN, 0};
  return ::poll(&look, 1, static_cast<int>(patience.count())) == 1;
}

UniqueFd accept_one(const UniqueFd& listener) {
  if (!somebody_knocks(listener, 10s)) return UniqueFd();
  return UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

TEST(EarlyConnectionTest, KnocksBeforeThereIsALoopAndIsGoneOnWith) {
  SocketDirectory directory;
  const UniqueFd stranger = unix_socket(directory.path("a"), true);
  EarlyConnection early(directory.address());
  const UniqueFd accepted = accept_one(stranger);
  ASSERT_TRUE(accepted);
  run_tasks([&] {
    TransportOptions hasty = options_for("a");
    hasty.times.handshake = 100ms;
    Echo handler;
    Transport transport(std::move(hasty), handler);
    transport.adopt(std::move(early));
    serve_while({&transport}, [&] {
      EXPECT_THROW(transport.connect(directory.address()), TransportClosed);
      EXPECT_FALSE(somebody_knocks(stranger, 0ms)) << "it was the one that was begun";
      EXPECT_THROW(transport.connect(directory.address()), TransportClosed);
      EXPECT_TRUE(somebody_knocks(stranger, 10s)) << "and that only once";
    });
  });
}

TEST(EarlyConnectionTest, LeadsToAnActor) {
  SocketDirectory directory;
  run_tasks([&] {
    Echo at_a, at_b;
    Transport a(options_for("a"), at_a);
    Transport b(options_for("b"), at_b);
    b.bind(directory.address());
    a.adopt(EarlyConnection(directory.address()));
    serve_while({&a, &b},
                [&] { EXPECT_EQ(testing::echo(a.connect(directory.address()), "x"), "x"); });
  });
}

TEST(EarlyConnectionTest, IsNoHindranceWhenNobodyListensYet) {
  SocketDirectory directory;
  run_tasks([&] {
    Echo at_a, at_b;
    Transport a(options_for("a"), at_a);
    a.adopt(EarlyConnection(directory.address()));
    sleep(20ms);  // it fails meanwhile, most likely
    Transport b(options_for("b"), at_b);
    b.bind(directory.address());
    serve_while({&a, &b},
                [&] { EXPECT_EQ(testing::echo(a.connect(directory.address()), "x"), "x"); });
  });
}

TEST(EarlyConnectionTest, HangsUpWhenNobodyWantsIt) {
  SocketDirectory directory;
  const UniqueFd stranger = unix_socket(directory.path("a"), true);
  std::optional<EarlyConnection> early(directory.address());
  const UniqueFd accepted = accept_one(stranger);
  ASSERT_TRUE(accepted);
  early.reset();
  char greeting[64];
  ssize_t got = 0;
  while ((got = ::recv(accepted.get(), greeting, sizeof greeting, 0)) > 0) {
  }
  EXPECT_EQ(got, 0);
}

TEST(EarlyConnectionTest, IsRefusedWhereAConnectionWouldBe) {
  run_tasks([] {
    Echo handler;
    Transport transport(options_for("a"), handler);
    EXPECT_THROW(transport.adopt(EarlyConnection(Address::tcp("192.0.2.1", 1))), UsageError);
  });
}

}  // namespace
}  // namespace troupe
