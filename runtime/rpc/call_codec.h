// SPDX-License-Identifier: Apache-2.0
#pragma once

// Arguments and results of calls: the caller's side converts what it is given to the parameter
// types of the function, as a call would, and encodes it; the callee's side decodes and calls.
// Wrong counts and types end in one sentence each.

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/rpc/codec.h"
#include "troupe/runtime/rpc/function_traits.h"

namespace troupe {
namespace detail {

template <auto F>
struct FunctionTag;

[[noreturn]] void throw_bad_arguments(const std::type_info& tag, const std::type_info& type,
                                      const char* why);
[[noreturn]] void throw_bad_result(const std::type_info& tag, const std::type_info& type,
                                   const char* why);
[[noreturn]] void throw_bad_value(const std::type_info& type, const char* why);

template <std::size_t Given, std::size_t Wanted>
constexpr bool count_matches() {
  static_assert(Given >= Wanted,
                "too few arguments in this call: the function takes more (default arguments do not "
                "count across processes)");
  static_assert(Given <= Wanted, "too many arguments in this call: the function takes fewer");
  return Given == Wanted;
}

/// Instantiated for an argument that does not convert: its number, its type, the parameter's type.
template <std::size_t Position, class Argument, class Parameter>
struct BadArgument {
  static_assert(!sizeof(Argument*),
                "an argument after the sixth of this call cannot be converted to the type of the "
                "function's parameter");
};
#define TROUPE_DETAIL_POSITION(N)                                                             \
  template <class Argument, class Parameter>                                                  \
  struct BadArgument<N, Argument, Parameter> {                                                \
    static_assert(!sizeof(Argument*), "argument " #N                                          \
                                      " of this call cannot be converted to the type of the " \
                                      "function's parameter");                                \
  }
TROUPE_DETAIL_POSITION(1);
TROUPE_DETAIL_POSITION(2);
TROUPE_DETAIL_POSITION(3);
TROUPE_DETAIL_POSITION(4);
TROUPE_DETAIL_POSITION(5);
TROUPE_DETAIL_POSITION(6);
#undef TROUPE_DETAIL_POSITION

template <std::size_t Position, class Parameter, class Argument>
constexpr bool argument_converts() {
  if constexpr (std::is_convertible_v<Argument, Parameter>) {
    return true;
  } else {
    return sizeof(BadArgument<Position, std::remove_reference_t<Argument>*, Parameter>) == 0;
  }
}

// Encodes `argument` as a `Parameter`, without a copy where the types allow it.
template <class Parameter, class Argument>
void put_argument(Encoder& encoder, Argument&& argument) {
  if constexpr (std::is_same_v<std::remove_cvref_t<Argument>, Parameter>) {
    encoder.put(argument);
  } else if constexpr (std::is_same_v<Parameter, std::string> &&
                       std::is_convertible_v<Argument, std::string_view>) {
    encoder.put_text(std::forward<Argument>(argument));
  } else {
    const auto convert = [&]() -> Parameter { return std::forward<Argument>(argument); };
    encoder.put(convert());
  }
}

template <auto F, std::size_t... I, class... Args>
void put_call(Bytes& out, std::index_sequence<I...>, Args&&... args) {
  using Arguments = typename FunctionTraits<F>::Arguments;
  if constexpr ((... && argument_converts<I + 1, std::tuple_element_t<I, Arguments>, Args>())) {
    Encoder encoder(out);
    (put_argument<std::tuple_element_t<I, Arguments>>(encoder, std::forward<Args>(args)), ...);
  }
}

template <class Tuple>
struct DecodeTuple;
template <class... Ts>
struct DecodeTuple<std::tuple<Ts...>> {
  static std::tuple<Ts...> from(BytesView octets) { return decode<Ts...>(octets); }
};

template <class T>
struct WireArgumentOf {
  using type = std::decay_t<T>;
};
template <class T>
requires(std::is_same_v<std::decay_t<T>, const char*> || std::is_same_v<std::decay_t<T>, char*> ||
         std::is_same_v<std::decay_t<T>, std::string_view>) struct WireArgumentOf<T> {
  using type = std::string;
};

}  // namespace detail

/// What an argument of a call by name travels as: its own type, and std::string for text.
template <class T>
using WireArgument = typename detail::WireArgumentOf<T>::type;

/// Appends the arguments of a call of `F` to `out`.
template <auto F, class... Args>
void encode_call_into(Bytes& out, Args&&... args) {
  if constexpr (detail::count_matches<sizeof...(Args), FunctionTraits<F>::arity>()) {
    detail::put_call<F>(out, std::index_sequence_for<Args...>{}, std::forward<Args>(args)...);
  }
}

/// Encodes the arguments of a call of `F`, converted to its parameter types as a call would.
template <auto F, class... Args>
Bytes encode_call(Args&&... args) {
  Bytes out;
  encode_call_into<F>(out, std::forward<Args>(args)...);
  return out;
}

/// Encodes the arguments of a call by name, each as `WireArgument` says.
template <class... Args>
Bytes encode_named_call(Args&&... args) {
  Bytes out;
  detail::Encoder encoder(out);
  (detail::put_argument<WireArgument<Args>>(encoder, std::forward<Args>(args)), ...);
  return out;
}

/// Decodes the arguments of a call of `F`. Throws `MsgTypeError` if they are not what it takes.
template <auto F>
typename FunctionTraits<F>::Arguments decode_arguments(BytesView arguments) {
  try {
    return detail::DecodeTuple<typename FunctionTraits<F>::Arguments>::from(arguments);
  } catch (const DecodeError& error) {
    detail::throw_bad_arguments(typeid(detail::FunctionTag<F>),
                                typeid(typename FunctionTraits<F>::WireType), error.what());
  }
}

/// Calls `F` with `first...` (a `Sink`, a `Context`, or nothing) and the decoded arguments.
template <auto F, class... First>
decltype(auto) call_decoded(BytesView arguments, First&&... first) {
  auto values = decode_arguments<F>(arguments);
  return std::apply(
      [&](auto&... each) -> decltype(auto) {
        return F(std::forward<First>(first)..., std::move(each)...);
      },
      values);
}

/// Decodes the result of a call of `F` (void: expects nothing). Throws `MsgTypeError`.
template <auto F>
ResultOf<F> decode_result(BytesView result) {
  try {
    if constexpr (std::is_void_v<ResultOf<F>>) {
      decode<>(result);
    } else {
      return decode_value<ResultOf<F>>(result);
    }
  } catch (const DecodeError& error) {
    detail::throw_bad_result(typeid(detail::FunctionTag<F>),
                             typeid(typename FunctionTraits<F>::WireType), error.what());
  }
}

/// Decodes a `T` that is no function's result: a value of a stream, the result of a call by name.
/// Throws `MsgTypeError`.
template <class T>
T decode_message(BytesView octets) {
  try {
    if constexpr (std::is_void_v<T>) {
      decode<>(octets);
    } else {
      return decode_value<T>(octets);
    }
  } catch (const DecodeError& error) {
    detail::throw_bad_value(typeid(T), error.what());
  }
}

}  // namespace troupe
