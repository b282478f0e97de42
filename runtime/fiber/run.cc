// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/run.h"

#include "troupe/runtime/fiber/loop_token.h"
#include "troupe/runtime/fiber/nursery.h"

namespace troupe::detail {

void run_loop(UniqueFunction<void()> main, const FiberOptions& options) {
  Loop loop(options);
  loop.run([&main] {
    open_task_nursery([&main](TaskNursery& system) {
      system.start_soon("calls from other threads", &run_posted_functions);
      main();
      system.cancel();
    });
  });
}

}  // namespace troupe::detail
