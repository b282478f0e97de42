// SPDX-License-Identifier: Apache-2.0

// A context: two linked tasks in two processes, with a first word, a stream in both directions and
// a result. Prints:
//
//   started with 11
//   10 pings, 10 pongs

#include <iostream>
#include <string>

#include "troupe/troupe.h"

// --(context-begin)--
struct PingPong {
  using Started = int;
  using ToCallee = std::string;
  using ToCaller = std::string;
};

int simple_rpc(troupe::Context<PingPong>& ctx, int data) {
  ctx.started(data + 1);
  int pings = 0;
  ctx.open_stream([&](troupe::Stream<std::string, std::string>& stream) {  // <received, sent>
    for (const std::string& msg : stream) {
      if (msg == "ping") ++pings;
      stream.send("pong");
    }
  });
  return pings;
}
// --(context-end)--

inline const auto& game = troupe::module<"game", &simple_rpc>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      troupe::Portal player = n.start_actor("player", {.enable_modules = {game}});
      int pongs = 0;
      // --(open-begin)--
      const int pings = player.open_context<&simple_rpc>(
          10, [&](troupe::CallerContext<PingPong, int>& ctx, int first) {
            std::cout << "started with " << first << std::endl;
            ctx.open_stream([&](troupe::Stream<std::string, std::string>& stream) {
              for (int i = 0; i < 10; ++i) {
                stream.send("ping");
                if (stream.receive() == "pong") ++pongs;
              }
            });  // the other side's loop ends here
            return ctx.result();
          });
      // --(open-end)--
      std::cout << pings << " pings, " << pongs << " pongs" << std::endl;
      player.cancel_actor();
    });
  });
}
