// SPDX-License-Identifier: Apache-2.0

// What an actor costs beside a process that does the least by hand. See README.md.

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/tools/bench/measure.h"
#include "troupe/tools/bench/raw_actors.h"
#include "troupe/troupe.h"

namespace troupe::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  int pairs = 15;
  int actors = 20;   // one after the other
  std::string only;  // a part of the names
};

constexpr int at_once = 16;
constexpr int branches = 10;  // with 9 leaves each: 100 actors
constexpr int leaves = 9;
constexpr int idle_actors = 8;

int answer(int question) { return question + 1; }
int own_pid() { return static_cast<int>(::getpid()); }
void wait_for_ever() { sleep_forever(); }

inline const auto& stage = module<"stage", &own_pid, &wait_for_ever>;

void run_one() {
  open_nursery([](ActorNursery& n) { n.run_in_actor<&answer>("worker", 1).result(); });
}

void run_all_at_once(int count) {
  open_nursery([count](ActorNursery& n) {
    for (int i = 0; i < count; ++i) {
      n.start_soon([&n] { n.run_in_actor<&answer>("worker", 1).result(); });
    }
  });
}

int run_leaves(int count) {
  run_all_at_once(count);
  return count;
}

void run_tree() {
  open_nursery([](ActorNursery& n) {
    for (int i = 0; i < branches; ++i) {
      n.start_soon([&n] { n.run_in_actor<&run_leaves>("branch", leaves).result(); });
    }
  });
}

// Milliseconds for `work`, in a tree that is warm: with its sockets, and its zygote if it has one.
template <class Work>
double in_warm_tree(const StartMethod& method, Work work) {
  return open_root_actor({.start_method = method}, [&] {
    run_one();
    return nanoseconds_each(1'000'000, work);
  });
}

double raw_ms(const std::function<void()>& work) { return nanoseconds_each(1'000'000, work); }

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// From the kill of an actor until the call that waits for it has its error.
double death_notice() {
  double passed = 0;
  Clock::time_point killed;
  pid_t pid = 0;
  try {
    open_root_actor({}, [&] {
      open_nursery([&](ActorNursery& n) {
        Portal frank = n.start_actor("frank", {.enable_modules = {stage}});
        pid = frank.run<&own_pid>();
        n.start_soon([&] {
          sleep(std::chrono::milliseconds(20));  // the call below is under way
          killed = Clock::now();
          ::kill(pid, SIGKILL);
        });
        try {
          frank.run<&wait_for_ever>();
        } catch (const ActorDied&) {
          passed = milliseconds_since(killed);
        }
      });
    });
  } catch (const ActorDied&) {  // the nursery's own
  }
  return passed;
}

// From the kill of a process until its pidfd says so.
double raw_death_notice(RawParent& raw) {
  const pid_t pid = raw.start_idle(1).front();
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const Clock::time_point killed = Clock::now();
  ::kill(pid, SIGKILL);
  pollfd look{pidfd.get(), POLLIN, 0};
  ::poll(&look, 1, -1);
  const double passed = milliseconds_since(killed);
  raw.kill_idle({pid});
  return passed;
}

// The proportional share of memory of a process.
double pss_kib(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string word; file >> word;) {
    double value = 0;
    if (word == "Pss:" && file >> value) return value;
  }
  return 0;
}

double median_pss_kib(const std::vector<pid_t>& pids) {
  std::vector<double> values;
  for (const pid_t pid : pids) values.push_back(pss_kib(pid));
  return median(values);
}

double idle_kib() {
  return open_root_actor({}, [] {
    return open_nursery([](ActorNursery& n) {
      std::vector<pid_t> pids;
      for (int i = 0; i < idle_actors; ++i) {
        pids.push_back(n.start_actor("idle", {.enable_modules = {stage}}).run<&own_pid>());
      }
      const double value = median_pss_kib(pids);
      n.cancel();
      return value;
    });
  });
}

double raw_idle_kib(RawParent& raw) {
  const std::vector<pid_t> pids = raw.start_idle(idle_actors);
  const double value = median_pss_kib(pids);
  raw.kill_idle(pids);
  return value;
}

class Benchmark {
 public:
  Benchmark(const Options& options, std::string raw_program)
      : options_(options), raw_(std::move(raw_program)) {}

  void run() {
    const int actors = options_.actors;
    const auto one_by_one = [actors] {
      for (int i = 0; i < actors; ++i) run_one();
    };
    ratio("exec_seq", 1.4, StartMethod::exec, one_by_one, [&] {
      for (int i = 0; i < actors; ++i) raw_.run_exec(1);
    });
    ratio(
        "exec_16", 1.4, StartMethod::exec, [] { run_all_at_once(at_once); },
        [&] { raw_.run_exec(at_once); });
    ratio("forkserver_seq", 1.6, StartMethod::forkserver, one_by_one, [&] {
      for (int i = 0; i < actors; ++i) raw_.run_forked(1);
    });
    ratio(
        "forkserver_16", 1.6, StartMethod::forkserver, [] { run_all_at_once(at_once); },
        [&] { raw_.run_forked(at_once); });
    ratio("tree_100", 2.0, StartMethod::forkserver, run_tree, [&] { run_raw_processes(100); });
    value("death_notice_ms", 2, "ms", death_notice, [&] { return raw_death_notice(raw_); });
    idle();
    report_.print();
  }

 private:
  void run_raw_processes(int count) {
    for (; count > 0; count -= at_once) raw_.run_forked(std::min(count, at_once));
  }
  bool wanted(const std::string& name) const {
    return name.find(options_.only) != std::string::npos;
  }

  void ratio(const char* name, double bar, const StartMethod& method,
             const std::function<void()>& ours, const std::function<void()>& raw) {
    if (!wanted(name)) return;
    const Pairs pairs = measure_pairs_here(
        options_.pairs, [&] { return in_warm_tree(method, ours); }, [&] { return raw_ms(raw); });
    report_.add_ratio(name, pairs, bar, "ms");
  }

  void value(const char* name, double bar, const char* unit, const std::function<double()>& ours,
             const std::function<double()>& raw) {
    if (!wanted(name)) return;
    const Pairs pairs = measure_pairs_here(options_.pairs, ours, raw);
    report_.add_value(name, pairs.ours, pairs.raw, bar, unit);
  }

  // The difference is what counts: most of either is the libraries that both have.
  void idle() {
    if (!wanted("idle_extra_kib")) return;
    const Pairs pairs =
        measure_pairs_here(options_.pairs, idle_kib, [&] { return raw_idle_kib(raw_); });
    report_.add_value("idle_extra_kib", pairs.ours - pairs.raw, -1, 512, "KiB");
  }

  Options options_;
  RawParent raw_;
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
    } else if (name == "--actors") {
      options.actors = std::atoi(value.c_str());
    } else if (name == "--only") {
      options.only = value;
    } else {
      std::fprintf(stderr,
                   "usage: spawn_bench [--pairs=15] [--actors=20] [--only=<part of a name>]\n");
      std::exit(2);
    }
  }
  return options;
}

// Built into the same folder.
std::string raw_program() {
  char path[4096];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  const std::string own(path, length > 0 ? static_cast<std::size_t>(length) : 0);
  return own.substr(0, own.rfind('/') + 1) + "raw_actor";
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  troupe::init(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  troupe::bench::Benchmark(troupe::bench::parse(argc, argv), troupe::bench::raw_program()).run();
  return 0;
}
