// SPDX-License-Identifier: Apache-2.0
#pragma once

// Two actors in one loop, over real sockets.

#include <functional>
#include <utility>

#include "troupe/ipc/transport.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/tests/ipc/socket_support.h"

namespace troupe::testing {

/// Two actors: `b` listens, `a` may connect to it.
struct TwoActors {
  explicit TwoActors(TransportOptions of_a = options_for("a"),
                     TransportOptions of_b = options_for("b"))
      : a(std::move(of_a), at_a), b(std::move(of_b), at_b) {
    address = b.bind(directory.address("b"));
  }
  void serve(const std::function<void()>& body) { serve_while({&a, &b}, body); }

  SocketDirectory directory;
  Address address;
  Echo at_a, at_b;
  Transport a, b;
};

/// Runs `body(actors)` while both serve.
template <class Body>
void with_two_actors(Body&& body) {
  run_tasks([&] {
    TwoActors actors;
    actors.serve([&] { body(actors); });
  });
}

}  // namespace troupe::testing
