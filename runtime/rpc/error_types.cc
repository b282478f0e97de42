// SPDX-License-Identifier: Apache-2.0

// The exception types that can be rebuilt: those of the standard library and of troupe, which need
// no registration, and those that programs register.

#include "troupe/runtime/rpc/error_types.h"

#include <any>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "troupe/ipc/errors.h"
#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/rpc/errors.h"

namespace troupe::detail {
namespace {

using Registry = std::map<std::string, ErrorType, std::less<>>;

template <class E>
void add(Registry& registry, int depth) {
  registry[type_name<E>()] = {&typeid(E), nullptr, &raise_error<E>, &is_error<E>, depth};
}

template <class E>
void add(Registry& registry, int depth, Bytes (*pack)(const std::exception&),
         void (*raise)(const std::string&, BytesView, bool)) {
  registry[type_name<E>()] = {&typeid(E), pack, raise, &is_error<E>, depth};
}

std::optional<std::error_code> make_code(int value, std::string_view category) {
  for (const std::error_category* known : {&std::generic_category(), &std::system_category(),
                                           &std::iostream_category(), &std::future_category()}) {
    if (category == known->name()) return std::error_code(value, *known);
  }
  return std::nullopt;
}

// What the thrower said, without the text that the error's constructor adds to it.
std::string without_code(std::string what, const std::error_code& code) {
  const std::string added = ": " + code.message();
  if (const std::size_t at = what.rfind(added); at != std::string::npos) what.erase(at);
  return what;
}

template <class E>
Bytes pack_system(const std::exception& error) {
  const auto& e = dynamic_cast<const E&>(error);
  // An error_code travels as its value and the name of its category.
  std::optional<std::string> about;
  if (e.what() != e.code().message()) about = without_code(e.what(), e.code());
  return encode(e.code().value(), std::string(e.code().category().name()), about);
}

template <class E>
void raise_system(const std::string&, BytesView payload, bool with_cause) {
  const auto [value, category, about] =
      decode<int, std::string, std::optional<std::string>>(payload);
  const auto code = make_code(value, category);
  if (!code) return;
  if constexpr (std::is_constructible_v<E, std::error_code>) {
    if (!about) raise_as(E(*code), with_cause);
  }
  if constexpr (std::is_constructible_v<E, std::string, std::error_code>) {
    raise_as(E(about.value_or(""), *code), with_cause);
  } else {
    raise_as(E(*code, about.value_or("")), with_cause);
  }
}

Bytes pack_filesystem(const std::exception& error) {
  const auto& e = dynamic_cast<const std::filesystem::filesystem_error&>(error);
  std::string about = without_code(e.what(), e.code());
  if (const std::string prefix = "filesystem error: "; about.starts_with(prefix)) {
    about.erase(0, prefix.size());
  }
  return encode(e.code().value(), std::string(e.code().category().name()), about, e.path1(),
                e.path2());
}

void raise_filesystem(const std::string&, BytesView payload, bool with_cause) {
  using Path = std::filesystem::path;
  const auto [value, category, about, path1, path2] =
      decode<int, std::string, std::string, Path, Path>(payload);
  const auto code = make_code(value, category);
  if (!code) return;
  using E = std::filesystem::filesystem_error;
  raise_as(path1.empty() && path2.empty() ? E(about, *code) : E(about, path1, path2, *code),
           with_cause);
}

Bytes pack_future(const std::exception& error) {
  return encode(dynamic_cast<const std::future_error&>(error).code().value());
}
void raise_future(const std::string&, BytesView payload, bool with_cause) {
  raise_as(std::future_error(static_cast<std::future_errc>(decode_value<int>(payload))),
           with_cause);
}

Bytes pack_regex(const std::exception& error) {
  return encode(static_cast<int>(dynamic_cast<const std::regex_error&>(error).code()));
}
void raise_regex(const std::string&, BytesView payload, bool with_cause) {
  const auto code = static_cast<std::regex_constants::error_type>(decode_value<int>(payload));
  raise_as(std::regex_error(code), with_cause);
}

Bytes pack_cancelled(const std::exception& error) {
  return encode(dynamic_cast<const ContextCancelled&>(error).canceller());
}
void raise_cancelled(const std::string& message, BytesView payload, bool with_cause) {
  raise_as(ContextCancelled(message, decode_value<Uid>(payload)), with_cause);
}

Bytes pack_closed(const std::exception& error) {
  return encode(dynamic_cast<const TransportClosed&>(error).reason());
}
void raise_closed(const std::string& message, BytesView payload, bool with_cause) {
  raise_as(TransportClosed(decode_value<TransportClosed::Reason>(payload), message), with_cause);
}

void add_standard(Registry& all) {
  add<std::exception>(all, 0);
  add<std::bad_alloc>(all, 1);
  add<std::bad_array_new_length>(all, 2);
  add<std::bad_cast>(all, 1);
  add<std::bad_any_cast>(all, 2);
  add<std::bad_exception>(all, 1);
  add<std::bad_function_call>(all, 1);
  add<std::bad_optional_access>(all, 1);
  add<std::bad_typeid>(all, 1);
  add<std::bad_variant_access>(all, 1);
  add<std::bad_weak_ptr>(all, 1);
  add<std::logic_error>(all, 1);
  add<std::domain_error>(all, 2);
  add<std::invalid_argument>(all, 2);
  add<std::length_error>(all, 2);
  add<std::out_of_range>(all, 2);
  add<std::future_error>(all, 2, &pack_future, &raise_future);
  add<std::runtime_error>(all, 1);
  add<std::overflow_error>(all, 2);
  add<std::range_error>(all, 2);
  add<std::underflow_error>(all, 2);
  add<std::regex_error>(all, 2, &pack_regex, &raise_regex);
  add<std::system_error>(all, 2, &pack_system<std::system_error>, &raise_system<std::system_error>);
  add<std::ios_base::failure>(all, 3, &pack_system<std::ios_base::failure>,
                              &raise_system<std::ios_base::failure>);
  add<std::filesystem::filesystem_error>(all, 3, &pack_filesystem, &raise_filesystem);
}

void add_own(Registry& all) {
  add<Error>(all, 3);
  add<UsageError>(all, 4);
  add<TooSlowError>(all, 4);
  add<InternalError>(all, 4);
  add<DeadlockError>(all, 4);
  add<WouldBlock>(all, 4);
  add<EndOfChannel>(all, 4);
  add<BrokenChannel>(all, 4);
  add<StreamOverrun>(all, 4);
  add<DecodeError>(all, 4);
  add<ModuleNotExposed>(all, 4);
  add<MsgTypeError>(all, 4);
  add<ContextCancelled>(all, 4, &pack_cancelled, &raise_cancelled);
  add<TransportClosed>(all, 4, &pack_closed, &raise_closed);
}

// Types that static initialisation has registered and nobody has asked for: most processes never
// do, and their names take time. This and the next are never destroyed.
std::vector<ErrorType>& waiting() {
  static auto* const types = new std::vector<ErrorType>;
  return *types;
}

// Made on first use.
Registry& registry() {
  static Registry* const all = [] {
    auto* made = new Registry();
    add_standard(*made);
    add_own(*made);
    return made;
  }();
  for (const ErrorType& type : std::exchange(waiting(), {})) {
    (*all)[demangle(type.type->name())] = type;
  }
  return *all;
}

}  // namespace

bool add_error_type(const ErrorType& type) {
  waiting().push_back(type);
  return true;
}

const ErrorType* find_error_type(std::string_view name) {
  const auto at = registry().find(name);
  return at == registry().end() ? nullptr : &at->second;
}

const ErrorType* nearest_error_type(const std::exception& error) {
  const ErrorType* nearest = nullptr;
  for (const auto& [name, type] : registry()) {
    if (type.matches(error) && (!nearest || type.depth >= nearest->depth)) nearest = &type;
  }
  return nearest;
}

}  // namespace troupe::detail
