// SPDX-License-Identifier: Apache-2.0

// The program that the chaos tests disturb: a random tree of actors, each of which keeps calling
// its children. Its argument is the seed. Prints "complete" when all are up, and goes on until it
// is ended.

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

constexpr int most_actors = 60;
constexpr int deepest = 4;

// For each actor its parent's number; the root is number 0.
using Tree = std::vector<int>;

Tree draw_tree(unsigned seed) {
  std::mt19937 random(seed);
  const int count = std::uniform_int_distribution<int>(2, most_actors)(random);
  Tree parents{0};
  std::vector<int> depths{0};
  while (static_cast<int>(parents.size()) < count) {
    const int last = static_cast<int>(parents.size()) - 1;
    const int parent = std::uniform_int_distribution<int>(0, last)(random);
    if (depths[static_cast<std::size_t>(parent)] == deepest) continue;
    parents.push_back(parent);
    depths.push_back(depths[static_cast<std::size_t>(parent)] + 1);
  }
  return parents;
}

std::string name_of(int number) { return "actor-" + std::to_string(number); }

std::string echo(const std::string& text) { return text; }

// Starts the children of one actor, and calls them until something ends it.
void play(const Tree& parents, int self) {
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    for (int child = self + 1; child < static_cast<int>(parents.size()); ++child) {
      if (parents[static_cast<std::size_t>(child)] != self) continue;
      n.start_soon("caller of " + name_of(child), [&n, &parents, child] {
        const auto portal = n.run_in_actor<&play>(name_of(child), parents, child);
        const std::string text(1000, 'x');
        for (;;) {
          portal.run<&echo>(text);
          troupe::sleep(1ms);
        }
      });
    }
    troupe::sleep_forever();
  });
}

[[maybe_unused]] inline const auto& company = troupe::module<"company", &play, &echo>;

void wait_for_all(const Tree& parents) {
  for (int number = 1; number < static_cast<int>(parents.size()); ++number) {
    while (!troupe::query_actor(name_of(number))) troupe::sleep(5ms);
  }
  std::cout << "complete" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const Tree parents = draw_tree(argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 0);
  return troupe::run(argc, argv, {.cancel_grace = 2s}, [&] {
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon("audience", [&] { wait_for_all(parents); });
      play(parents, 0);
    });
  });
}
