// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/cancelled.h"

#include <exception>
#include <utility>

#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/task.h"

namespace troupe {

const char* to_string(CancelSource source) noexcept {
  switch (source) {
    case CancelSource::explicit_call:
      return "explicit";
    case CancelSource::deadline:
      return "deadline";
    case CancelSource::nursery:
      return "nursery";
    case CancelSource::shutdown:
      return "shutdown";
    case CancelSource::interrupt:
      return "interrupt";
  }
  return "unknown";
}

// Kept cheap: a name is put together only for the report.
struct Cancelled::Delivery {
  std::shared_ptr<const CancelReason> reason;
  std::string task_name;
  const std::type_info* task_closure;
  bool absorbed = false;

  Delivery(std::shared_ptr<const CancelReason> why, const Task& task)
      : reason(std::move(why)), task_name(task.name), task_closure(task.closure) {}
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  ~Delivery() {
    // While another error unwinds, that error has replaced the cancellation, which is allowed.
    if (absorbed || std::uncaught_exceptions() > 0) return;
    log_message(LogLevel::warning, "fiber",
                "task '" + Task::display_name(task_name, task_closure) +
                    "' swallowed Cancelled; it gets it again at its next checkpoint. A `catch "
                    "(...)` around something "
                    "that waits must end with `throw;`");
  }
};

Cancelled::Cancelled(std::shared_ptr<const CancelReason> reason, const Task& task)
    : delivery_(std::make_shared<Delivery>(std::move(reason), task)) {}

const CancelReason& Cancelled::reason() const noexcept { return *delivery_->reason; }

void Cancelled::absorb() const noexcept { delivery_->absorbed = true; }

}  // namespace troupe
