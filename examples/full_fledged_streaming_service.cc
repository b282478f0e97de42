// SPDX-License-Identifier: Apache-2.0

// Four processes: two streamers send the same numbers, an aggregator starts them, merges what they
// send through a memory channel and forwards each number once, and the root receives the stream of
// the aggregator's main task. Prints, with the times that it took:
//
//   STREAM TIME = 0.05 s
//   STREAM + SPAWN TIME = 0.21 s
//   0 to 999, each once and in order

#include <chrono>
#include <iostream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/troupe.h"

void stream_data(troupe::Sink<int> out, int seed) {
  for (int i = 0; i < seed; ++i) {
    out.send(i);
    troupe::checkpoint();  // let the others have a turn
  }
}

inline const auto& sources = troupe::module<"sources", &stream_data>;

// Sends all that `streamer` has into the channel, which is closed at the end of its last sender.
void push_to_channel(const troupe::Portal& streamer, const troupe::MemorySendChannel<int>& out,
                     int seed) {
  streamer.open_stream<&stream_data>(seed, [&](troupe::ReceiveStream<int>& numbers) {
    for (int number : numbers) out.send(number);
  });
}

void aggregate(troupe::Sink<int> out, int seed) {
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    auto channel = troupe::open_memory_channel<int>(500);
    for (const char* name : {"streamer_1", "streamer_2"}) {
      troupe::Portal streamer = n.start_actor(name, {.enable_modules = {sources}});
      n.start_soon(
          [streamer, mine = channel.send.clone(), seed] { push_to_channel(streamer, mine, seed); });
    }
    channel.send.close();  // the clones are open
    std::set<int> seen;
    for (int number : channel.receive) {
      if (seen.insert(number).second) out.send(number);
    }
    n.cancel();  // the streamers have done their duty
  });
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    using Clock = std::chrono::steady_clock;
    const auto since = [](Clock::time_point start) {
      return std::chrono::duration<double>(Clock::now() - start).count();
    };
    std::vector<int> result;
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      const Clock::time_point before_spawn = Clock::now();
      auto portal = n.run_in_actor<&aggregate>("aggregator", 1000);
      const Clock::time_point before_stream = Clock::now();
      portal.result([&](troupe::ReceiveStream<int>& numbers) {
        for (int number : numbers) result.push_back(number);
      });
      std::cout << "STREAM TIME = " << since(before_stream) << " s" << std::endl;
      std::cout << "STREAM + SPAWN TIME = " << since(before_spawn) << " s" << std::endl;
    });
    for (int i = 0; i < 1000; ++i) {
      if (result.at(i) != i) throw std::logic_error("a number is missing");
    }
    if (result.size() != 1000) throw std::logic_error("too many numbers");
    std::cout << "0 to 999, each once and in order" << std::endl;
  });
}
