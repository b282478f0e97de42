// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which types can cross to another process, and the sentences for those that cannot. The codec asks
// `wire_kind<T>` how to encode a type; functions ask `refusal<T>` about each of their parameters,
// so that the compiler's first error names the parameter and the cure.

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::detail {

/// How the codec treats a type; `user` is everything that is not of the standard library.
enum class WireKind {
  boolean,
  scalar,
  string,
  contiguous,
  sequence,
  bits,
  array,
  set,
  map,
  tuple,
  optional,
  variant,
  duration,
  time_point,
  unique_ptr,
  user
};

/// Why a type cannot cross to another process.
enum class Refusal {
  none,
  pointer,
  function,
  view,
  shared_pointer,
  reference_wrapper,
  reference,
  callable,
  long_double,
  polymorphic_pointer,
  not_a_value
};

template <class T>
concept FastElement = (std::is_arithmetic_v<T> || std::is_enum_v<T>)&&!std::is_same_v<T, bool> &&
                      !std::is_same_v<T, long double>;

template <class T>
constexpr WireKind plain_kind() {
  if constexpr (std::is_same_v<T, bool>) {
    return WireKind::boolean;
  } else if constexpr (std::is_enum_v<T>) {
    return std::is_same_v<std::underlying_type_t<T>, bool> ? WireKind::boolean : WireKind::scalar;
  } else if constexpr (std::is_arithmetic_v<T>) {
    return WireKind::scalar;
  } else if constexpr (std::is_array_v<T>) {
    return WireKind::array;
  } else {
    return WireKind::user;
  }
}

template <class T>
inline constexpr WireKind wire_kind = plain_kind<T>();
template <class C, class Traits, class A>
inline constexpr WireKind wire_kind<std::basic_string<C, Traits, A>> = WireKind::string;
template <class T, class A>
inline constexpr WireKind wire_kind<std::vector<T, A>> =
    FastElement<T>&& wire_kind<T> == WireKind::scalar ? WireKind::contiguous : WireKind::sequence;
template <class A>
inline constexpr WireKind wire_kind<std::vector<bool, A>> = WireKind::bits;
// Deques, lists and sets are known by their form, so that nobody pays for headers of those that a
// program does not use. Containers with other allocators need cereal's functions, and so does
// std::forward_list, which knows no size.
template <template <class, class> class C, class T>
requires requires {
  &C<T, std::allocator<T>>::pop_front;
  &C<T, std::allocator<T>>::size;
}
inline constexpr WireKind wire_kind<C<T, std::allocator<T>>> = WireKind::sequence;
template <class T, std::size_t N>
inline constexpr WireKind wire_kind<std::array<T, N>> = WireKind::array;
template <template <class, class, class> class C, class K, class Compare>
requires requires { typename C<K, Compare, std::allocator<K>>::key_compare; }
inline constexpr WireKind wire_kind<C<K, Compare, std::allocator<K>>> = WireKind::set;
template <template <class, class, class, class> class C, class K, class H, class E>
requires requires { typename C<K, H, E, std::allocator<K>>::hasher; }
inline constexpr WireKind wire_kind<C<K, H, E, std::allocator<K>>> = WireKind::set;
template <class K, class V, class C, class A>
inline constexpr WireKind wire_kind<std::map<K, V, C, A>> = WireKind::map;
template <class K, class V, class C, class A>
inline constexpr WireKind wire_kind<std::multimap<K, V, C, A>> = WireKind::map;
template <class K, class V, class H, class E, class A>
inline constexpr WireKind wire_kind<std::unordered_map<K, V, H, E, A>> = WireKind::map;
template <class K, class V, class H, class E, class A>
inline constexpr WireKind wire_kind<std::unordered_multimap<K, V, H, E, A>> = WireKind::map;
template <class A, class B>
inline constexpr WireKind wire_kind<std::pair<A, B>> = WireKind::tuple;
template <class... Ts>
inline constexpr WireKind wire_kind<std::tuple<Ts...>> = WireKind::tuple;
template <class T>
inline constexpr WireKind wire_kind<std::optional<T>> = WireKind::optional;
template <class... Ts>
inline constexpr WireKind wire_kind<std::variant<Ts...>> = WireKind::variant;
template <class R, class P>
inline constexpr WireKind wire_kind<std::chrono::duration<R, P>> = WireKind::duration;
template <class C, class D>
inline constexpr WireKind wire_kind<std::chrono::time_point<C, D>> = WireKind::time_point;
template <class T, class D>
inline constexpr WireKind wire_kind<std::unique_ptr<T, D>> = WireKind::unique_ptr;

template <class T>
constexpr Refusal plain_refusal() {
  if constexpr (std::is_rvalue_reference_v<T>) {
    return Refusal::none;
  } else if constexpr (std::is_lvalue_reference_v<T>) {
    return std::is_const_v<std::remove_reference_t<T>> ? Refusal::none : Refusal::reference;
  } else if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T>) {
    return std::is_function_v<std::remove_pointer_t<T>> || std::is_member_pointer_v<T>
               ? Refusal::function
               : Refusal::pointer;
  } else if constexpr (std::is_null_pointer_v<T>) {
    return Refusal::pointer;
  } else if constexpr (std::is_function_v<T>) {
    return Refusal::function;
  } else if constexpr (std::is_same_v<T, long double>) {
    return Refusal::long_double;
  } else if constexpr (std::is_class_v<T>) {
    return std::ranges::enable_view<T> ? Refusal::view : Refusal::none;
  } else {
    return std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_array_v<T>
               ? Refusal::none
               : Refusal::not_a_value;
  }
}

