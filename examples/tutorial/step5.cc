// SPDX-License-Identifier: Apache-2.0

// An actor that stays, and streams values to its caller.
// Step 5 of docs/tutorial.md.

#include <iostream>

#include "troupe/troupe.h"

void numbers(troupe::Sink<int> out, int end) {
  for (int i = 1; i <= end; ++i) out.send(i);  // waits for a slow receiver
}

inline const auto& counting = troupe::module<"counting", &numbers>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      troupe::Portal source = n.start_actor("source", {.enable_modules = {counting}});
      source.open_stream<&numbers>(5, [](troupe::ReceiveStream<int>& values) {
        for (int value : values) std::cout << value << " has come" << std::endl;
      });
      source.cancel_actor();
    });
  });
}
