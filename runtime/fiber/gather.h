// SPDX-License-Identifier: Apache-2.0
#pragma once

// Several functions at once, and their values in order. For tasks whose values nobody wants, and
// for tasks that come and go, use a nursery.

#include <concepts>
#include <iterator>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/nursery.h"

namespace troupe {

namespace detail {

/// What a function gives to `gather`: its value, or `std::monostate` when it has none.
template <class Fn>
using GatheredValue = std::conditional_t<std::is_void_v<std::invoke_result_t<Fn&>>, std::monostate,
                                         std::decay_t<std::invoke_result_t<Fn&>>>;

/// Calls a function, and keeps what it gives.
template <class Fn, class Value>
void gather_one(Fn& fn, std::optional<Value>& value) {
  if constexpr (std::is_void_v<std::invoke_result_t<Fn&>>) {
    fn();
    value.emplace();
  } else {
    value.emplace(fn());
  }
}

template <class Values, class Functions, std::size_t... index>
void gather_into(Values& values, Functions functions, std::index_sequence<index...>) {
  checkpoint_if_cancelled();
  open_task_nursery([&](TaskNursery& nursery) {
    const auto start = [&nursery](auto& fn, auto& value) {
      nursery.start_soon([&fn, &value] { gather_one(fn, value); });
    };
    (start(std::get<index>(functions), std::get<index>(values)), ...);
  });
}

/// A range of functions.
template <class Functions>
concept FunctionRange = !std::invocable<Functions> && requires(Functions & functions) {
  (*std::begin(functions))();
  std::end(functions);
};

[[noreturn]] void throw_nothing_to_gather();

}  // namespace detail

/// Runs all functions at once, a task each, and returns their values in the order of the functions
/// (`std::monostate` where there is none). The functions are borrowed. Checkpoint. The first error
/// cancels the others and leaves as from a nursery.
///
///     auto [left, right] = gather([] { return fib(30); }, [] { return fib(31); });
template <std::invocable First, std::invocable... Others>
auto gather(First&& first, Others&&... others) {
  std::tuple<std::optional<detail::GatheredValue<First>>,
             std::optional<detail::GatheredValue<Others>>...>
      values;
  detail::gather_into(values, std::forward_as_tuple(first, others...),
                      std::index_sequence_for<First, Others...>());
  return std::apply(
      [](auto&... value) {
        return std::tuple<detail::GatheredValue<First>, detail::GatheredValue<Others>...>(
            std::move(value).value()...);
      },
      values);
}

/// The same for a range of functions of one type; the values come as a `std::vector`. Throws
/// `UsageError` when there is no function.
template <detail::FunctionRange Functions>
auto gather(Functions&& functions) {
  using Fn = std::remove_reference_t<decltype(*std::begin(functions))>;
  using Value = detail::GatheredValue<Fn>;
  std::vector<std::optional<Value>> values(
      static_cast<std::size_t>(std::distance(std::begin(functions), std::end(functions))));
  if (values.empty()) detail::throw_nothing_to_gather();
  checkpoint_if_cancelled();
  open_task_nursery([&](TaskNursery& nursery) {
    auto value = values.begin();
    for (Fn& fn : functions) {
      nursery.start_soon([&fn, &into = *value] { detail::gather_one(fn, into); });
      ++value;
    }
  });
  std::vector<Value> result;
  result.reserve(values.size());
  for (std::optional<Value>& value : values) result.push_back(std::move(value).value());
  return result;
}

}  // namespace troupe
