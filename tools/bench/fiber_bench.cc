// SPDX-License-Identifier: Apache-2.0

// How fast the fiber layer is, beside Boost.Fiber alone in the same run. See README.md.

#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "troupe/runtime/fiber/dangling_guard.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tools/bench/measure.h"
#include "troupe/tools/bench/raw_fibers.h"

namespace troupe::bench {
namespace {

struct Options {
  int pairs = 15;
  long parked_tasks = 1'000'000;
  int idle_seconds = 10;
  std::string only;  // a part of the names
};

constexpr long operations = 200'000;

// An Event happens once; a turn is a fresh one each time.
class Turn {
 public:
  void give() { event_->set(); }
  void take() {
    event_->wait();
    event_.emplace();
  }

 private:
  std::optional<Event> event_{std::in_place};
};

// Two tasks hand over to each other through two events; per switch.
double switch_tasks() {
  return run_tasks([] {
    Turn turns[2];
    return nanoseconds_each(operations, [&] {
      open_task_nursery([&](TaskNursery& n) {
        for (int who : {0, 1}) {
          n.start_soon([&turns, who] {
            if (who == 1) turns[0].give();
            for (long i = 0; i < operations / 2; ++i) {
              turns[who].take();
              if (who == 0 || i + 1 < operations / 2) turns[1 - who].give();
            }
          });
        }
      });
    });
  });
}

// Tasks are parked on an event each; another one sets all of them, they run and park again. Per
// wake-up: setting the event, the switch, parking.
double wake_by_event() {
  return run_tasks([] {
    constexpr long waiters = 16;
    std::vector<Turn> turns(waiters);
    return nanoseconds_each(operations, [&] {
      open_task_nursery([&](TaskNursery& n) {
        for (Turn& turn : turns) {
          n.start_soon([&turn] {
            for (long i = 0; i < operations / waiters; ++i) turn.take();
          });
        }
        n.start_soon([&] {
          for (long i = 0; i < operations / waiters; ++i) {
            checkpoint();
            for (Turn& turn : turns) turn.give();
          }
        });
      });
    });
  });
}

double create_and_join() {
  return run_tasks([] {
    constexpr long batch = 1000;
    const auto run_batch = [] {
      open_task_nursery([](TaskNursery& n) {
        for (long i = 0; i < batch; ++i) n.start_soon([] {});
      });
    };
    run_batch();
    return nanoseconds_each(operations, [&] {
      for (long i = 0; i < operations / batch; ++i) run_batch();
    });
  });
}

double buffered_channel() {
  return run_tasks([] {
    auto channel = open_memory_channel<long>(64);
    return nanoseconds_each(operations, [&] {
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] {
          for (long i = 0; i < operations; ++i) channel.send.send(i);
        });
        n.start_soon([&] {
          for (long i = 0; i < operations; ++i) channel.receive.receive();
        });
      });
    });
  });
}

double rendezvous() {
  return run_tasks([] {
    auto there = open_memory_channel<long>(0);
    auto back = open_memory_channel<long>(0);
    return nanoseconds_each(operations, [&] {
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] {
          for (long i = 0; i < operations / 2; ++i) {
            there.send.send(i);
            back.receive.receive();
          }
        });
        n.start_soon([&] {
          for (long i = 0; i < operations / 2; ++i) back.send.send(there.receive.receive());
        });
      });
    });
  });
}

double lone_checkpoint() {
  return run_tasks([] {
    return nanoseconds_each(operations, [] {
      for (long i = 0; i < operations; ++i) checkpoint();
    });
  });
}

double empty_scope() {
  return run_tasks([] {
    return nanoseconds_each(operations, [] {
      for (long i = 0; i < operations; ++i) {
        CancelScope scope;
        scope.run([] {});
      }
    });
  });
}

// A scope with a deadline is entered and left, among 100,000 deadlines of others.
double deadline_among_many() {
  return run_tasks([] {
    std::vector<DeadlineEntry> others(100'000);
    std::srand(1);
    const TimePoint start = current_time() + std::chrono::hours(1);
    const auto random_time = [start] { return start + std::chrono::microseconds(std::rand()); };
    Deadlines& deadlines = Loop::current().deadlines();
    for (DeadlineEntry& entry : others) deadlines.add(entry, random_time());
    std::vector<TimePoint> times(operations);
    for (TimePoint& time : times) time = random_time();
    const double each = nanoseconds_each(operations, [&] {
      for (const TimePoint time : times) move_on_at(time, [] {});
    });
    for (DeadlineEntry& entry : others) deadlines.remove(entry);
    return each;
  });
}

// Resident memory and what the kernel's page tables take for it.
double used_octets() {
  std::ifstream status("/proc/self/status");
  double kilobytes = 0;
  for (std::string word; status >> word;) {
    double value = 0;
    if ((word == "VmRSS:" || word == "VmPTE:") && status >> value) kilobytes += value;
  }
  return kilobytes * 1024;
}

struct Parked {
  double create_ns = 0;
  double octets = 0;
  double cancel_join_s = 0;
};

Parked park_tasks(long count) {
  return run_tasks([count] {
    Parked result;
    Event never_set;
    const double before = used_octets();
    std::chrono::steady_clock::time_point cancelled;
    open_task_nursery([&](TaskNursery& n) {
      result.create_ns = nanoseconds_each(count, [&] {
        for (long i = 0; i < count; ++i) n.start_soon([&never_set] { never_set.wait(); });
        checkpoint();
      });
      result.octets = (used_octets() - before) / static_cast<double>(count);
      cancelled = std::chrono::steady_clock::now();
      n.cancel();
    });
    result.cancel_join_s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - cancelled).count();
    return result;
  });
}

