// SPDX-License-Identifier: Apache-2.0

// The command line tool `troupe`.

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "troupe/tools/troupe/commands.h"
#include "troupe/troupe.h"

int main(int argc, char** argv) {
  using namespace troupe::tool;
  Arguments arguments;
  try {
    arguments = parse_arguments({argv + 1, argv + argc});
  } catch (const troupe::UsageError& error) {
    std::cerr << "troupe: " << error.what() << "\n";
    return 2;
  }
  if (arguments.command == Command::help) return carry_out(arguments);
  // It looks at others: it joins nobody, and does not write over the trace of a program in whose
  // environment it runs.
  ::unsetenv("TROUPE_ARBITER_ADDR");
  ::unsetenv("TROUPE_TRACE");
  // Whoever does not answer is not waited for any longer than was asked for.
  return troupe::run(argc, argv,
                     {.name = "troupe-tool",
                      .cancel_grace = std::chrono::milliseconds(100),
                      .token_file = arguments.token_file,
                      .insecure_tcp = arguments.insecure_tcp},
                     [&] { return carry_out(arguments); });
}
