// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/instrument.h"

#include <algorithm>
#include <exception>
#include <string>
#include <typeinfo>
#include <utility>

#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/loop.h"

namespace troupe {

void add_instrument(Instrument& instrument) { Loop::current().add_instrument(instrument); }

void remove_instrument(Instrument& instrument) {
  if (!Loop::current().remove_instrument(instrument)) {
    throw UsageError(
        "this instrument hears of no run on this thread: it was never added, or was removed before "
        "(by itself, if it threw)");
  }
}

namespace detail {

void Instruments::add(Instrument& instrument) {
  if (std::find(list_.begin(), list_.end(), &instrument) != list_.end())
    throw UsageError("this instrument was added to this run before; add it once");
  list_.push_back(&instrument);
  active_ = this;
}

bool Instruments::remove(Instrument& instrument) noexcept {
  const auto found = std::find(list_.begin(), list_.end(), &instrument);
  if (found == list_.end()) return false;
  *found = nullptr;
  has_holes_ = true;
  if (telling_ == 0) sweep();
  return true;
}

void Instruments::remove_crashed(std::size_t index) noexcept {
  const std::exception_ptr error = std::current_exception();
  const Instrument& crashed = *list_[index];
  log_message(LogLevel::error, "fiber",
              "an instrument of type " + demangle(typeid(crashed).name()) +
                  " failed and is removed: " + exception_type_name(error) + ": " +
                  exception_message(error));
  list_[index] = nullptr;
  has_holes_ = true;
}

void Instruments::sweep() noexcept {
  std::erase(list_, nullptr);
  has_holes_ = false;
  if (list_.empty()) active_ = nullptr;
}

}  // namespace detail
}  // namespace troupe