double thread_cpu_ms() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6;
}

double idle_loop(int seconds) {
  return run_tasks([seconds] {
    int pipe_ends[2];
    if (::pipe(pipe_ends) != 0) std::abort();
    Event never_set;
    double used = 0;
    open_task_nursery([&](TaskNursery& n) {
      for (int i = 0; i < 100; ++i) n.start_soon([&] { never_set.wait(); });
      for (int i = 0; i < 100; ++i) n.start_soon([] { sleep(std::chrono::hours(1)); });
      n.start_soon(
          [&] { Loop::current().poller().wait_for(pipe_ends[0], Poller::Direction::read); });
      checkpoint();
      const double before = thread_cpu_ms();
      sleep(std::chrono::seconds(seconds));
      used = thread_cpu_ms() - before;
      n.cancel();
    });
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
    return used;
  });
}

double idle_thread(int seconds) {
  const double before = thread_cpu_ms();
  ::poll(nullptr, 0, seconds * 1000);
  return thread_cpu_ms() - before;
}

// All at once, each on a thread of its own: the median of as many as there are pairs.
double idle_side_by_side(int count, double (*idle)(int), int seconds) {
  std::vector<double> values(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  for (double& value : values) threads.emplace_back([&] { value = idle(seconds); });
  for (std::thread& thread : threads) thread.join();
  return median(values);
}

class Benchmark {
 public:
  explicit Benchmark(const Options& options) : options_(options) {}

  void run() {
    ratio("switch", 0.7, switch_tasks, [] { return raw_switch(operations); });
    ratio("event_wake", 1.6, wake_by_event, [] { return raw_switch(operations); });
    ratio("create_join", 1.2, create_and_join, [] { return raw_create_join(operations); });
    ratio("channel_buffered", 1.25, buffered_channel,
          [] { return raw_buffered_channel(operations); });
    ratio("channel_rendezvous", 0.75, rendezvous, [] { return raw_rendezvous(operations); });
    value("checkpoint_ns", 10, lone_checkpoint);
    value("cancel_scope_ns", 60, empty_scope);
    value("deadline_ns", 400, deadline_among_many);
    if (wanted("idle_cpu_ms")) {
      const double raw = idle_side_by_side(options_.pairs, idle_thread, options_.idle_seconds);
      const double ours = idle_side_by_side(options_.pairs, idle_loop, options_.idle_seconds);
      report_.add_value("idle_cpu_ms", ours, raw, 1, "ms");
    }
    if (wanted("park_1m")) park();
    report_.print();
  }

 private:
  bool wanted(const std::string& name) const {
    return name.find(options_.only) != std::string::npos;
  }

  void ratio(const char* name, double bar, const std::function<double()>& ours,
             const std::function<double()>& raw) {
    if (!wanted(name)) return;
    report_.add_ratio(name, measure_pairs(options_.pairs, ours, raw), bar, "ns");
  }

  // Beside it stands one switch of Boost.Fiber.
  void value(const char* name, double bar, const std::function<double()>& ours) {
    if (!wanted(name)) return;
    const Pairs pairs = measure_pairs(options_.pairs, ours, [] { return raw_switch(operations); });
    report_.add_value(name, pairs.ours, pairs.raw, bar, "ns");
  }

  void park() {
    const long count = options_.parked_tasks;
    std::vector<double> octets;
    std::vector<double> cancel_join;
    const Pairs create = measure_pairs(
        options_.pairs,
        [&] {
          const Parked parked = park_tasks(count);
          octets.push_back(parked.octets);
          cancel_join.push_back(parked.cancel_join_s);
          return parked.create_ns;
        },
        [count] { return raw_park(count); });
    report_.add_value("park_1m_bytes", median(octets), -1, 9 * 1024, "bytes");
    report_.add_ratio("park_1m_create", create, 1.3, "ns");
    report_.add_value("park_1m_cancel_join_s", median(cancel_join), -1, 8, "s");
  }

  Options options_;
  Report report_;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    if (name == "--pairs") {
      options.pairs = std::atoi(value.c_str());
    } else if (name == "--parked_tasks") {
      options.parked_tasks = std::atol(value.c_str());
    } else if (name == "--idle_seconds") {
      options.idle_seconds = std::atoi(value.c_str());
    } else if (name == "--only") {
      options.only = value;
    } else {
      std::fprintf(stderr,
                   "usage: fiber_bench [--pairs=15] [--parked_tasks=1000000] [--idle_seconds=10] "
                   "[--only=<part of a name>]\n");
      std::exit(2);
    }
  }
  return options;
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (troupe::detail::DanglingGuard::enabled())
    std::fprintf(stderr, "This is a debug build, so the figures mean little: bazel run -c opt\n");
  troupe::bench::Benchmark(troupe::bench::parse(argc, argv)).run();
  return 0;
}
