// SPDX-License-Identifier: Apache-2.0

// How fast streams are, beside ZeroMQ alone in the same run, and what they hold and hold up. See
// README.md.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "troupe/runtime/fiber/testing.h"
#include "troupe/tools/bench/measure.h"
#include "troupe/tools/bench/raw_zmq.h"
#include "troupe/troupe.h"

namespace troupe::bench {
namespace {

struct Both {
  using Started = void;
  using ToCallee = std::string;
  using ToCaller = std::string;
};

void produce(Sink<std::string> out, long count, std::size_t size) {
  const std::string value(size, 'v');
  for (long i = 0; i < count; ++i) out.send(value);
}

// Sends and receives as many values, both at once.
void exchange(Stream<std::string, std::string>& stream, long count, std::size_t size) {
  open_task_nursery([&](TaskNursery& n) {
    n.start_soon([&] {
      const std::string value(size, 'v');
      for (long i = 0; i < count; ++i) stream.send(value);
      stream.close_send();
    });
    while (stream.next()) {
    }
    n.wait_all();
  });
}

void duplex(Context<Both>& ctx, long count, std::size_t size) {
  ctx.started();
  ctx.open_stream([&](Stream<std::string, std::string>& s) { exchange(s, count, size); });
}

std::string echo(const std::string& value) { return value; }
void wait_for_ever() { sleep_forever(); }

// Private memory in use, in KiB.
double memory_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::atof(line.c_str() + 8);
  }
  return 0;
}

inline const auto& peer = module<"peer", &produce, &duplex, &echo, &wait_for_ever, &memory_kib>;

// Runs `body(portal)` with another actor, and returns its value.
template <class Body>
double with_peer(Body body) {
  return open_root_actor({}, [&] {
    return open_nursery([&](ActorNursery& n) {
      const Portal portal = n.start_actor("peer", {.enable_modules = {peer}});
      portal.run<&memory_kib>();  // the connection stands
      const double value = body(portal);
      portal.cancel_actor();
      return value;
    });
  });
}

double stream(long count, std::size_t size) {
  return with_peer([&](const Portal& portal) {
    const double each = nanoseconds_each(count, [&] {
      portal.open_stream<&produce>(count, size, [](ReceiveStream<std::string>& values) {
        while (values.next()) {
        }
      });
    });
    return 1e9 / each;
  });
}

// Values a second in both directions together.
double both_ways(long count, std::size_t size) {
  return with_peer([&](const Portal& portal) {
    const double each = nanoseconds_each(2 * count, [&] {
      portal.open_context<&duplex>(count, size, [&](auto& ctx) {
        ctx.open_stream([&](Stream<std::string, std::string>& s) { exchange(s, count, size); });
      });
    });
    return 1e9 / each;
  });
}

// By how much both processes grow while the receiver stops, in MiB; nothing is lost afterwards.
double slow_receiver(std::chrono::seconds stop) {
  return with_peer([&](const Portal& portal) {
    constexpr long count = 1'000'000;
    const double before = memory_kib() + portal.run<&memory_kib>();
    double growth = 0;
    portal.open_stream<&produce>(count, std::size_t{64}, [&](ReceiveStream<std::string>& values) {
      values.receive();
      sleep(stop);
      growth = memory_kib() + portal.run<&memory_kib>() - before;
      long received = 1;
      while (values.next()) ++received;
      if (received != count) std::fprintf(stderr, "%ld values were lost\n", count - received);
    });
    return growth / 1024;
  });
}

// How long a cancelled call takes to end while a value of 100 MiB is on its way, in ms.
double cancel_overtakes() {
  return with_peer([&](const Portal& portal) {
    const std::string large(std::size_t{100} << 20, 'v');
    TimePoint asked;
    TimePoint ended;
    CancelScope scope;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        scope.run([&] { portal.run<&wait_for_ever>(); });
        ended = current_time();
        n.cancel();
      });
      testing::wait_all_tasks_blocked();
      n.start_soon([&] { portal.run<&echo>(large); });
      checkpoint();  // it has been encoded, and its first pieces are on their way
      asked = current_time();
      scope.cancel();
      n.wait_all();
    });
    return std::chrono::duration<double, std::milli>(ended - asked).count();
  });
}

struct Options {
  int pairs = 15;
  int stop_seconds = 10;
  std::string only;
};

class Benchmark {
 public:
  explicit Benchmark(const Options& options) : options_(options) {}

  void run() {
    rate("stream_64", 2.0, 1'000'000, 64);
    rate("stream_1k", 1.0, 300'000, 1024);
    rate("stream_1m", 0.6, 600, std::size_t{1} << 20);
    if (wanted("duplex")) {
      const Pairs pairs = measure_pairs(
          options_.pairs, [] { return both_ways(500'000, 64); },
          [] { return stream(1'000'000, 64); });
      report_.add_rate("duplex", pairs, 0.9, "per_s");
    }
    if (wanted("slow_receiver_mib")) {
      const double growth = slow_receiver(std::chrono::seconds(options_.stop_seconds));
      report_.add_value("slow_receiver_mib", growth, -1, 4, "MiB");
    }
    if (wanted("cancel_overtake_ms")) {
      std::vector<double> times;
      for (int i = 0; i < options_.pairs; ++i) times.push_back(cancel_overtakes());
      report_.add_value("cancel_overtake_ms", median(times), -1, 50, "ms");
    }
    report_.print();
  }

 private:
  bool wanted(const std::string& name) const {
    return name.find(options_.only) != std::string::npos;
  }
  void rate(const std::string& name, double bar, long count, std::size_t size) {
    if (!wanted(name)) return;
    const Pairs pairs = measure_pairs(
        options_.pairs, [&] { return stream(count, size); },
        [&] { return raw_stream(count, size); });
    report_.add_rate(name, pairs, bar, "per_s");
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
    } else if (argument.starts_with("--stop_seconds=")) {
      options.stop_seconds = std::atoi(value.c_str());
    } else if (argument.starts_with("--only=")) {
      options.only = value;
    } else {
      std::fprintf(stderr,
                   "usage: stream_bench [--pairs=15] [--stop_seconds=10] "
                   "[--only=<part of a name>]\n");
      return 2;
    }
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  troupe::bench::Benchmark(options).run();
  return 0;
}
