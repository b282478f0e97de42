// SPDX-License-Identifier: Apache-2.0

// A body that gives its nursery out, by value.
//
// EXPECT-ANYWHERE: it stays in its block: pass an ActorNursery& on

#include "troupe/runtime/actor/actor_nursery.h"

void stage() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
#ifdef FIXED
    return n.status();
#else
    return n;
#endif
  });
}
