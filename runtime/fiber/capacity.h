// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much fits into a channel or under a limiter: a whole number, or no limit at all.

#include <concepts>
#include <cstddef>

namespace troupe {

/// No limit.
inline constexpr std::size_t unbounded = static_cast<std::size_t>(-1);

namespace detail {
[[noreturn]] void throw_negative_capacity(long long given);
}

/// A number of things that fit, from 0 up, or `unbounded`. Value; made from any integer.
class Capacity {
 public:
  /// Takes a number. Throws `UsageError` if it is negative.
  template <std::integral N>
  requires(!std::same_as<N, bool>) constexpr Capacity(N n)  // NOLINT: a number is what one writes
      : value_(static_cast<std::size_t>(n)) {
    if (n < N{0}) detail::throw_negative_capacity(static_cast<long long>(n));
  }
  /// Fractions do not count things.
  template <std::floating_point N>
  Capacity(N) = delete;

  /// The number.
  constexpr std::size_t value() const noexcept { return value_; }
  /// Whether there is no limit.
  constexpr bool is_unbounded() const noexcept { return value_ == unbounded; }

 private:
  std::size_t value_;
};

}  // namespace troupe
