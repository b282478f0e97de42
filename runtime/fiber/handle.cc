// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/handle.h"

#include <vector>

namespace troupe::detail {
namespace {

// The members and message of a group; empty when `error` is none.
std::optional<ExceptionGroup> as_group(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    return group;
  } catch (...) {
    return std::nullopt;
  }
}

// The same of a group that another error stands for.
std::optional<ExceptionGroup> as_boxed_group(const std::exception_ptr& error) {
  std::exception_ptr group;
  try {
    std::rethrow_exception(error);
  } catch (const BoxingError& box) {
    group = box.boxed_group();
  } catch (...) {
  }
  return group ? as_group(group) : std::nullopt;
}

}  // namespace

class Treatment {
 public:
  explicit Treatment(LeafTreatment& leaves) : leaves_(leaves) {}

  // What is left of `error`: itself, a part of it, what a handler threw, or null.
  std::exception_ptr treat(const std::exception_ptr& error) {
    if (const auto group = as_group(error)) return treat_group(error, *group);
    std::exception_ptr left;
    if (treat_alone(error, left)) return left;
    if (const auto group = as_boxed_group(error)) return treat_group(error, *group);
    return error;
  }

  // Errors leave before a cancellation does, which is raised again at the next checkpoint.
  void finish(const std::exception_ptr& left) const {
    if (!cancelled_) {
      if (left) std::rethrow_exception(left);
      return;
    }
    try {
      std::rethrow_exception(cancelled_);
    } catch (const Cancelled& cancelled) {
      if (!left) throw;
      cancelled.absorb();
    }
    std::rethrow_exception(left);
  }

 private:
  // Whether a handler wanted it; `left` is what that one threw, if anything.
  bool treat_alone(const std::exception_ptr& error, std::exception_ptr& left) {
    try {
      return leaves_.treat(error);
    } catch (const Cancelled& caught) {  // one is enough
      if (cancelled_) {
        caught.absorb();
      } else {
        cancelled_ = std::current_exception();
      }
    } catch (...) {
      left = std::current_exception();
    }
    return true;
  }

  std::exception_ptr treat_group(const std::exception_ptr& error, const ExceptionGroup& group) {
    std::vector<std::exception_ptr> left;
    bool changed = false;
    for (const std::exception_ptr& member : group.exceptions()) {
      std::exception_ptr rest = treat(member);
      changed |= rest != member;
      if (rest) left.push_back(std::move(rest));
    }
    if (!changed) return error;
    if (left.empty()) return nullptr;
    if (left.size() == 1) return left.front();
    return std::make_exception_ptr(ExceptionGroup(group.message(), std::move(left)));
  }

  LeafTreatment& leaves_;
  std::exception_ptr cancelled_;
};

void treat_errors(std::exception_ptr error, LeafTreatment& leaves) {
  Treatment treatment(leaves);
  treatment.finish(treatment.treat(error));
}

std::exception_ptr collapsed(std::exception_ptr error) {
  while (const auto group = as_group(error)) {
    if (group->exceptions().size() != 1) break;
    error = group->exceptions().front();
  }
  return error;
}

}  // namespace troupe::detail
