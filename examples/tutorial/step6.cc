// SPDX-License-Identifier: Apache-2.0

// A pipeline of three processes; an error at its beginning arrives at its end.
// Step 6 of docs/tutorial.md.

#include <iostream>
#include <stdexcept>

#include "troupe/troupe.h"

void numbers(troupe::Sink<int> out, int end) {
  if (end < 0) throw std::out_of_range("there are no such numbers");
  for (int i = 1; i <= end; ++i) out.send(i);
}

void squares(troupe::Sink<int> out, int end) {
  const troupe::Portal source = troupe::wait_for_actor("source");
  source.open_stream<&numbers>(end, [&](troupe::ReceiveStream<int>& values) {
    for (int value : values) out.send(value * value);
  });
}

inline const auto& pipeline = troupe::module<"pipeline", &numbers, &squares>;

void print_squares(const troupe::Portal& squarer, int end) {
  squarer.open_stream<&squares>(end, [](troupe::ReceiveStream<int>& values) {
    for (int value : values) std::cout << value << std::endl;
  });
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      n.start_actor("source", {.enable_modules = {pipeline}});
      const troupe::Portal squarer = n.start_actor("squarer", {.enable_modules = {pipeline}});
      print_squares(squarer, 3);
      try {
        print_squares(squarer, -1);
      } catch (const troupe::RemoteActorError& error) {
        std::cout << error.src_uid().name << ": " << error.boxed_message() << std::endl;
      }
      n.cancel();
    });
  });
}
