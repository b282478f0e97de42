// SPDX-License-Identifier: Apache-2.0

// Several tasks of an actor, one for each page of a web server, send into the one sink of one
// stream; the caller sees them merged, each in its own order. The server is a task of this very
// program. Prints:
//
//   clock: clock 1, clock 2, clock 3
//   disk: disk 1, disk 2, disk 3
//   network: network 1, network 2, network 3

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "troupe/examples/small_web.h"
#include "troupe/troupe.h"

// `rate`: how often a second.
void streamer(troupe::Sink<std::string> out, const std::string& url, double rate) {
  for (;;) {
    out.send(small_web::get(url));
    troupe::sleep(std::chrono::duration<double>(1 / rate));
  }
}

// A sink may be copied: each copy sends into the same stream.
void stream_all(troupe::Sink<std::string> out, const std::vector<std::string>& urls, double rate) {
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    for (const std::string& url : urls) {
      n.start_soon([out, &url, rate] { streamer(out, url, rate); });
    }
  });
}

inline const auto& polling = troupe::module<"polling", &stream_all>;

// The first three answers of each of three sources.
std::map<std::string, std::vector<std::string>> collect(
    troupe::ReceiveStream<std::string>& answers) {
  std::map<std::string, std::vector<std::string>> collected;
  const auto is_full = [](const auto& source) { return source.second.size() == 3; };
  while (std::count_if(collected.begin(), collected.end(), is_full) < 3) {
    const std::string answer = answers.receive();
    auto& ours = collected[answer.substr(0, answer.find(' '))];
    if (ours.size() < 3) ours.push_back(answer);
  }
  return collected;
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    const small_web::Server server;
    const std::vector<std::string> urls = {server.url("clock"), server.url("disk"),
                                           server.url("network")};
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      n.start_soon("web server", [&] { server.serve(); });
      troupe::Portal host = n.start_actor("host", {.enable_modules = {polling}});
      for (const auto& [name, lines] : host.open_stream<&stream_all>(urls, 100.0, &collect)) {
        std::cout << name << ": " << lines[0] << ", " << lines[1] << ", " << lines[2] << std::endl;
      }
      n.cancel();
    });
  });
}
