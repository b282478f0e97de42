// SPDX-License-Identifier: Apache-2.0

// A function that sends into a Sink is troupe's asynchronous generator: what it sends turns up in a
// loop of its caller, in another process. This one is endless; it is listened to for a second.
// Prints:
//
//   I can see these little future bubble things
//   and so on, until the time was over
//   cancelled: the scope, the nursery

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>

#include "troupe/troupe.h"

using namespace std::chrono_literals;

// --(stream-begin)--
void stream_forever(troupe::Sink<std::string> out) {
  for (;;) {
    out.send("I can see these little future bubble things");
    troupe::sleep(10ms);
  }
}
// --(stream-end)--

inline const auto& generators = troupe::module<"generators", &stream_forever>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::NurseryStatus nursery;
    troupe::CancelScope scope;
    scope.run([&] {
      troupe::open_nursery([&](troupe::ActorNursery& n) {
        nursery = n.status();
        troupe::Portal donny = n.start_actor("donny", {.enable_modules = {generators}});
        donny.open_stream<&stream_forever>([&](troupe::ReceiveStream<std::string>& letters) {
          std::cout << letters.receive() << std::endl;
          scope.set_deadline(troupe::current_time() + 1s);  // however long the start has taken
          for (const std::string& letter : letters) {
            if (letter.empty()) throw std::logic_error("a letter got lost");
          }
        });
      });
    });
    // Neither the function nor its process is left.
    std::cout << "and so on, until the time was over" << std::endl;
    if (!scope.cancelled_caught()) throw std::logic_error("the scope was not cancelled");
    if (!nursery.cancel_called()) throw std::logic_error("the nursery was not cancelled");
    std::cout << "cancelled: the scope, the nursery" << std::endl;
  });
}
