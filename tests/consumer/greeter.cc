// SPDX-License-Identifier: Apache-2.0
#include "greeter.h"

#include "troupe/troupe.h"

std::string greet(std::string whom) {
  return "hello " + whom + ", this is " + troupe::current_actor().name();
}
