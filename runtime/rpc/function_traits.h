// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a function takes and gives back, as seen from another process: whether it is a plain
// function, a stream or a context, the values that travel to it, and its result. The sentences for
// functions that cannot be called from another process stand here, too.

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "troupe/runtime/rpc/wire_types.h"

namespace troupe {

template <class T>
class Sink;
template <class Protocol>
class Context;

/// How a function talks to its caller.
enum class FunctionKind {
  plain,    ///< Returns a result.
  stream,   ///< Its first parameter is a `Sink<T>`: it sends many values.
  context,  ///< Its first parameter is a `Context<P>&`: a dialog in both directions.
};

namespace detail {

template <class...>
struct Types {};

template <class First>
struct DialogParameter {
  static constexpr FunctionKind kind = FunctionKind::plain;
  using Inner = void;
};
template <class T>
struct DialogParameter<Sink<T>> {
  static constexpr FunctionKind kind = FunctionKind::stream;
  using Inner = T;
};
template <class P>
struct DialogParameter<Context<P>> {
  static constexpr FunctionKind kind = FunctionKind::context;
  using Inner = P;
};

template <class... P>
struct Parameters {
  static constexpr FunctionKind kind = FunctionKind::plain;
  using Inner = void;
  using Declared = Types<P...>;
  using Values = std::tuple<std::remove_cvref_t<P>...>;
};
template <class First, class... Rest>
requires(DialogParameter<std::remove_cvref_t<First>>::kind !=
         FunctionKind::plain) struct Parameters<First, Rest...> {
  static constexpr FunctionKind kind = DialogParameter<std::remove_cvref_t<First>>::kind;
  using Inner = typename DialogParameter<std::remove_cvref_t<First>>::Inner;
  using Declared = Types<Rest...>;
  using Values = std::tuple<std::remove_cvref_t<Rest>...>;
};

template <class R, class... P>
struct FunctionShape : Parameters<P...> {
  using Result = R;
  using Type = R(P...);
  using typename Parameters<P...>::Values;
  template <class... V>
  static auto wire_type(Types<V...>*) -> R (*)(std::remove_cvref_t<V>...);
  using WireType = std::remove_pointer_t<decltype(wire_type(
      static_cast<typename Parameters<P...>::Declared*>(nullptr)))>;
};

template <class F>
struct ShapeOf {
  static constexpr bool is_function = false;
};
template <class R, class... P>
struct ShapeOf<R (*)(P...)> {
  static constexpr bool is_function = true;
  using Shape = FunctionShape<R, P...>;
};
template <class R, class... P>
struct ShapeOf<R (*)(P...) noexcept> : ShapeOf<R (*)(P...)> {};

template <std::size_t Position, class... P>
constexpr bool check_parameters(Types<P...>*) {
  std::size_t at = Position;
  (void)at;
  return []<std::size_t... I>(std::index_sequence<I...>) {
    // Naming the size instantiates the sentence, and only of what is refused.
    return (... && [] {
      using Parameter = std::tuple_element_t<I, std::tuple<std::type_identity<P>...>>;
      constexpr Refusal why = parameter_refusal<typename Parameter::type>;
      if constexpr (why != Refusal::none) {
        return sizeof(RefusedParameter<Position + I, typename Parameter::type, why>) == 0;
      } else {
        return true;
      }
    }());
  }
  (std::index_sequence_for<P...>{});
}

template <class R>
constexpr bool check_result() {
  static_assert(
      !std::is_reference_v<R>,
      "the result of this function is a reference: references into this process cannot cross "
      "processes; return a value");
  if constexpr (!std::is_void_v<R> && !std::is_reference_v<R> &&
                refusal<std::remove_cv_t<R>> != Refusal::none) {
    return sizeof(RefusedResult<R, refusal<std::remove_cv_t<R>>>) == 0;
  } else {
    return !std::is_reference_v<R>;
  }
}

// What stands in where a sentence has been printed already, so that little else is.
struct NoFunction : FunctionShape<void> {};

template <auto F>
constexpr auto checked_shape() {
  using Pointer = std::remove_cv_t<decltype(F)>;
  static_assert(
      !std::is_member_pointer_v<Pointer>,
      "a member function needs an object, which other processes do not have: name a free or "
      "static function");
  static_assert(
      !std::is_class_v<Pointer>,
      "a lambda or function object has no name that another process knows: write a function "
      "and name it, as in <&function>");
  if constexpr (ShapeOf<Pointer>::is_function) {
    using Shape = typename ShapeOf<Pointer>::Shape;
    constexpr std::size_t first = Shape::kind == FunctionKind::plain ? 1 : 2;
    if constexpr (check_parameters<first>(static_cast<typename Shape::Declared*>(nullptr)) &&
                  check_result<typename Shape::Result>()) {
      return std::type_identity<Shape>{};
    } else {
      return std::type_identity<NoFunction>{};
    }
  } else {
    static_assert(std::is_member_pointer_v<Pointer> || std::is_class_v<Pointer>,
                  "this names no function: write a function and name it, as in <&function>");
    return std::type_identity<NoFunction>{};
  }
}

}  // namespace detail

/// What the function `F` (a pointer such as `&f`) takes and gives back.
template <auto F>
struct FunctionTraits {
  /// The parts of its type.
  using Shape = typename decltype(detail::checked_shape<F>())::type;
  /// Its type, without `noexcept`.
  using Type = typename Shape::Type;
  /// What it returns; may be void.
  using Result = std::remove_cv_t<typename Shape::Result>;
  /// The values that travel to it, as a tuple; a first `Sink` or `Context` is not among them.
  using Arguments = typename Shape::Values;
  /// `Result(Arguments...)`: what two ends must agree on.
  using WireType = typename Shape::WireType;
  /// The `T` of a first parameter `Sink<T>`, the `P` of a first parameter `Context<P>&`, else void.
  using Inner = typename Shape::Inner;

  /// Plain, stream or context.
  static constexpr FunctionKind kind = Shape::kind;
  /// Whether its first parameter is a `Sink<T>`.
  static constexpr bool is_stream = kind == FunctionKind::stream;
  /// Whether its first parameter is a `Context<P>&`.
  static constexpr bool is_context = kind == FunctionKind::context;
  /// How many values travel to it.
  static constexpr std::size_t arity = std::tuple_size_v<Arguments>;
};

/// What the function `F` returns; may be void.
template <auto F>
using ResultOf = typename FunctionTraits<F>::Result;

/// Refuses a callable where a function must be named: `run_in_actor([] {}, ...)` comes to this.
template <class Callable>
constexpr void refuse_callable() {
  static_assert(
      !sizeof(Callable*),
      "a lambda or function object has no name that another process knows: write a function "
      "and name it, as in <&function>; what a lambda captures becomes its arguments");
}

}  // namespace troupe
