// SPDX-License-Identifier: Apache-2.0

// A cluster: equal actors, started side by side, whose portals come in order; they leave when the
// body has ended. Prints:
//
//   root.worker_0 of 3: sleepy
//   root.worker_1 of 3: sleepy
//   root.worker_2 of 3: sleepy
//   and all are gone

#include <iostream>
#include <string>
#include <vector>

#include "troupe/troupe.h"

using namespace std::chrono_literals;

std::string sleepy_jane(int total) {
  troupe::sleep(100ms);
  return troupe::current_actor().name() + " of " + std::to_string(total) + ": sleepy";
}

inline const auto& bedroom = troupe::module<"bedroom", &sleepy_jane>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_actor_cluster(
        {.count = 3, .enable_modules = {bedroom}}, [](const std::vector<troupe::Portal>& workers) {
          std::vector<std::string> lines(workers.size());
          troupe::open_task_nursery([&](troupe::TaskNursery& n) {  // they sleep at the same time
            for (std::size_t i = 0; i < workers.size(); ++i) {
              n.start_soon([&lines, &workers, i] {
                lines[i] = workers[i].run<&sleepy_jane>(static_cast<int>(workers.size()));
              });
            }
          });
          for (const std::string& line : lines) std::cout << line << std::endl;
        });
    std::cout << "and all are gone" << std::endl;
  });
}
