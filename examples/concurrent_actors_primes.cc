// SPDX-License-Identifier: Apache-2.0

// A pool of workers by hand: four actors, each of which takes the next number when it is done with
// one. primes_std_async does the same with threads. Prints whether each number is prime, and what
// was gained:
//
//   112272535095293 is prime
//   ...
//   109972689928419 is not prime
//   4 workers took 0.06 s for 0.15 s of work

#include <array>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <vector>

#include "troupe/troupe.h"

constexpr std::array<std::int64_t, 6> candidates = {112272535095293, 112582705942171,
                                                    112272535095293, 115280095190773,
                                                    115797848077099, 109972689928419};

struct Verdict {
  bool is_prime = false;
  double seconds = 0;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Verdict judge(std::int64_t number) {
  const double begin = now();
  bool is_prime = number % 2 != 0;
  for (std::int64_t divisor = 3; is_prime && divisor * divisor <= number; divisor += 2) {
    is_prime = number % divisor != 0;
  }
  return {is_prime, now() - begin};
}

inline const auto& mathematics = troupe::module<"mathematics", &judge>;

// Each worker has a task that hands it one number after the other.
std::vector<Verdict> judge_all(const std::vector<troupe::Portal>& workers) {
  std::vector<Verdict> verdicts(candidates.size());
  std::size_t next = 0;
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    for (const troupe::Portal& worker : workers) {
      n.start_soon([&verdicts, &next, &worker] {
        while (next < candidates.size()) {
          const std::size_t mine = next++;
          verdicts[mine] = worker.run<&judge>(candidates[mine]);
        }
      });
    }
  });
  return verdicts;
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_actor_cluster(
        {.count = 4, .enable_modules = {mathematics}}, [](const auto& workers) {
          const double begin = now();
          const std::vector<Verdict> verdicts = judge_all(workers);
          const double took = now() - begin;
          double work = 0;
          for (std::size_t i = 0; i < verdicts.size(); ++i) {
            std::cout << candidates[i]
                      << (verdicts[i].is_prime ? " is prime\n" : " is not prime\n");
            work += verdicts[i].seconds;
          }
          std::cout << "4 workers took " << took << " s for " << work << " s of work" << std::endl;
        });
  });
}
