// SPDX-License-Identifier: Apache-2.0
#include "troupe/examples/showcase/market.h"

#include <unistd.h>

#include <chrono>
#include <cmath>

namespace showcase {
namespace {

// Endless: the receiver ends it. A walk up and down that is the same in each run.
void quote(troupe::Sink<Quote> out, int pause_ms) {
  const std::string name = troupe::current_actor().name();
  unsigned state = static_cast<unsigned>(name.size());
  for (double price = 100;;) {
    state = state * 1664525 + 1013904223;
    price += (state >> 16) % 2 == 0 ? 0.25 : -0.25;
    out.send(Quote{name, price});
    troupe::sleep(std::chrono::milliseconds(pause_ms));
  }
}

inline const auto& exchange = troupe::module<"exchange", &quote>;

}  // namespace

void aggregate(troupe::Sink<Tick> out, const Plan& plan) {
  using Quotes = troupe::ReceiveStream<Quote>;
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    troupe::Portal london = n.start_actor("london", {.enable_modules = {exchange}});
    troupe::Portal tokyo = n.start_actor("tokyo", {.enable_modules = {exchange}});
    london.open_stream<&quote>(plan.pause_ms, [&](Quotes& ours) {
      tokyo.open_stream<&quote>(plan.pause_ms, [&](Quotes& theirs) {
        auto quotes = troupe::merge(ours, theirs);
        Tick tick{0, 100, 100};
        while (tick.number < plan.ticks) {
          const Quote newest = quotes.receive();
          (newest.exchange == "london" ? tick.first : tick.second) = newest.price;
          ++tick.number;
          out.send(tick);
        }
      });
    });
    n.cancel();  // the exchanges have done their duty
  });
}

double appraise(const Tick& tick) {
  double gain = 0;
  for (int i = 1; i <= 2000; ++i) gain += std::abs(tick.first - tick.second) / i;
  return gain;
}

int process() { return static_cast<int>(getpid()); }

}  // namespace showcase
