// SPDX-License-Identifier: Apache-2.0

// A function as an argument, where it must be named.
//
// EXPECT: a lambda or function object has no name that another process knows: write a function and

#include "troupe/runtime/actor/actor_nursery.h"

int add(int a, int b);

void stage(troupe::ActorNursery& n) {
#ifdef FIXED
  n.run_in_actor(troupe::fn<&add>, "adder", 1, 2);
#else
  n.run_in_actor(&add, "adder", 1, 2);
#endif
}
