// SPDX-License-Identifier: Apache-2.0

// A task nursery of one's own.
//
// EXPECT-ANYWHERE: open_task_nursery makes it, for its body

#include "troupe/runtime/fiber/nursery.h"

void stage() {
#ifdef FIXED
  troupe::open_task_nursery([](troupe::TaskNursery& n) { n.cancel(); });
#else
  troupe::TaskNursery n;
  n.cancel();
#endif
}
