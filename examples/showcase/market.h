// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the actors of the showcase run: exchanges that quote prices, an aggregator that makes ticks
// of them, and workers that appraise ticks.

#include <string>

#include "troupe/troupe.h"

namespace showcase {

/// How much there is to do.
struct Plan {
  int ticks = 0;     ///< How many ticks there will be.
  int pause_ms = 0;  ///< How long an exchange waits between two quotes.
};

/// What one exchange asks for a thing.
struct Quote {
  std::string exchange;
  double price = 0;
};

/// The newest quotes of both exchanges, at every change of one.
struct Tick {
  int number = 0;
  double first = 0;
  double second = 0;
};

/// The stream of an aggregator, which starts two exchanges of its own and merges what they quote.
void aggregate(troupe::Sink<Tick> out, const Plan& plan);

/// A worker's verdict on a tick: what one would gain between the exchanges. Takes a while.
double appraise(const Tick& tick);

/// The process that an actor is.
int process();

/// What a worker can do.
inline const auto& appraisal = troupe::module<"appraisal", &appraise, &process>;

}  // namespace showcase
