// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/system_task.h"

#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/task_local.h"

namespace troupe::detail {
namespace {

void run_system_task(UniqueFunction<void()>& body) {
  Loop& loop = Loop::current();
  // It was started with the values of whoever started it.
  release_locals(std::exchange(loop.current_task().locals, nullptr));
  try {
    body();
  } catch (const Cancelled&) {
    throw;
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    throw InternalError("system task '" + loop.running_task_name() +
                        "' failed: " + describe_error(error));
  }
}

}  // namespace

void spawn_system_task(UniqueFunction<void()> body, const std::type_info& closure, std::string name,
                       SourceLocation where) {
  TaskNursery* const system = Loop::current().system_nursery();
  if (system == nullptr)
    throw UsageError("system tasks are started while the run's main task lives; it has ended");
  system->spawn([body = std::move(body)]() mutable { run_system_task(body); }, closure,
                std::move(name), where);
}

}  // namespace troupe::detail
