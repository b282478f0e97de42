// SPDX-License-Identifier: Apache-2.0

// A copy of an actor nursery.
//
// EXPECT-ANYWHERE: it stays in its block: pass an ActorNursery& on

#include "troupe/runtime/actor/actor_nursery.h"

void stage(troupe::ActorNursery& n) {
#ifdef FIXED
  troupe::ActorNursery& same = n;
#else
  troupe::ActorNursery same = n;
#endif
  same.cancel();
}
