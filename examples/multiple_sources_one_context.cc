// SPDX-License-Identifier: Apache-2.0

// Several tasks of the callee send into one stream of one context; the caller sees them merged,
// each in its own order. Prints:
//
//   clock: tick 1, tick 2, tick 3
//   disk: block 1, block 2, block 3
//   network: packet 1, packet 2, packet 3

#include <chrono>
#include <iostream>
#include <map>
#include <string>

#include "troupe/troupe.h"

using namespace std::chrono_literals;

struct Report {
  std::string source;
  std::string text;
};

// Reports in one direction, and no first word.
struct Monitor {
  using Started = void;
  using ToCaller = Report;
};

void watch(troupe::Stream<void, Report>& out, const std::string& source, const std::string& what) {
  for (int i = 1; i <= 3; ++i) {
    out.send(Report{source, what + " " + std::to_string(i)});
    troupe::sleep(1ms);
  }
}

void monitor(troupe::Context<Monitor>& ctx) {
  ctx.started();
  ctx.open_stream([](troupe::Stream<void, Report>& out) {
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon([&out] { watch(out, "disk", "block"); });
      n.start_soon([&out] { watch(out, "network", "packet"); });
      n.start_soon([&out] { watch(out, "clock", "tick"); });
    });
  });
}

inline const auto& monitoring = troupe::module<"monitoring", &monitor>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      troupe::Portal host = n.start_actor("host", {.enable_modules = {monitoring}});
      std::map<std::string, std::string> reports;
      host.open_context<&monitor>([&](troupe::CallerContext<Monitor, void>& ctx) {
        ctx.open_stream([&](troupe::Stream<Report, void>& in) {
          for (const Report& report : in) {
            std::string& line = reports[report.source];
            line += (line.empty() ? "" : ", ") + report.text;
          }
        });
      });
      for (const auto& report : reports) {
        std::cout << report.first << ": " << report.second << std::endl;
      }
      host.cancel_actor();
    });
  });
}
