// SPDX-License-Identifier: Apache-2.0

// What it costs to remember where exceptions are thrown, beside the same throws without. See
// README.md.

#include <cstdlib>
#include <stdexcept>

#include "troupe/runtime/base/throw_trace.h"
#include "troupe/tools/bench/measure.h"

namespace troupe::bench {
namespace {

constexpr long throws = 20'000;
constexpr int pairs = 15;

[[gnu::noinline]] int descend(int depth) {
  if (depth == 0) throw std::out_of_range("the bottom");
  const int below = descend(depth - 1);
  asm volatile("");  // no loop instead of the recursion
  return below + 1;
}

// Nanoseconds of a throw that is caught `depth` functions further out.
double throw_through(int depth, bool traced) {
  enable_throw_traces(traced);
  return nanoseconds_each(throws, [depth] {
    for (long i = 0; i < throws; ++i) {
      try {
        descend(depth);
      } catch (const std::out_of_range&) {
      }
    }
  });
}

Pairs measure(int depth) {
  return measure_pairs(
      pairs, [depth] { return throw_through(depth, true); },
      [depth] { return throw_through(depth, false); });
}

}  // namespace
}  // namespace troupe::bench

int main() {
  using namespace troupe::bench;
  ::unsetenv("TROUPE_TRACEBACKS");
  // What is cheaper than this may stay on in production.
  constexpr double bar = 3;
  Report report;
  report.add_ratio("throw_shallow", measure(2), bar, "ns");
  report.add_ratio("throw_deep", measure(30), bar, "ns");
  report.print();
}
