// SPDX-License-Identifier: Apache-2.0

// The program that the tests of whole process trees run: what it does is its first argument.

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <string>

#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

// Lets a random time pass, 0 to 50 ms, drawn from the seed in the environment, so that actors meet
// in every order.
void maybe_delay() {
  static const char* const seed = std::getenv("PLAYERS_SEED");
  if (seed == nullptr) return;
  static std::mt19937 random(static_cast<unsigned>(std::stoul(seed)) +
                             std::hash<std::string>{}(troupe::current_actor().name()));
  troupe::sleep(std::chrono::milliseconds(std::uniform_int_distribution<int>(0, 50)(random)));
}

std::string hi() {
  maybe_delay();
  return "Hi my name is " + troupe::current_actor().name();
}

std::string say_hello(const std::string& other_actor) {
  maybe_delay();
  troupe::Portal other = troupe::wait_for_actor(other_actor);
  maybe_delay();
  std::string line = other.run<&hi>();
  maybe_delay();
  return line;
}

[[maybe_unused]] inline const auto& scene = troupe::module<"scene", &say_hello, &hi>;

void first_scene(const std::string& first, const std::string& second) {
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    auto one = n.run_in_actor<&say_hello>(first, second);
    auto two = n.run_in_actor<&say_hello>(second, first);
    std::cout << two.result() << '\n' << one.result() << std::endl;
  });
}

void spin() {
  for (volatile bool busy = true; busy;) {
  }
}

// A tree two levels deep; with `stuck`, its leaves never come to a checkpoint.
void hold_court(int depth, bool stuck) {
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    for (int i = 0; i < 2 && depth > 0; ++i) {
      n.run_in_actor<&hold_court>("level-" + std::to_string(depth), depth - 1, stuck);
    }
    if (depth == 0 && stuck) spin();
    struct SaysWhenLeft {
      int depth;
      ~SaysWhenLeft() {
        if (depth == 2) std::cout << "the court is dissolved" << std::endl;
      }
    } const says{depth};
    if (depth == 2) {
      while (troupe::find_actors("level-1").size() < 4) troupe::sleep(1ms);
      std::cout << "the court is complete" << std::endl;
    }
    troupe::sleep_forever();
  });
}

// A root that never comes to a checkpoint, with an actor that does not either.
void be_busy() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
    n.run_in_actor<&spin>("busy");
    std::cout << "the stage is set" << std::endl;
    spin();
  });
}

// An actor that does something else at SIGTERM than to end.
std::string heed_sigterm() {
  std::string heeded = "nothing";
  troupe::open_signal_receiver({SIGTERM}, [&](troupe::SignalReceiver& signals) {
    ::kill(::getpid(), SIGTERM);
    troupe::fail_after(10s, [&] { signals.receive(); });
    heeded = "SIGTERM";
  });
  troupe::checkpoint();
  return heeded;
}

// Receives SIGTERM twice by itself, and then no more.
void receive_signals() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
    std::cout << "an actor heeds " << n.run_in_actor<&heed_sigterm>("heedful").result()
              << std::endl;
  });
  troupe::open_signal_receiver({SIGTERM}, [](troupe::SignalReceiver& signals) {
    for (const char* word : {"armed", "once", "twice"}) {
      std::cout << word << std::endl;
      if (word[0] != 't') signals.receive();
    }
  });
  std::cout << "closed" << std::endl;
  troupe::sleep_forever();
}

int starts = 0;
int own_starts() { return starts; }

// How often `on_actor_start` was called in the root, and in an actor.
void count_starts() {
  std::cout << starts << ' ';
  troupe::open_nursery([](troupe::ActorNursery& n) {
    std::cout << n.run_in_actor<&own_starts>("starter").result() << std::endl;
  });
}

[[maybe_unused]] inline const auto& court = troupe::module<"court", &hold_court>;

void throw_in_depth() { throw std::logic_error("the plot has a hole"); }

}  // namespace

int main(int argc, char** argv) {
  const std::string play = argc > 1 ? argv[1] : "scene";
  const bool is_child = std::getenv("TROUPE_CHILD") != nullptr;
  if (play == "forgets_run" && is_child) return 0;
  if (play == "exits_early" && is_child) {
    std::cerr << "the stage is not ready" << std::endl;
    std::exit(7);
  }
  const std::map<std::string, std::function<void()>> plays = {
      {"scene", [] { first_scene("donny", "gretchen"); }},
      {"scene_reversed", [] { first_scene("gretchen", "donny"); }},
      {"court", [] { hold_court(2, false); }},
      {"stuck_court", [] { hold_court(2, true); }},
      {"busy", [] { be_busy(); }},
      {"receives_signals", [] { receive_signals(); }},
      {"starts", [] { count_starts(); }},
      {"starts_after_init", [] { count_starts(); }},
      {"throws_a_number",
       [] {
         troupe::current_actor().on_exit([] { std::cout << "left in order" << std::endl; });
         throw 42;
       }},
      {"throws",
       [] {
         troupe::open_nursery(
             [](troupe::ActorNursery& n) { n.run_in_actor<&throw_in_depth>("author"); });
       }},
      {"forgets_run",
       [] { troupe::open_nursery([](troupe::ActorNursery& n) { n.start_actor("lost"); }); }},
      {"exits_early",
       [] { troupe::open_nursery([](troupe::ActorNursery& n) { n.start_actor("lost"); }); }},
  };
  troupe::RunOptions options;
  options.on_actor_start = [] { ++starts; };
  if (play == "starts_after_init") {
    troupe::init(argc, argv, options);
    return troupe::run([&] { plays.at(play)(); });
  }
  return troupe::run(argc, argv, options, [&] { plays.at(play)(); });
}
