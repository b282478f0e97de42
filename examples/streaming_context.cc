// SPDX-License-Identifier: Apache-2.0

// An actor asks a web server for a page, so many times a second, and streams what it gets. The
// server is a task of this very program. Prints:
//
//   page 1
//   page 2
//   page 3

#include <chrono>
#include <iostream>
#include <string>

#include "troupe/examples/small_web.h"
#include "troupe/troupe.h"

// `rate`: how often a second.
void streamer(troupe::Sink<std::string> out, const std::string& url, double rate) {
  for (;;) {
    out.send(small_web::get(url));
    troupe::sleep(std::chrono::duration<double>(1 / rate));
  }
}

inline const auto& polling = troupe::module<"polling", &streamer>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    const small_web::Server server;
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      n.start_soon("web server", [&] { server.serve(); });
      troupe::Portal poller = n.start_actor("poller", {.enable_modules = {polling}});
      poller.open_stream<&streamer>(server.url("page"), 100.0,
                                    [](troupe::ReceiveStream<std::string>& pages) {
                                      for (int i = 0; i < 3; ++i)
                                        std::cout << pages.receive() << std::endl;
                                    });
      n.cancel();
    });
  });
}
