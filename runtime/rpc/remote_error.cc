// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/remote_error.h"

#include <utility>

#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/rpc/error_types.h"

namespace troupe {
namespace {

constexpr std::size_t max_text = 64 * 1024;
constexpr std::size_t max_members = 256;
constexpr int max_causes = 20;

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
  box.relay_path = {self};
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

[[noreturn]] void raise_group(const BoxedError& box) {
  std::vector<std::exception_ptr> members;
  for (const BoxedError& member : box.nested) members.push_back(rebuild(member));
  throw ExceptionGroup(box.message, std::move(members));
}

std::string who(const Uid& uid) {
  return uid.name.empty() ? "an unknown actor"
                          : "actor '" + uid.name + "' (" + uid.to_string() + ")";
}

std::string describe(const BoxedError& box) {
  std::string text =
      who(box.source) + " raised " + (box.type.empty() ? "unknown" : box.type) + ": " + box.message;
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

BoxedError box_error(const std::exception_ptr& error, const Uid& self, std::string traceback) {
  BoxedError box = box_at_depth(error, self, 0);
  if (box.traceback.empty()) box.traceback = cut(std::move(traceback));
  return box;
}

void rethrow_boxed(const BoxedError& box) {
  if (box.nesting == BoxedError::Nesting::group && !box.nested.empty()) raise_group(box);
  try_raise(box, box.type);
  throw RemoteActorError(box);
}

void throw_remote(BoxedError box) {
  if (box.by_runtime) try_raise(box, box.type);
  throw RemoteActorError(std::move(box));
}

RemoteActorError::RemoteActorError(BoxedError box)
    : Error(describe(box)), box_(std::make_shared<const BoxedError>(std::move(box))) {
  set_origin(box_->origin);
}

const std::string& RemoteActorError::boxed_type() const noexcept {
  static const std::string unknown = "unknown";
  return box_->type.empty() ? unknown : box_->type;
}

void RemoteActorError::rethrow_boxed() const {
  if (box_->nesting == BoxedError::Nesting::group && !box_->nested.empty()) raise_group(*box_);
  try_raise(*box_, box_->type);
  throw *this;
}

ContextCancelled::ContextCancelled(const std::string& message, Uid canceller)
    : Error(message), canceller_(std::make_shared<const Uid>(std::move(canceller))) {}

namespace detail {

bool boxed_matches(const BoxedError& box, const std::type_info& type, bool (*handles)()) {
  if (demangle(type.name()) == box.type) return true;
  try {
    if (box.nesting == BoxedError::Nesting::group && !box.nested.empty()) raise_group(box);
    try_raise(box, box.type);
    try_raise(box, box.base);
  } catch (...) {
    return handles();
  }
  return false;
}

}  // namespace detail
}  // namespace troupe
