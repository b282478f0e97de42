// SPDX-License-Identifier: Apache-2.0

// An actor nursery that is moved away.
//
// EXPECT-ANYWHERE: it stays in its block: pass an ActorNursery& on

#include <utility>

#include "troupe/runtime/actor/actor_nursery.h"

void stage(troupe::ActorNursery& n) {
#ifdef FIXED
  troupe::ActorNursery& kept = n;
#else
  troupe::ActorNursery kept = std::move(n);
#endif
  kept.cancel();
}
