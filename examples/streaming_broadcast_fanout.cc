// SPDX-License-Identifier: Apache-2.0

// One stream from another process, and many tasks here that each get every value of it. Prints:
//
//   22 tasks, each of which got 100 values

#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/troupe.h"

struct Broadcast {
  using Started = void;
  using ToCallee = std::string;
  using ToCaller = int;
};

// Sends when all are there.
void broadcast(troupe::Context<Broadcast>& ctx, int count) {
  ctx.started();
  ctx.open_stream([&](troupe::Stream<std::string, int>& stream) {
    stream.receive();
    for (int i = 0; i < count; ++i) stream.send(i);
  });
}

inline const auto& radio = troupe::module<"radio", &broadcast>;

// --(subscribe-begin)--
// Counts the values that this task gets, all of them in order.
void listen(troupe::Stream<int, std::string>& stream, troupe::TaskStatus<void>& status, int& got) {
  stream.subscribe([&](troupe::StreamSubscription<int>& values) {
    status.started();
    for (int value : values) {
      if (value != got++) throw std::logic_error("a value is missing");
    }
  });
}
// --(subscribe-end)--

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      troupe::Portal station = n.start_actor("station", {.enable_modules = {radio}});
      std::vector<int> got(22);
      station.open_context<&broadcast>(100, [&](troupe::CallerContext<Broadcast, void>& ctx) {
        ctx.open_stream([&](troupe::Stream<int, std::string>& stream) {
          troupe::open_task_nursery([&](troupe::TaskNursery& tasks) {
            for (int& mine : got) {
              tasks.start([&stream, &mine](troupe::TaskStatus<void>& status) {
                listen(stream, status, mine);
              });
            }
            stream.send("go");
          });
        });
      });
      for (int count : got) {
        if (count != 100) throw std::logic_error("a task missed values at the end");
      }
      std::cout << got.size() << " tasks, each of which got " << got.front() << " values"
                << std::endl;
      station.cancel_actor();
    });
  });
}
