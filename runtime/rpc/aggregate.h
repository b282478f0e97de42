// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fields of a plain aggregate, for types that need no serialize function: `struct Point { int
// x, y; };` crosses as it stands. Up to 16 fields; no base classes, unions, arrays of C, bit-fields
// or references among them.

#include <cstddef>
#include <type_traits>
#include <utility>

namespace troupe::detail {

struct AnyField {
  template <class T>
  operator T() const {  // never called: stands for a field's initialiser
    __builtin_unreachable();
  }
};

template <class Derived>
struct AnyBase {
  template <class T>
  requires(std::is_base_of_v<T, Derived> && !std::is_same_v<T, Derived>) operator T() const;
};

template <std::size_t>
using Field = AnyField;

template <class T, std::size_t... I>
constexpr bool takes_fields(std::index_sequence<I...>) {
  return requires { T{Field<I>{}...}; };
}

inline constexpr std::size_t max_fields = 16;

template <class T, std::size_t N = 0>
constexpr std::size_t count_fields() {
  if constexpr (N <= max_fields && takes_fields<T>(std::make_index_sequence<N + 1>{})) {
    return count_fields<T, N + 1>();
  } else {
    return N;
  }
}

// An array of C takes as many initialisers as it has elements, but is one field. Told from a nested
// aggregate by this: braces around two initialisers leave room for all the rest only in the latter.
template <class T, std::size_t Rest, std::size_t... Before>
constexpr bool array_at(std::index_sequence<Before...>) {
  return []<std::size_t... After>(std::index_sequence<After...>) {
    if constexpr (requires { T{Field<Before>{}..., {AnyField{}, AnyField{}}}; }) {
      return !requires { T{Field<Before>{}..., {AnyField{}, AnyField{}}, Field<After>{}...}; };
    } else {
      return false;
    }
  }
  (std::make_index_sequence<Rest>{});
}

template <class T, std::size_t N>
constexpr bool has_array() {
  return []<std::size_t... I>(std::index_sequence<I...>) {
    return (array_at<T, N - 1 - I>(std::make_index_sequence<I>{}) || ...);
  }
  (std::make_index_sequence<N>{});
}

/// Whether `visit_fields` can take `T` apart.
template <class T>
constexpr bool is_plain_aggregate() {
  if constexpr (std::is_aggregate_v<T> && !std::is_union_v<T> &&
                std::is_default_constructible_v<T> && !requires { T{AnyBase<T>{}}; }) {
    constexpr std::size_t count = count_fields<T>();
    if constexpr (count > 0 && count <= max_fields) {
      return !has_array<T, count>();
    }
  }
  return false;
}

/// Calls `visit(field...)` with references to all fields of `value`.
template <class T, class Visit>
void visit_fields(T& value, Visit&& visit) {
  constexpr std::size_t count = count_fields<std::remove_const_t<T>>();
  if constexpr (count == 1) {
    auto& [a] = value;
    visit(a);
  } else if constexpr (count == 2) {
    auto& [a, b] = value;
    visit(a, b);
  } else if constexpr (count == 3) {
    auto& [a, b, c] = value;
    visit(a, b, c);
  } else if constexpr (count == 4) {
    auto& [a, b, c, d] = value;
    visit(a, b, c, d);
  } else if constexpr (count == 5) {
    auto& [a, b, c, d, e] = value;
    visit(a, b, c, d, e);
  } else if constexpr (count == 6) {
    auto& [a, b, c, d, e, f] = value;
    visit(a, b, c, d, e, f);
  } else if constexpr (count == 7) {
    auto& [a, b, c, d, e, f, g] = value;
    visit(a, b, c, d, e, f, g);
  } else if constexpr (count == 8) {
    auto& [a, b, c, d, e, f, g, h] = value;
    visit(a, b, c, d, e, f, g, h);
  } else if constexpr (count == 9) {
    auto& [a, b, c, d, e, f, g, h, i] = value;
    visit(a, b, c, d, e, f, g, h, i);
  } else if constexpr (count == 10) {
    auto& [a, b, c, d, e, f, g, h, i, j] = value;
    visit(a, b, c, d, e, f, g, h, i, j);
  } else if constexpr (count == 11) {
    auto& [a, b, c, d, e, f, g, h, i, j, k] = value;
    visit(a, b, c, d, e, f, g, h, i, j, k);
  } else if constexpr (count == 12) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l] = value;
    visit(a, b, c, d, e, f, g, h, i, j, k, l);
  } else if constexpr (count == 13) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = value;
    visit(a, b, c, d, e, f, g, h, i, j, k, l, m);
  } else if constexpr (count == 14) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = value;
    visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
  } else if constexpr (count == 15) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = value;
    visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
  } else {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = value;
    visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
  }
}

}  // namespace troupe::detail
