// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/exception_group.h"

#include <map>
#include <utility>

#include "troupe/runtime/base/demangle.h"

namespace troupe {
namespace {

std::string group_text(const std::string& message,
                       const std::vector<std::exception_ptr>& exceptions) {
  const char* const errors = exceptions.size() == 1 ? " error)" : " errors)";
  std::string text = message + " (" + std::to_string(exceptions.size()) + errors;
  for (const std::exception_ptr& error : exceptions) text += "\n" + describe_error(error, 2);
  return text;
}

std::string indented(const std::string& text, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string result = margin;
  for (const char c : text) {
    result += c;
    if (c == '\n') result += margin;
  }
  return result;
}

// An error with what it is told apart by. The pointers are good as long as the error is held.
struct Told {
  const std::exception* error = nullptr;  // null: of a type that says nothing
  const ExceptionGroup* group = nullptr;
  Origin origin = 0;

  explicit Told(const std::exception_ptr& held) {
    try {
      std::rethrow_exception(held);
    } catch (const std::exception& known) {
      error = &known;
      group = dynamic_cast<const ExceptionGroup*>(&known);
      if (const auto* own = dynamic_cast<const Error*>(&known)) origin = own->origin();
    } catch (...) {  // an int, say
    }
  }
};

// Which error tells of each failure.
class Tellers {
 public:
  void add(const std::exception_ptr& held) {
    const Told told(held);
    if (told.group != nullptr) {
      for (const std::exception_ptr& member : told.group->exceptions()) add(member);
    } else if (told.error != nullptr) {
      const auto [at, is_new] = tellers_.try_emplace(key(told), told);
      if (!is_new && detail::is_hearsay(at->second.origin) && !detail::is_hearsay(told.origin)) {
        at->second = told;
      }
    }
  }

  // `held` without what others tell; null when nothing is left of it.
  std::exception_ptr keep(const std::exception_ptr& held) {
    const Told told(held);
    if (told.group != nullptr) return keep_group(held, *told.group);
    if (told.error == nullptr) return held;
    const auto at = tellers_.find(key(told));
    if (at == tellers_.end() || at->second.error != told.error) return nullptr;
    tellers_.erase(at);
    return held;
  }

 private:
  // By its origin, or as the very object.
  using Key = std::pair<Origin, const void*>;

  static Key key(const Told& told) {
    if (told.origin != 0) return {detail::by_hearsay(told.origin), nullptr};
    return {0, told.error};
  }

  std::exception_ptr keep_group(const std::exception_ptr& held, const ExceptionGroup& group) {
    bool whole = true;
    std::vector<std::exception_ptr> kept;
    for (const std::exception_ptr& member : group.exceptions()) {
      std::exception_ptr left = keep(member);
      whole = whole && left == member;
      if (left) kept.push_back(std::move(left));
    }
    if (whole || kept.empty()) return whole ? held : nullptr;
    if (kept.size() == 1) return kept.front();
    return std::make_exception_ptr(ExceptionGroup(group.message(), std::move(kept)));
  }

  std::map<Key, Told> tellers_;
};

}  // namespace

ExceptionGroup::ExceptionGroup(std::string message, std::vector<std::exception_ptr> exceptions)
    : Error(group_text(message, exceptions)),
      message_(std::move(message)),
      exceptions_(std::move(exceptions)) {}

void throw_collected(std::vector<std::exception_ptr> errors, const char* who) {
  if (errors.empty()) return;
  if (errors.size() == 1) std::rethrow_exception(errors.front());
  throw ExceptionGroup(std::string("several tasks of ") + who + " failed", std::move(errors));
}

std::vector<std::exception_ptr> one_per_origin(std::vector<std::exception_ptr> errors) {
  if (errors.size() < 2) return errors;
  Tellers tellers;
  for (const std::exception_ptr& error : errors) tellers.add(error);
  std::vector<std::exception_ptr> kept;
  for (const std::exception_ptr& error : errors) {
    if (std::exception_ptr left = tellers.keep(error)) kept.push_back(std::move(left));
  }
  return kept;
}

std::string describe_error(const std::exception_ptr& error, int indent) {
  return indented(exception_type_name(error) + ": " + exception_message(error), indent);
}

}  // namespace troupe
