// SPDX-License-Identifier: Apache-2.0

// A body that takes more than the nursery.
//
// EXPECT: the body of open_nursery takes an ActorNursery&, or nothing

#include "troupe/runtime/actor/actor_nursery.h"

void stage() {
#ifdef FIXED
  troupe::open_nursery([](troupe::ActorNursery& n) { n.cancel(); });
#else
  troupe::open_nursery([](troupe::ActorNursery& n, int count) { n.start_actor("a", {}), ++count; });
#endif
}
