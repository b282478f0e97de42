// SPDX-License-Identifier: Apache-2.0
#pragma once

// Errors that come from another process. There an exception is boxed: its type's name, its message,
// where it came from and what nests in it; here it is raised as a `RemoteActorError`, which knows
// how to become the original again. Standard exceptions do so by themselves, types of a program
// once it has registered them:
//
//     inline const auto registered = troupe::register_error<NoSuchPlay>();

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/base/boxing_error.h"
#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/rpc/codec.h"

namespace troupe {

/// An exception in the form in which it travels.
struct BoxedError {
  /// What the parts in `nested` are to it.
  enum class Nesting : std::uint8_t {
    none,   ///< Nothing: there are no parts.
    group,  ///< It is an `ExceptionGroup`; these are its members.
    cause,  ///< It was thrown by `std::throw_with_nested` while this one was being handled.
  };

  std::string type;       ///< Demangled, such as "std::out_of_range".
  std::string base;       ///< The registered type nearest to it, when its own is not registered.
  std::string message;    ///< Its `what()`.
  Bytes payload;          ///< What its registered type encoded of itself.
  std::string traceback;  ///< Where it was thrown, when that is known: a line per function.
  Uid source;             ///< The actor in which it was thrown.
  std::int32_t pid = 0;   ///< That actor's process.
  std::vector<Uid> relay_path;      ///< The actors that it came through: the source first.
  Nesting nesting = Nesting::none;  ///< What `nested` are to it.
  /// Raised by the runtime about a call (not exposed, wrong type, cancelled), not by user code.
  bool by_runtime = false;
  /// It was a `RemoteActorError` already where the error around it was boxed.
  bool was_remote = false;
  std::vector<BoxedError> nested;  ///< The members of a group, or the one cause.
  /// Which failure it tells of, given where it was boxed first: see `Error::origin`.
  std::uint64_t origin = 0;

  /// Appends itself to `out`.
  void encode_into(Bytes& out) const;
  /// Reads what `encode_into` wrote. Throws `DecodeError`.
  static BoxedError decode(BytesView octets);
};

/// Boxes `error` as seen by the actor `self`, which is this process. A `RemoteActorError` keeps its
/// source and gets `self` as a further stop of its relay path. Texts are cut at 64 KiB. Not for
/// `Cancelled`, which stays where it is.
BoxedError box_error(const std::exception_ptr& error, const Uid& self);

/// Throws the original of `box`, as far as it can be rebuilt, else a `RemoteActorError`.
[[noreturn]] void rethrow_boxed(const BoxedError& box);

/// Throws what a caller sees when its call ends with `box`: the runtime's own verdicts
/// (`ModuleNotExposed`, `MsgTypeError`, `ContextCancelled`, `UsageError`) as themselves, every
/// other error as a `RemoteActorError`.
[[noreturn]] void throw_remote(BoxedError box);

/// A function that was called in another actor threw. A value; copies share what they are about.
class RemoteActorError : public BoxingError {
 public:
  explicit RemoteActorError(BoxedError box);

  /// The type of what was thrown there, such as "std::out_of_range"; "unknown" if it was not told.
  const std::string& boxed_type() const noexcept;
  /// What that error said.
  const std::string& boxed_message() const noexcept { return box_->message; }
  /// Whether a `catch (const E&)` there would have caught it, as far as this process can tell.
  template <class E>
  bool is() const;
  /// Throws what was thrown there, as its own type; a type that this process does not know leaves
  /// as this `RemoteActorError`.
  [[noreturn]] void rethrow_boxed() const;
  /// The same as a value: the innermost error, rebuilt, or this one when that cannot be.
  std::exception_ptr unwrap() const;
  /// The actor in which it was thrown.
  const Uid& src_uid() const noexcept { return box_->source; }
  /// The actors that it came through, its source first, the one that was called last.
  const std::vector<Uid>& relay_path() const noexcept { return box_->relay_path; }
  /// Whether the actor that was called had got it from another one.
  bool is_inception() const noexcept { return box_->relay_path.size() > 1; }
  /// What was thrown there and where: its type and message, and a line "  at function (file:line)"
  /// for each function that is known.
  std::string traceback() const;
  /// All of it, with what nests in it.
  const BoxedError& boxed() const noexcept { return *box_; }

