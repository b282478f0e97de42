// SPDX-License-Identifier: Apache-2.0

// An actor whose function gets an argument too few.
//
// EXPECT: too few arguments in this call: the function takes more

#include "troupe/runtime/actor/actor_nursery.h"

int add(int a, int b);

void stage(troupe::ActorNursery& n) {
#ifdef FIXED
  n.run_in_actor<&add>("adder", 1, 2);
#else
  n.run_in_actor<&add>("adder", 1);
#endif
}
