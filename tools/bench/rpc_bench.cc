// SPDX-License-Identifier: Apache-2.0

// How fast calls are, beside ZeroMQ alone in the same run. See README.md.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "troupe/tools/bench/measure.h"
#include "troupe/tools/bench/raw_zmq.h"
#include "troupe/troupe.h"

namespace troupe::bench {
namespace {

std::string echo(const std::string& value) { return value; }

inline const auto& server = module<"server", &echo>;

// Runs `body(portal)` with an actor that echoes, and returns its value.
template <class Body>
double with_server(Body body, std::chrono::nanoseconds busy_poll = {}) {
  return open_root_actor({.busy_poll = busy_poll}, [&] {
    return open_nursery([&](ActorNursery& n) {
      const Portal portal = n.start_actor("server", {.enable_modules = {server}});
      const double value = body(portal);
      portal.cancel_actor();
      return value;
    });
  });
}

double round_trip(long count, std::size_t size, std::chrono::nanoseconds busy_poll = {}) {
  const auto body = [&](const Portal& portal) {
    const std::string value(size, 'v');
    portal.run<&echo>(value);  // the connection stands
    return nanoseconds_each(count, [&] {
      for (long i = 0; i < count; ++i) portal.run<&echo>(value);
    });
  };
  return with_server(body, busy_poll);
}

double calls(long count, std::size_t size, int in_flight) {
  return with_server([&](const Portal& portal) {
    const std::string value(size, 'v');
    portal.run<&echo>(value);
    long left = count;
    const double each = nanoseconds_each(count, [&] {
      open_task_nursery([&](TaskNursery& n) {
        for (int i = 0; i < in_flight; ++i) {
          n.start_soon([&] {
            while (left-- > 0) portal.run<&echo>(value);
          });
        }
        n.wait_all();
      });
    });
    return 1e9 / each;
  });
}

struct Options {
  int pairs = 15;
  long round_trips = 5'000;
  long calls = 200'000;
  std::string only;
};

class Benchmark {
 public:
  explicit Benchmark(const Options& options) : options_(options) {}

  void run() {
    for (const std::size_t size : {64, 1024}) {
      const auto ours = [&] { return round_trip(options_.round_trips, size); };
      const auto raw = [&] { return raw_round_trip(options_.round_trips, size); };
      ratio("rtt_" + std::to_string(size), 1.2, true, ours, raw);
      if (size != 64) continue;
      ratio("rtt_64_unpinned", no_bar, false, ours, raw);
      const auto busy = [&] {
        return round_trip(options_.round_trips, size, std::chrono::microseconds(50));
      };
      ratio("rtt_64_busy_poll", no_bar, false, busy, raw);
    }
    rate("calls_64", 0.6, true, 64);
    rate("calls_1024", 0.6, false, 1024);
    report_.print();
  }

 private:
  static constexpr double no_bar = 1e9;

  bool wanted(const std::string& name) const {
    return name.find(options_.only) != std::string::npos;
  }
  void ratio(const std::string& name, double bar, bool one_cpu, const std::function<double()>& ours,
             const std::function<double()>& raw) {
    if (!wanted(name)) return;
    report_.add_ratio(name,
                      measure_pairs(options_.pairs, on_cpus(one_cpu, ours), on_cpus(one_cpu, raw)),
                      bar, "ns");
  }
  void rate(const std::string& name, double bar, bool one_cpu, int in_flight) {
    if (!wanted(name)) return;
    const Pairs pairs = measure_pairs(
        options_.pairs, on_cpus(one_cpu, [&] { return calls(options_.calls, 64, in_flight); }),
        on_cpus(one_cpu, [&] { return raw_calls(options_.calls, 64, in_flight); }));
    report_.add_rate(name, pairs, bar, "per_s");
  }

  static std::function<double()> on_cpus(bool one, std::function<double()> body) {
    return [one, body = std::move(body)] {
      use_one_cpu(one);
      return body();
    };
  }

  Options options_;
  Report report_;
};

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  if (const auto code = troupe::bench::run_raw_peer(argc, argv)) return *code;
  troupe::init(argc, argv);
  troupe::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::string value = argument.substr(argument.find('=') + 1);
    if (argument.starts_with("--pairs=")) {
      options.pairs = std::atoi(value.c_str());
    } else if (argument.starts_with("--only=")) {
      options.only = value;
    } else {
      std::fprintf(stderr, "usage: rpc_bench [--pairs=15] [--only=<part of a name>]\n");
      return 2;
    }
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  troupe::bench::Benchmark(options).run();
  return 0;
}
