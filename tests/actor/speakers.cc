// SPDX-License-Identifier: Apache-2.0

// The program that the tests of the log run: its actors say something. What it does is its first
// argument; the second, if there is one, is what it asks the log for.

#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "troupe/troupe.h"

namespace {

// Says something, and returns what the log of its actor lets through.
std::string speak() {
  const auto log = troupe::get_logger("speaker");
  log.info("hi, I am ", troupe::current_actor().name());
  log.trace("in detail");
  return troupe::log::get_loglevel();
}

std::string let_speak(const std::string& name) {
  return troupe::open_nursery(
      [&](troupe::ActorNursery& n) { return n.run_in_actor<&speak>(name).result(); });
}

void speak_often(int lines) {
  const auto log = troupe::get_logger("speaker");
  for (int i = 0; i < lines; ++i) log.info("line ", i, ' ', std::string(80, 'x'));
}

void one() { std::cout << "donny: " << let_speak("donny") << std::endl; }

void own_level() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
    auto donny = n.run_in_actor<&speak>(troupe::ActorOptions{.name = "donny", .loglevel = "trace"});
    std::cout << "donny: " << donny.result() << std::endl;
    std::cout << "gretchen: " << n.run_in_actor<&speak>("gretchen").result() << std::endl;
  });
}

void below() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
    auto donny = n.run_in_actor<&let_speak>("donny", "gretchen");
    std::cout << "gretchen: " << donny.result() << std::endl;
  });
}

void crowd() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
    for (int i = 0; i < 10; ++i) n.run_in_actor<&speak_often>("one-" + std::to_string(i), 100);
  });
}

void sink() {
  std::vector<troupe::log::Record> records;
  troupe::log::set_sink([&](const troupe::log::Record& record) { records.push_back(record); });
  troupe::get_logger("speaker").info("hi from here");
  let_speak("donny");
  troupe::log::set_sink(nullptr);
  for (const auto& record : records) {
    std::cout << to_string(record.level) << ' ' << record.actor << ' ' << record.task << ' '
              << record.component << ": " << record.text << std::endl;
  }
}

void bad_level() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
    try {
      n.start_actor("donny", {.loglevel = "loud"});
    } catch (const troupe::UsageError& error) {
      std::cout << error.what() << std::endl;
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, std::function<void()>> plays = {
      {"one", one},     {"options", one}, {"own_level", own_level}, {"below", below},
      {"crowd", crowd}, {"sink", sink},   {"bad_level", bad_level}};
  const std::string play = argv[1];
  const std::string levels = argc > 2 ? argv[2] : "";
  troupe::RunOptions options;
  if (play == "options") {
    options.loglevel = levels;
  } else if (!levels.empty()) {
    troupe::log::get_console_log(levels);
  }
  return troupe::run(argc, argv, std::move(options), plays.at(play));
}
