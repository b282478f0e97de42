// SPDX-License-Identifier: Apache-2.0

// A body that gives a reference to its nursery out.
//
// EXPECT: a nursery ends with its block: let the body return what its actors computed, or

#include "troupe/runtime/actor/actor_nursery.h"

void stage() {
#ifdef FIXED
  troupe::open_nursery([](troupe::ActorNursery&) {});
#else
  troupe::open_nursery([](troupe::ActorNursery& n) -> troupe::ActorNursery& { return n; });
#endif
}
