// SPDX-License-Identifier: Apache-2.0
#pragma once

// Errors by type, whether they come alone or in groups: what Python has `except*` for.
//
//     handle([] { fetch_all(); },
//            on<std::out_of_range>([](const std::out_of_range& e) { log.info(e.what()); }),
//            on<TransportClosed>([] { reconnect(); }));

#include <concepts>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "troupe/runtime/base/boxing_error.h"
#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/fiber/cancelled.h"
#include "troupe/runtime/fiber/scope_function.h"

namespace troupe {

namespace detail {

template <class Fn, class E>
void call_handler(Fn& fn, E& error) {
  if constexpr (std::invocable<Fn&, E&>) {
    fn(error);
  } else {
    fn();
  }
}

/// What is done with the errors of one type.
template <class E, class Fn>
class ErrorHandler {
 public:
  explicit ErrorHandler(Fn fn) : fn_(std::move(fn)) {}

  /// Treats `error` if it is an `E`; whether it is.
  bool operator()(const std::exception_ptr& error) { return treat(error) || treat_boxed(error); }

 private:
  bool treat(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (E& match) {
      call_handler(fn_, match);
      return true;
    } catch (...) {
      return false;
    }
  }

  bool treat_boxed(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const BoxingError& box) {
      if (!box.boxes(typeid(E), &handled_as<E>)) return false;
      const std::exception_ptr rebuilt = rebuild(box);
      return (rebuilt && treat(rebuilt)) || treat_unknown(box);
    } catch (...) {
      return false;
    }
  }

  static std::exception_ptr rebuild(const BoxingError& box) {
    try {
      box.throw_rebuilt();
      return nullptr;
    } catch (...) {
      return std::current_exception();
    }
  }

  // An `E` by name only: for functions that do not need the error itself, or say that they take
  // any.
  bool treat_unknown(const BoxingError& box) {
    if constexpr (std::invocable<Fn&>) {
      fn_();
      return true;
    } else if constexpr (NamesParameter<Fn, 0>) {  // the body of another may fit an `E` alone
      if constexpr (std::invocable<Fn&, const BoxingError&>) {
        fn_(box);
        return true;
      }
    }
    static_cast<void>(box);
    return false;
  }

  Fn fn_;
};

/// Treats one error that is no group; whether somebody wanted it.
class LeafTreatment {
 public:
  virtual bool treat(const std::exception_ptr& error) = 0;

 protected:
  ~LeafTreatment() = default;
};

template <class... Handlers>
class FirstOf final : public LeafTreatment {
 public:
  explicit FirstOf(Handlers&... handlers) : handlers_(handlers...) {}
  bool treat(const std::exception_ptr& error) override {
    return std::apply([&](Handlers&... handlers) { return (handlers(error) || ...); }, handlers_);
  }

 private:
  std::tuple<Handlers&...> handlers_;
};

/// Treats `error`, or what is in it, and throws what is left.
void treat_errors(std::exception_ptr error, LeafTreatment& treatment);

/// Takes groups of one error apart, down to the first group of several or the error that is none.
std::exception_ptr collapsed(std::exception_ptr error);

}  // namespace detail

/// What `handle` does with an `E`: calls `fn`, with the error (by reference) or without. `fn` may
/// wait. An error that stands for one from another actor is also matched by the type of that one,
/// and `fn` gets the original when it can be rebuilt here; when it cannot, an `fn` that takes an
/// `auto&` does not get it. If it stands for a group and no handler
/// wants it as it is, its members are treated one by one.
template <class E, class Fn>
requires(std::invocable<Fn&, E&> || std::invocable<Fn&>) auto on(Fn&& fn) {
  static_assert(!std::is_reference_v<E> && !std::is_const_v<E>,
                "write on<E> with the type of the error, without const and &");
  static_assert(!std::is_same_v<E, Cancelled>,
                "Cancelled is no error and cannot be handled: it belongs to the scope that was "
                "cancelled");
  static_assert(!std::derived_from<E, ExceptionGroup>,
                "groups are looked into: write on<E> for what is in them");
  return detail::ErrorHandler<E, std::decay_t<Fn>>(std::forward<Fn>(fn));
}

/// Runs `body` and returns its value, as an optional that is empty when an error ended it (of a
/// body that returns nothing: whether it came to its end). Each error, alone or inside of groups,
/// goes to the first handler that matches it, one after the other, in order. What no handler wants,
/// and what handlers throw, leaves here: as itself if it is one, else as a group. Cancellation
/// passes.
///
///     bool fine = handle([] { work(); }, on<std::runtime_error>([](auto& e) { print(e); }));
template <std::invocable Body, class... Handlers>
auto handle(Body&& body, Handlers&&... handlers)
    -> std::conditional_t<std::is_void_v<std::invoke_result_t<Body&>>, bool,
                          std::optional<std::decay_t<std::invoke_result_t<Body&>>>> {
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Body&>>) {
      body();
      return true;
    } else {
      return body();
    }
  } catch (const Cancelled&) {
    throw;
  } catch (...) {
    error = std::current_exception();
  }
  detail::FirstOf<std::remove_reference_t<Handlers>...> treatment(handlers...);
  detail::treat_errors(std::move(error), treatment);
  return {};
}

/// Runs `body` and returns its value. A group of one error that leaves it, however deep, leaves as
/// that error; a group of several stays.
template <std::invocable Body>
decltype(auto) collapse_groups(Body&& body) {
  try {
    return body();
  } catch (const ExceptionGroup& group) {
    if (group.exceptions().size() != 1) throw;
    std::rethrow_exception(detail::collapsed(std::current_exception()));
  }
}

}  // namespace troupe
