// SPDX-License-Identifier: Apache-2.0

// A lambda with captures as the function of an actor.
//
// EXPECT: a lambda or function object has no name that another process knows: write a function and

#include "troupe/runtime/actor/actor_nursery.h"

int add(int a, int b);

void stage(troupe::ActorNursery& n, int more) {
#ifdef FIXED
  n.run_in_actor<&add>("adder", 1, more);
#else
  n.run_in_actor([more](int number) { return number + more; }, "adder", 1);
#endif
}
