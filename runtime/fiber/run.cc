// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/run.h"

#include "troupe/runtime/base/log.h"
#include "troupe/runtime/base/log_choice.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/loop_remote.h"
#include "troupe/runtime/fiber/loop_token.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/stack_overflow.h"
#include "troupe/runtime/fiber/task_tree.h"

namespace troupe::detail {
namespace {

// Lines of the log name the task that speaks.
std::string name_of_speaker() {
  const Loop* loop = Loop::try_current();
  return loop == nullptr ? std::string() : loop->running_task_name();
}

void cancel_at_end(CancelScope& scope) {
  scope.cancel_with({CancelSource::shutdown, "the main task has ended", {}});
}

// Runs `main` beside the system tasks.
void run_main(Loop& loop, UniqueFunction<void()>& main, const FiberOptions& options) {
  struct Reset {
    Loop& loop;
    ~Reset() { loop.set_system_nursery(nullptr); }
  } const reset{loop};
  open_task_nursery([&](TaskNursery& system) {
    loop.set_system_nursery(&system);
    if (options.dump_on_sigusr1) {
      system.start<void>([](TaskStatus<void>& ready) { dump_task_tree_on_sigusr1(ready); });
    }
    main();
    cancel_at_end(system.cancel_scope());
  });
}

}  // namespace

void run_loop(UniqueFunction<void()> main, const FiberOptions& options) {
  set_log_task_hook(&name_of_speaker);
  choose_log_levels({});
  say_log_notices();
  Loop loop(options);
  const StackOverflowReporter reporter;
  loop.run([&] {
    // Outermost and shielded, because the others need it until they end: a task that waits for a
    // thread hears of the thread's end by such a call.
    CancelScope calls({.shield = true});
    open_task_nursery([&](TaskNursery& entry) {
      entry.start_soon("calls from other threads", [&] { calls.run(&run_posted_functions); });
      struct AtEnd {
        Loop& loop;
        CancelScope& calls;
        ~AtEnd() {
          // The exception of a cancellation costs more than the task itself, which may have run
          // nothing.
          if (!loop.remote()->end_runner()) cancel_at_end(calls);
        }
      } const at_end{loop, calls};
      run_main(loop, main, options);
    });
  });
}

void prepare_runs() { Scheduler::of_this_thread(); }

void throw_main_cancelled() {
  throw UsageError("the run was cancelled from outside before main returned its value");
}

}  // namespace troupe::detail
