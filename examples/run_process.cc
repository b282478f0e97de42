// SPDX-License-Identifier: Apache-2.0

// Other programs as calls: they belong to the block that runs them, get their input, give back what
// they print, and are ended when their block is. Uses the task layer alone. Prints:
//
//   tr: HELLO WORLD
//   sh: exit code 3, saying "no such play"
//   sleep: ended, as its time was over
//   two at once: one two

#include <chrono>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/fiber/gather.h"
#include "troupe/runtime/fiber/process.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"

using namespace std::chrono_literals;
using troupe::ProcessIo;

std::string output_of(std::vector<std::string> argv) {
  return troupe::run_process(std::move(argv), {.out = ProcessIo::capture}).out;
}

void talk() {
  const troupe::CompletedProcess tr = troupe::run_process(
      {"tr", "a-z", "A-Z"}, {.input = "hello world", .out = ProcessIo::capture});
  std::cout << "tr: " << tr.out << std::endl;
}

// What does not end with exit code 0 is an error, unless `.check = false`.
void fail() {
  try {
    troupe::run_process({"sh", "-c", "printf 'no such play' >&2; exit 3"},
                        {.err = ProcessIo::capture});
  } catch (const troupe::ProcessFailed& failed) {
    std::cout << "sh: " << failed.process().status.to_string() << ", saying \""
              << failed.process().err << "\"" << std::endl;
  }
}

// SIGTERM, and SIGKILL for who does not hear; the block is left when the process is reaped.
void run_out_of_time() {
  const auto result = troupe::move_on_after(50ms, [] { troupe::run_process({"sleep", "3600"}); });
  if (!result) std::cout << "sleep: ended, as its time was over" << std::endl;
}

int main() {
  troupe::run_tasks([] {
    talk();
    fail();
    run_out_of_time();
    const auto [one, two] = troupe::gather(
        [] {
          return output_of({"printf", "one"});
        },
        [] {
          return output_of({"printf", "two"});
        });
    std::cout << "two at once: " << one << ' ' << two << std::endl;
  });
}
