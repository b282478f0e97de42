// SPDX-License-Identifier: Apache-2.0

// A body that takes something else than the nursery.
//
// EXPECT: the body of open_task_nursery takes a TaskNursery&, or nothing

#include "troupe/runtime/fiber/nursery.h"

void stage() {
#ifdef FIXED
  troupe::open_task_nursery([](troupe::TaskNursery&) {});
#else
  troupe::open_task_nursery([](int) {});
#endif
}
