// SPDX-License-Identifier: Apache-2.0

// Several tasks use one portal at once. All their streams share one connection, and each gets its
// own values. Prints:
//
//   stream 0: 0 1 2 3 4
//   stream 1: 100 101 102 103 104
//   stream 2: 200 201 202 203 204

#include <iostream>
#include <string>
#include <vector>

#include "troupe/troupe.h"

void count_from(troupe::Sink<int> out, int first) {
  for (int i = 0; i < 5; ++i) {
    out.send(first + i);
    troupe::checkpoint();
  }
}

inline const auto& counting = troupe::module<"counting", &count_from>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    std::vector<std::string> lines(3);
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      troupe::Portal counter = n.start_actor("counter", {.enable_modules = {counting}});
      troupe::open_task_nursery([&](troupe::TaskNursery& tasks) {
        for (std::size_t i = 0; i < lines.size(); ++i) {
          tasks.start_soon([counter, i, &line = lines[i]] {
            counter.open_stream<&count_from>(100 * i, [&](troupe::ReceiveStream<int>& numbers) {
              for (int number : numbers) line += " " + std::to_string(number);
            });
          });
        }
      });
      counter.cancel_actor();
    });
    for (std::size_t i = 0; i < lines.size(); ++i) {
      std::cout << "stream " << i << ":" << lines[i] << std::endl;
    }
  });
}