  void throw_rebuilt() const override;
  bool boxes(const std::type_info& type, bool (*handles)()) const override;
  std::exception_ptr boxed_group() const override;

 private:
  // Shared by the copies that exceptions are made of; never changed.
  std::shared_ptr<const BoxedError> box_;
};

/// A context, or a call, was cancelled by someone else than its own opener.
class ContextCancelled : public Error {
 public:
  ContextCancelled(const std::string& message, Uid canceller);

  /// The actor that asked for it.
  const Uid& canceller() const noexcept { return *canceller_; }

 private:
  std::shared_ptr<const Uid> canceller_;
};

/// The called actor does not expose the function.
class ModuleNotExposed : public Error {
 public:
  using Error::Error;
};

/// Caller and callee disagree about a type; the message names both signatures.
class MsgTypeError : public Error {
 public:
  using Error::Error;
};

namespace detail {

/// How an exception type is packed, rebuilt and recognised.
struct ErrorType {
  const std::type_info* type;
  Bytes (*pack)(const std::exception&);  // null: the message is enough
  // Throws it again, with the exception being handled nested in it if `with_cause`; returns if it
  // cannot be rebuilt here.
  void (*raise)(const std::string& message, BytesView payload, bool with_cause);
  bool (*matches)(const std::exception&);
  int depth;  // how far from std::exception: tells the nearest of several bases
};

bool add_error_type(const ErrorType& type);

template <class E>
[[noreturn]] void raise_as(E error, bool with_cause) {
  if constexpr (!std::is_final_v<E>) {
    if (with_cause) std::throw_with_nested(std::move(error));
  }
  throw std::move(error);
}

template <class E>
concept CarriesItself = cereal::traits::detail::count_output_serializers<E, WireWriter>::value != 0;
template <class E>
concept FromMessage =
    std::is_constructible_v<E, std::string> || std::is_constructible_v<E, const char*>;

template <class E>
Bytes pack_error(const std::exception& error) {
  return encode(dynamic_cast<const E&>(error));
}

template <class E>
E make_error(const std::string& message) {
  if constexpr (std::is_constructible_v<E, std::string>) {
    return E(message);
  } else if constexpr (std::is_constructible_v<E, const char*>) {
    return E(message.c_str());
  } else {
    return E();
  }
}

template <class E>
void raise_error(const std::string& message, BytesView payload, bool with_cause) {
  E error = make_error<E>(message);
  if constexpr (CarriesItself<E>) decode_to(error, payload);
  raise_as(std::move(error), with_cause);
}

template <class E>
bool is_error([[maybe_unused]] const std::exception& error) {
  if constexpr (std::is_same_v<E, std::exception>) {
    return true;
  } else {
    return dynamic_cast<const E*>(&error) != nullptr;
  }
}

}  // namespace detail

/// Registers the exception type `E`, so that it comes back as itself from other processes: made
/// from its message (a constructor from std::string) or by its default constructor, and then loaded
/// by its serialize function if it has one. Call it at namespace scope, in a file that both
/// programs contain.
template <class E>
bool register_error() {
  static_assert(
      std::derived_from<E, std::exception>,
      "an error that crosses processes is derived from std::exception (or troupe::Error), so "
      "that it has a message");
  static_assert(
      detail::FromMessage<E> || std::is_default_constructible_v<E>,
      "this error cannot be rebuilt by its receiver: give it a constructor from a std::string, "
      "or a default constructor and a serialize function");
  detail::ErrorType type{&typeid(E), nullptr, &detail::raise_error<E>, &detail::is_error<E>, 100};
  if constexpr (detail::CarriesItself<E>) type.pack = &detail::pack_error<E>;
  return detail::add_error_type(type);
}

template <class E>
bool RemoteActorError::is() const {
  return boxes(typeid(E), &detail::handled_as<E>);
}

}  // namespace troupe
