// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/remote_error.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/base/throw_trace.h"
#include "troupe/runtime/base/traceback.h"
#include "troupe/runtime/fiber/cancelled.h"
#include "troupe/runtime/rpc/error_types.h"

namespace troupe {
namespace {

constexpr std::size_t max_text = 64 * 1024;
constexpr std::size_t max_members = 256;
constexpr int max_causes = 20;

// It is thrown all the time and never boxed.
[[maybe_unused]] const bool cancelled_is_skipped = (skip_throw_traces_of(typeid(Cancelled)), true);

std::string cut(std::string text) {
  if (text.size() > max_text) {
    text.resize(max_text);
    text += "... (cut)";
  }
  return text;
}

// std::throw_with_nested throws a type of its own around the one that is meant.
std::string without_nested(std::string name) {
  constexpr std::string_view wrapper = "std::_Nested_exception<";
  if (!name.starts_with(wrapper)) return name;
  name.erase(0, wrapper.size());
  name.erase(name.rfind('>'));
  while (name.ends_with(' ')) name.pop_back();
  return name;
}

BoxedError box_at_depth(const std::exception_ptr& error, const Uid& self, int depth);

void box_cause(BoxedError& box, const std::exception& error, const Uid& self, int depth) {
  const auto* outer = dynamic_cast<const std::nested_exception*>(&error);
  if (!outer || !outer->nested_ptr() || depth >= max_causes) return;
  box.nesting = BoxedError::Nesting::cause;
  box.nested.push_back(box_at_depth(outer->nested_ptr(), self, depth + 1));
}

void box_group(BoxedError& box, const ExceptionGroup& group, const Uid& self, int depth) {
  box.nesting = BoxedError::Nesting::group;
  box.message = cut(group.message());
  if (depth >= max_causes) return;
  for (const std::exception_ptr& member : group.exceptions()) {
    if (box.nested.size() == max_members) break;
    box.nested.push_back(box_at_depth(member, self, depth + 1));
  }
}

// An error that cannot be packed still arrives, as a RemoteActorError.
Bytes pack(const detail::ErrorType& type, const std::exception& error) {
  try {
    return type.pack(error);
  } catch (const std::exception&) {
    return {};
  }
}

void box_standard(BoxedError& box, const std::exception& error, const Uid& self, int depth) {
  box.type = without_nested(demangle(typeid(error).name()));
  box.message = cut(error.what());
  const detail::ErrorType* known = detail::find_error_type(box.type);
  if (!known) {
    known = detail::nearest_error_type(error);
    box.base = demangle(known->type->name());
  }
  if (known->pack) box.payload = pack(*known, error);
  if (const auto* group = dynamic_cast<const ExceptionGroup*>(&error)) {
    box_group(box, *group, self, depth);
  } else {
    box_cause(box, error, self, depth);
  }
}

// Things that are thrown without being a std::exception.
void box_other(BoxedError& box, const std::exception_ptr& error) {
  box.type = exception_type_name(error);
  try {
    std::rethrow_exception(error);
  } catch (const std::string& text) {
    box.message = cut(text);
  } catch (const char* text) {
    box.message = cut(text ? text : "");
  } catch (int number) {
    box.message = std::to_string(number);
  } catch (...) {
    box.message = "an object of type " + box.type;
  }
}

BoxedError box_at_depth(const std::exception_ptr& error, const Uid& self, int depth) {
  BoxedError box;
  try {
    if (error) std::rethrow_exception(error);
  } catch (const RemoteActorError& remote) {
    box = remote.boxed();
    box.was_remote = depth > 0;
    box.relay_path.push_back(self);
    return box;
  } catch (const std::exception& known) {
    box_standard(box, known, self, depth);
    if (const auto* own = dynamic_cast<const Error*>(&known)) box.origin = own->origin();
  } catch (...) {
    box_other(box, error);
  }
  if (box.origin == 0) box.origin = detail::fresh_origin(self.uuid);
  box.source = self;
  box.pid = static_cast<std::int32_t>(::getpid());
  box.relay_path = {self};
  // A group is made by the library, where the last of its members was waited for.
  if (error && box.nesting != BoxedError::Nesting::group) box.traceback = cut(traceback_of(error));
  return box;
}

std::exception_ptr rebuild(const BoxedError& box) {
  try {
    if (box.was_remote) throw RemoteActorError(box);
    rethrow_boxed(box);
  } catch (...) {
    return std::current_exception();
  }
}

// Throws an error of that registered type; returns if there is none or it cannot be rebuilt.
void try_raise(const BoxedError& box, const std::string& type) {
  const detail::ErrorType* known = detail::find_error_type(type);
  if (!known) return;
  const auto raise = [&](bool with_cause) {
    try {
      known->raise(box.message, box.payload, with_cause);
    } catch (const DecodeError&) {
      // Sender and receiver know the type differently; unless it is the error itself.
      if (*known->type == typeid(DecodeError)) throw;
    }
  };
  if (box.nesting != BoxedError::Nesting::cause || box.nested.empty()) return raise(false);
  try {
    std::rethrow_exception(rebuild(box.nested.front()));
  } catch (...) {
    raise(true);
  }
}

bool is_group(const BoxedError& box) {
  return box.nesting == BoxedError::Nesting::group && !box.nested.empty();
}

[[noreturn]] void raise_group(const BoxedError& box) {
  std::vector<std::exception_ptr> members;
  for (const BoxedError& member : box.nested) members.push_back(rebuild(member));
  throw ExceptionGroup(box.message, std::move(members));
}

std::string who(const BoxedError& box) {
  const Uid& uid = box.source;
  if (uid.name.empty()) return "an unknown actor";
  return "actor '" + uid.name + "' (" +
         (box.pid != 0 ? "pid " + std::to_string(box.pid) : uid.to_string()) + ")";
}

std::string describe(const BoxedError& box) {
  std::string text =
      who(box) + " raised " + (box.type.empty() ? "unknown" : box.type) + ": " + box.message;
  for (std::size_t i = 1; i < box.relay_path.size(); ++i) {
    text += (i == 1 ? " (relayed by '" : ", '") + box.relay_path[i].name + "'";
  }
  if (box.relay_path.size() > 1) text += ")";
  for (const BoxedError& nested : box.nested) {
    text += (box.nesting == BoxedError::Nesting::cause ? "\n  caused by: " : "\n  - ") +
            describe(nested);
  }
  return text;
}

}  // namespace

void BoxedError::encode_into(Bytes& out) const { troupe::encode_into(out, *this); }

BoxedError BoxedError::decode(BytesView octets) { return decode_value<BoxedError>(octets); }

BoxedError box_error(const std::exception_ptr& error, const Uid& self) {
  return box_at_depth(error, self, 0);
}

void rethrow_boxed(const BoxedError& box) {
  if (is_group(box)) raise_group(box);
  try_raise(box, box.type);
  throw RemoteActorError(box);
}

void throw_remote(BoxedError box) {
  if (box.by_runtime) try_raise(box, box.type);
  throw RemoteActorError(std::move(box));
}

RemoteActorError::RemoteActorError(BoxedError box)
    : BoxingError(describe(box)), box_(std::make_shared<const BoxedError>(std::move(box))) {
  set_origin(box_->origin);
}

const std::string& RemoteActorError::boxed_type() const noexcept {
  static const std::string unknown = "unknown";
  return box_->type.empty() ? unknown : box_->type;
}

void RemoteActorError::throw_rebuilt() const {
  if (is_group(*box_)) raise_group(*box_);
  try_raise(*box_, box_->type);
}

void RemoteActorError::rethrow_boxed() const {
  throw_rebuilt();
  throw *this;
}

std::exception_ptr RemoteActorError::unwrap() const {
  try {
    rethrow_boxed();
  } catch (...) {
    return std::current_exception();
  }
}

std::string RemoteActorError::traceback() const {
  std::string text = boxed_type() + ": " + boxed_message() + "\n";
  const std::string& lines = box_->traceback;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    text += "  at " + lines.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return text;
}

bool RemoteActorError::boxes(const std::type_info& type, bool (*handles)()) const {
  if (demangle(type.name()) == box_->type) return true;
  try {
    throw_rebuilt();
    try_raise(*box_, box_->base);
  } catch (...) {
    return handles();
  }
  return false;
}

std::exception_ptr RemoteActorError::boxed_group() const {
  if (!is_group(*box_)) return nullptr;
  std::vector<std::exception_ptr> members;
  for (BoxedError member : box_->nested) {
    // It came the group's way from where the group was made.
    const std::vector<Uid>& path = box_->relay_path;
    for (std::size_t i = 1; i < path.size(); ++i) member.relay_path.push_back(path[i]);
    members.push_back(std::make_exception_ptr(RemoteActorError(std::move(member))));
  }
  return std::make_exception_ptr(ExceptionGroup(box_->message, std::move(members)));
}

ContextCancelled::ContextCancelled(const std::string& message, Uid canceller)
    : Error(message), canceller_(std::make_shared<const Uid>(std::move(canceller))) {}

}  // namespace troupe
