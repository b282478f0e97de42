// SPDX-License-Identifier: Apache-2.0
#pragma once

// Scope functions are troupe's context managers: they open something, call what they were given
// with it, and close it afterwards (`open_task_nursery` is one). Here is what functions that take
// scope functions as arguments need to know about them.

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe {

/// What a scope function is given to call, once, with what it has opened. It returns when that is
/// needed no more, and throws `Cancelled` when a scope around it is cancelled. A value.
template <class T>
class UseResource {
 public:
  /// Lends `resource` out, and waits until it is given back. Checkpoint. Throws `UsageError` when
  /// called twice.
  void operator()(T& resource) const { lend_(lender_, &resource); }
  /// The same for a temporary.
  void operator()(T&& resource) const { lend_(lender_, &resource); }

  /// For those who call scope functions: `lend(lender, &resource)` does it.
  UseResource(void* lender, void (*lend)(void* lender, void* resource))
      : lender_(lender), lend_(lend) {}

 private:
  void* lender_;
  void (*lend_)(void*, void*);
};

namespace detail {

/// The types of a callable's parameters, without references, as a tuple. Undefined for generic
/// lambdas and overloads, which have no one answer.
template <class Callable>
struct ParametersOf;
template <class R, class... A>
struct ParametersOf<R (*)(A...)> {
  using type = std::tuple<std::remove_cvref_t<A>...>;
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

/// Opens by returning what it opens, which closes in its destructor.
template <class Open>
concept ReturnsResource = std::invocable<Open&> && !std::is_void_v<std::invoke_result_t<Open&>>;

/// A callable that names the type of its parameter `index`.
template <class Body, std::size_t index>
concept NamesParameter = requires {
  typename std::tuple_element_t<index, typename ParametersOf<std::decay_t<Body>>::type>;
};

/// What `open` opens: `Given` if that is a type, or what it returns, or what `body` takes as its
/// parameter `index`.
template <class Given, class Open, class Body, std::size_t index>
auto resource_type() {
  if constexpr (!std::is_void_v<Given>) {
    return std::type_identity<Given>();
  } else if constexpr (ReturnsResource<Open>) {
    return std::type_identity<std::decay_t<std::invoke_result_t<Open&>>>();
  } else {
    static_assert(NamesParameter<Body, index>,
                  "the type of the resource cannot be told: give the body's parameter a type "
                  "(`[](Database& db)`, not `[](auto& db)`)");
    return std::type_identity<
        std::tuple_element_t<index, typename ParametersOf<std::decay_t<Body>>::type>>();
  }
}

template <class Given, class Open, class Body, std::size_t index>
using ResourceType = typename decltype(resource_type<Given, Open, Body, index>())::type;

/// Calls `open`, of either kind, and lends what it opens to `use`.
template <class T, class Open>
void open_and_lend(Open& open, UseResource<T> use) {
  if constexpr (ReturnsResource<Open>) {
    auto resource = open();
    use(resource);
  } else {
    static_assert(std::invocable<Open&, UseResource<T>>,
                  "what opens a resource either returns it, or takes a troupe::UseResource<T> (or "
                  "`auto`) and calls it with the resource");
    open(use);
  }
}

}  // namespace detail
}  // namespace troupe
