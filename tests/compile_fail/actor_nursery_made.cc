// SPDX-License-Identifier: Apache-2.0

// An actor nursery of one's own.
//
// EXPECT-ANYWHERE: open_nursery makes it, for its body

#include "troupe/runtime/actor/actor_nursery.h"

void stage() {
#ifdef FIXED
  troupe::open_nursery([](troupe::ActorNursery& n) { n.cancel(); });
#else
  troupe::ActorNursery n;
  n.cancel();
#endif
}