/// Why a value of type `T` cannot cross; `none` when nothing is known against it. Looks at the type
/// itself; what is inside of it is looked at when it is encoded.
template <class T>
inline constexpr Refusal refusal = plain_refusal<T>();
template <class T>
inline constexpr Refusal refusal<std::shared_ptr<T>> = Refusal::shared_pointer;
template <class T>
inline constexpr Refusal refusal<std::weak_ptr<T>> = Refusal::shared_pointer;
template <class T>
inline constexpr Refusal refusal<std::reference_wrapper<T>> = Refusal::reference_wrapper;
template <class S>
inline constexpr Refusal refusal<std::function<S>> = Refusal::callable;
template <class T, class D>
inline constexpr Refusal refusal<std::unique_ptr<T, D>> =
    std::is_polymorphic_v<T> && !std::is_final_v<T> ? Refusal::polymorphic_pointer : Refusal::none;
template <class T, class A>
inline constexpr Refusal refusal<std::vector<T, A>> = refusal<T>;
template <class T>
inline constexpr Refusal refusal<std::optional<T>> = refusal<T>;
template <class T, std::size_t N>
inline constexpr Refusal refusal<std::array<T, N>> = refusal<T>;

/// A parameter as it is declared: by value, or by reference to what the callee decodes for itself.
template <class T>
inline constexpr Refusal parameter_refusal =
    refusal<T> == Refusal::none ? refusal<std::remove_cvref_t<T>> : refusal<T>;

// One sentence per reason; `Who` is what is refused. The positions are spelt out because a
// static_assert of C++20 prints literals only.
#define TROUPE_DETAIL_SENTENCES(Who)                                                               \
  static_assert(Why != Refusal::pointer, Who                                                       \
                " is a pointer: pointers cannot cross processes; pass the value itself, or "       \
                "std::string for text");                                                           \
  static_assert(Why != Refusal::function, Who                                                      \
                " is a pointer to a function or member: addresses cannot cross processes; pass "   \
                "a value that says which one is meant");                                           \
  static_assert(Why != Refusal::view, Who                                                          \
                " is a view: views into this process cannot cross processes; use std::string or "  \
                "std::vector");                                                                    \
  static_assert(Why != Refusal::shared_pointer, Who                                                \
                " is a shared_ptr or weak_ptr: ownership cannot be shared by two processes; pass " \
                "the value itself, or std::unique_ptr");                                           \
  static_assert(Why != Refusal::reference_wrapper, Who                                             \
                " is a reference_wrapper: references into this process cannot cross processes; "   \
                "pass the value itself");                                                          \
  static_assert(Why != Refusal::reference, Who                                                     \
                " is a reference to what can be changed: references cannot cross processes; take " \
                "a value or a const reference, and return what has changed");                      \
  static_assert(Why != Refusal::callable, Who                                                      \
                " is a std::function: code cannot cross processes; name a function of a module "   \
                "instead");                                                                        \
  static_assert(Why != Refusal::long_double,                                                       \
                Who " is a long double, which differs from machine to machine; use double");       \
  static_assert(Why != Refusal::polymorphic_pointer, Who                                           \
                " is a unique_ptr to a polymorphic class, which would be sliced; pass a "          \
                "std::variant of values");                                                         \
  static_assert(Why != Refusal::not_a_value, Who                                                   \
                " is not of a type that can cross processes; pass a value that cereal can "        \
                "serialize")

/// Instantiated for a refused parameter: its number, its type, and why.
template <std::size_t Position, class Parameter, Refusal Why>
struct RefusedParameter {
  TROUPE_DETAIL_SENTENCES("a parameter after the sixth of this function");
};
#define TROUPE_DETAIL_POSITION(N)                                 \
  template <class Parameter, Refusal Why>                         \
  struct RefusedParameter<N, Parameter, Why> {                    \
    TROUPE_DETAIL_SENTENCES("parameter " #N " of this function"); \
  }
TROUPE_DETAIL_POSITION(1);
TROUPE_DETAIL_POSITION(2);
TROUPE_DETAIL_POSITION(3);
TROUPE_DETAIL_POSITION(4);
TROUPE_DETAIL_POSITION(5);
TROUPE_DETAIL_POSITION(6);
#undef TROUPE_DETAIL_POSITION

/// Instantiated for a refused result.
template <class Result, Refusal Why>
struct RefusedResult {
  TROUPE_DETAIL_SENTENCES("the result of this function");
};

/// Instantiated for a refused value somewhere inside of a message.
template <class Value, Refusal Why>
struct RefusedValue {
  TROUPE_DETAIL_SENTENCES("a value in this message");
};
#undef TROUPE_DETAIL_SENTENCES

}  // namespace troupe::detail

namespace troupe {

/// Types that nothing is known against: no pointers, references, views, shared pointers or code.
template <class T>
concept Wire = detail::refusal<T>
== detail::Refusal::none;

}  // namespace troupe
