// SPDX-License-Identifier: Apache-2.0
#pragma once

// Scope functions are troupe's context managers: they open something, call what they were given
// with it, and close it afterwards (`open_task_nursery` is one). Here is what takes such functions
// as arguments needs to know about them.

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

#include "troupe/runtime/base/unique_function.h"

namespace troupe {

/// What a scope function is given to call with what it has opened. It returns when what was opened
/// is needed no more, and throws `Cancelled` when the scope around it is cancelled. It must be
/// called once.
template <class T>
class UseResource {
 public:
  /// Lends `resource` out, and waits until it is given back. Checkpoint.
  void operator()(T& resource) const { lend_(context_, &resource); }
  /// The same for a temporary.
  void operator()(T&& resource) const { lend_(context_, &resource); }

  /// For those who call scope functions.
  UseResource(void* context, void (*lend)(void* context, void* resource))
      : context_(context), lend_(lend) {}

 private:
  void* context_;
  void (*lend_)(void*, void*);
};

namespace detail {

/// The types of a callable's parameters.
template <class... Types>
struct TypeList {
  static constexpr std::size_t size = sizeof...(Types);
};

template <class Signature>
struct ParametersOf;
template <class R, class... A>
struct ParametersOf<R (*)(A...)> {
  using type = TypeList<A...>;
};
template <class R, class... A>
struct ParametersOf<R (*)(A...) noexcept> : ParametersOf<R (*)(A...)> {};
template <class R, class C, class... A>
struct ParametersOf<R (C::*)(A...)> : ParametersOf<R (*)(A...)> {};
template <class R, class C, class... A>
struct ParametersOf<R (C::*)(A...) const> : ParametersOf<R (*)(A...)> {};
template <class R, class C, class... A>
struct ParametersOf<R (C::*)(A...) noexcept> : ParametersOf<R (*)(A...)> {};
template <class R, class C, class... A>
struct ParametersOf<R (C::*)(A...) const noexcept> : ParametersOf<R (*)(A...)> {};
template <class Callable>
requires requires { &Callable::operator(); }
struct ParametersOf<Callable> : ParametersOf<decltype(&Callable::operator())> {};

/// The first type of a list, without reference and const.
template <class List>
struct FirstOfList;
template <class First, class... Others>
struct FirstOfList<TypeList<First, Others...>> {
  using type = std::remove_cvref_t<First>;
};

/// A callable whose parameters can be told: no generic lambda, no overloads.
template <class Callable>
concept HasParameters = requires { typename ParametersOf<std::decay_t<Callable>>::type; };

/// Opens by returning what it opens, which closes in its destructor.
template <class Open>
concept ReturnsResource = std::invocable<Open&> && !std::is_void_v<std::invoke_result_t<Open&>>;

/// Calls `open`, of either kind, and lends what it opens to `use`.
template <class T, class Open>
void open_and_lend(Open& open, UseResource<T> use) {
  if constexpr (ReturnsResource<Open>) {
    auto&& resource = open();
    use(resource);
  } else {
    open(use);
  }
}

}  // namespace detail
}  // namespace troupe
