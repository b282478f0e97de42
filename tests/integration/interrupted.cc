// SPDX-License-Identifier: Apache-2.0

// The program that is interrupted while it has actors: in which situation is its first argument.

#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <iostream>
#include <map>
#include <string>

#include "troupe/troupe.h"

namespace {

void sleeps() { troupe::sleep_forever(); }
void plays(troupe::Sink<int> out) {
  for (int bar = 0;; ++bar) out.send(bar);
}
void sleeps_soundly() {
  troupe::CancelScope shield({.shield = true});
  shield.run([] { troupe::sleep_forever(); });
}
[[maybe_unused]] inline const auto& band = troupe::module<"band", &sleeps, &plays>;

void say(const std::string& line) { std::cout << line << std::endl; }

// How many actors of these names the arbiter knows, asked although the interrupt has come.
std::size_t registered(std::initializer_list<const char*> names) {
  std::size_t count = 0;
  troupe::CancelScope shield({.shield = true});
  shield.run([&] {
    for (const char* name : names) count += troupe::find_actors(name).size();
  });
  return count;
}

// Says what comes out of `block` as it is interrupted, and who is registered still.
void interrupted(std::initializer_list<const char*> names, const std::function<void()>& block) {
  try {
    block();
  } catch (const troupe::Cancelled& cancelled) {
    say(std::string(to_string(cancelled.reason().source)) + ": " + cancelled.reason().text);
    say(std::to_string(registered(names)) + " left");
    throw;
  }
}

void with_daemon() {
  interrupted({"daemon"}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      n.start_actor("daemon");
      say("ready");
      troupe::sleep_forever();
    });
  });
}

// The actors belong to another task than the main one.
void with_namesakes() {
  interrupted({"namesake"}, [] {
    troupe::open_task_nursery([](troupe::TaskNursery& tasks) {
      tasks.start_soon([] {
        troupe::open_nursery([](troupe::ActorNursery& n) {
          for (int i = 0; i < 3; ++i) n.run_in_actor<&sleeps>("namesake");
          say("ready");
          troupe::sleep_forever();
        });
      });
      troupe::sleep_forever();
    });
  });
}

// Reads two streams, which are left before the nursery of their actors is.
void with_streams() {
  interrupted({"drums", "bass"}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      const troupe::Portal drums = n.start_actor("drums", {.enable_modules = {band}});
      const troupe::Portal bass = n.start_actor("bass", {.enable_modules = {band}});
      drums.open_stream<&plays>([&](auto& drum_bars) {
        bass.open_stream<&plays>([&](auto& bass_bars) {
          while (drum_bars.receive() < 10 || bass_bars.receive() < 10) {
          }
          say("ready");
          troupe::sleep_forever();
        });
      });
    });
  });
}

void with_sound_sleeper() {
  interrupted({"sleeper"}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      n.run_in_actor<&sleeps_soundly>(
          {.name = "sleeper", .shutdown = std::chrono::milliseconds(200)});
      say("ready");
      troupe::sleep_forever();
    });
  });
}

void hosts() {
  if (troupe::current_actor().is_arbiter()) say("ready");
  troupe::sleep_forever();
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, std::function<void()>> situations = {
      {"daemon", &with_daemon},   {"namesakes", &with_namesakes},
      {"streams", &with_streams}, {"sound sleeper", &with_sound_sleeper},
      {"host", &hosts},
  };
  const std::string situation = argc > 1 ? argv[1] : "daemon";
  return troupe::run(argc, argv, [&] { situations.at(situation)(); });
}
