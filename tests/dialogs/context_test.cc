// SPDX-License-Identifier: Apache-2.0

// Contexts between processes: both ends are one scope.

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

struct PingPong {
  using Started = int;
  using ToCallee = std::string;
  using ToCaller = std::string;
};

int simple_rpc(troupe::Context<PingPong>& ctx, int data) {
  EXPECT_EQ(&troupe::current_ipc_ctx(), &ctx);
  ctx.started(data + 1);
  int pings = 0;
  ctx.open_stream([&](troupe::Stream<std::string, std::string>& stream) {
    for (const std::string& msg : stream) {
      EXPECT_EQ(msg, "ping");
      ++pings;
      stream.send("pong");
    }
  });
  return pings;
}

inline const auto& game = troupe::module<"game", &simple_rpc>;

TEST(ContextTest, PingsAndPongs) {
  troupe::open_root_actor({}, [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      troupe::Portal portal = n.start_actor("player", {.enable_modules = {game}});
      const int pings = portal.open_context<&simple_rpc>(10, [](auto& ctx, int first) {
        EXPECT_EQ(first, 11);
        ctx.open_stream([](troupe::Stream<std::string, std::string>& stream) {
          for (int i = 0; i < 10; ++i) {
            stream.send("ping");
            EXPECT_EQ(stream.receive(), "pong");
          }
        });
        return ctx.result();
      });
      EXPECT_EQ(pings, 10);
      n.cancel();
    });
  });
}

}  // namespace
