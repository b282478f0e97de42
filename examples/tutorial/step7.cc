// SPDX-License-Identifier: Apache-2.0

// A pipeline whose worker dies, and is started again.
// Step 7 of docs/tutorial.md.

#include <csignal>
#include <iostream>

#include "troupe/troupe.h"

using namespace std::chrono_literals;

void numbers(troupe::Sink<int> out, int end) {
  for (int i = 1; i <= end; ++i) out.send(i);
}

int square(int number, int attempt) {
  if (number == 3 && attempt == 1) raise(SIGKILL);
  return number * number;
}

inline const auto& pipeline = troupe::module<"pipeline", &numbers, &square>;

int square_until_done(const troupe::Portal& worker, int number) {
  for (int attempt = 1;; ++attempt) {
    try {
      return worker.run<&square>(number, attempt);  // waits while the worker is being replaced
    } catch (const troupe::ActorDied& died) {
      std::cout << died.uid().name << " died of signal " << died.signal() << std::endl;
    }
  }
}

void run_pipeline(troupe::ActorNursery& n) {
  const troupe::Portal source = n.start_actor("source", {.enable_modules = {pipeline}});
  const troupe::Portal worker = n.start_actor("worker", {.enable_modules = {pipeline}});
  source.open_stream<&numbers>(4, [&](troupe::ReceiveStream<int>& values) {
    for (int value : values) std::cout << square_until_done(worker, value) << std::endl;
  });
  n.cancel();
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery({.supervise = troupe::one_for_one({.intensity = 3, .period = 5s})},
                         run_pipeline);
  });
}
