// SPDX-License-Identifier: Apache-2.0

// How fast names are found, registered and waited for. See README.md.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "troupe/ipc/locality.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/tools/bench/measure.h"
#include "troupe/tools/bench/raw_zmq.h"
#include "troupe/tools/bench/simulated_sessions.h"
#include "troupe/troupe.h"

namespace troupe::bench {
namespace {

using namespace std::chrono_literals;

Directory& directory() { return Actor::booted().directory(); }

std::string numbered(const char* name, int number) { return name + std::to_string(number); }

// An entry that nobody will connect to.
DirectoryEntry ghost(const std::string& name, int number) {
  return {{name, make_uuid()}, {Address::parse(numbered("ipc:///none/", number))}, this_host(), {}};
}

// ---- What the finder does: it is not the arbiter, so it has to ask ----

std::string echo(const std::string& value) { return value; }

// Finds actors to which it has no connection, one by one; the round trip to each, which is
// connected then, beside it. Nanoseconds.
std::pair<double, double> find_unconnected(int count) {
  constexpr int calls = 20;
  const std::string value(64, 'v');
  std::vector<double> finds, round_trips;
  for (int i = 0; i < count; ++i) {
    std::optional<Portal> found;
    finds.push_back(nanoseconds_each(1, [&] { found = find_actor(numbered("hamlet-", i)); }));
    found->run<&echo>(value);
    round_trips.push_back(nanoseconds_each(calls, [&] {
      for (int call = 0; call < calls; ++call) found->run<&echo>(value);
    }));
  }
  return {median(finds), median(round_trips)};
}

double find_connected(const std::string& name) {
  constexpr long count = 20'000;
  find_actor(name);
  while (!directory().remembered(name)) {
    sleep(1ms);
    find_actor(name);
  }
  return nanoseconds_each(count, [&] {
    for (long i = 0; i < count; ++i) find_actor(name);
  });
}

double look_up(int names) {
  constexpr long count = 2000;
  return nanoseconds_each(count, [&] {
    for (long i = 0; i < count; ++i) query_actor(numbered("name-", static_cast<int>(i) % names));
  });
}

// Waits for a name in so many tasks; when the last one was woken, by the clock of this host.
std::int64_t wait_in_tasks(const std::string& name, int tasks) {
  open_task_nursery([&](TaskNursery& n) {
    for (int i = 0; i < tasks; ++i) n.start_soon([&] { directory().wait_for(name); });
    n.wait_all();
  });
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

inline const auto& finder =
    module<"finder", &echo, &find_unconnected, &find_connected, &look_up, &wait_in_tasks>;

// Runs `body(nursery, portal)` with a finder.
template <class Body>
double with_finder(Body body) {
  return open_root_actor({}, [&] {
    return open_nursery([&](ActorNursery& n) {
      const double value = body(n, n.start_actor("finder", {.enable_modules = {finder}}));
      n.cancel();
      return value;
    });
  });
}

// ---- Figures ----

Pairs unconnected(int actors) {
  Pairs pairs;
  with_finder([&](ActorNursery& n, const Portal& portal) {
    for (int i = 0; i < actors; ++i) {
      n.start_actor(numbered("hamlet-", i), {.enable_modules = {finder}});
    }
    const auto [find, round_trip] = portal.run<&find_unconnected>(actors);
    pairs = {find, round_trip, find / round_trip};
    return 0.0;
  });
  return pairs;
}

double connected_us() {
  return with_finder([](ActorNursery& n, const Portal& portal) {
    n.start_actor("hamlet");
    return portal.run<&find_connected>("hamlet") / 1000;
  });
}

Pairs lookups(int pairs) {
  constexpr int few = 10;
  Pairs result;
  with_finder([&](ActorNursery&, const Portal& portal) {
    for (int i = 0; i < few; ++i) directory().announce(ghost(numbered("name-", i), i));
    const auto among_few = [&] { return portal.run<&look_up>(few); };
    const auto among_many = [&] {
      std::vector<Uid> more;
      for (int i = few; i < 10'000; ++i) {
        const DirectoryEntry entry = ghost(numbered("name-", i), i);
        directory().announce(entry);
        more.push_back(entry.uid);
      }
      const double value = portal.run<&look_up>(10'000);
      for (const Uid& uid : more) directory().retract(uid);
      return value;
    };
    result = measure_pairs_here(pairs, among_many, among_few);
    return 0.0;
  });
  return result;
}

double wake_ms(int waiters) {
  return with_finder([&](ActorNursery&, const Portal& portal) {
    std::int64_t begin = 0, end = 0;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { end = portal.run<&wait_in_tasks>("late", waiters); });
      while (Actor::booted().dispatcher().calls() < static_cast<std::size_t>(waiters)) sleep(1ms);
      begin = std::chrono::steady_clock::now().time_since_epoch().count();
      directory().announce(ghost("late", 0));
      n.wait_all();
    });
    return static_cast<double>(end - begin) / 1e6;
  });
}

void report(const std::string& only, int pairs) {
  const auto wanted = [&](const std::string& name) { return name.find(only) != std::string::npos; };
  Report report;
  constexpr double no_bar = 1e9;
  if (wanted("find_unconnected")) {
    const Pairs found = unconnected(50);
    report.add_ratio("find_unconnected", found, 5, "ns");
    const double raw = raw_connect(50);
    report.add_ratio("find_beside_zmq_connect", {found.ours, raw, found.ours / raw}, no_bar, "ns");
  }
  use_one_cpu(true);
  if (wanted("find_unconnected_pinned")) {
    report.add_ratio("find_unconnected_pinned", unconnected(50), no_bar, "ns");
  }
  if (wanted("find_connected_us"))
    report.add_value("find_connected_us", connected_us(), -1, 5, "us");
  if (wanted("register_10k_s")) {
    report.add_value("register_10k_s", register_over_sessions(10'000), -1, 2, "s");
  }
  if (wanted("lookup_at_10k")) report.add_ratio("lookup_at_10k", lookups(pairs), 1.2, "ns");
  if (wanted("wake_1000_ms")) report.add_value("wake_1000_ms", wake_ms(1000), -1, 50, "ms");
  report.print();
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  troupe::init(argc, argv);
  std::string only;
  int pairs = 7;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::string value = argument.substr(argument.find('=') + 1);
    if (argument.starts_with("--pairs=")) {
      pairs = std::atoi(value.c_str());
    } else if (argument.starts_with("--only=")) {
      only = value;
    } else {
      std::fprintf(stderr, "usage: discovery_bench [--pairs=7] [--only=<part of a name>]\n");
      return 2;
    }
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  troupe::bench::report(only, pairs);
  return 0;
}
