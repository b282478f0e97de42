// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which failure an error tells of. One failure may end many waits, in several processes: the death
// of an actor ends every call to it. All the errors that come of it have one origin, a number, so
// that a nursery counts the failure once. Use it where an error is made that tells of a failure
// elsewhere; errors that tell of themselves have no number.

#include <cstdint>
#include <string_view>

namespace troupe {

/// Numbers a failure; 0: none but the error's own. The lowest bit says that the error was made by
/// someone who only noticed: of several, one that knows more is kept.
using Origin = std::uint64_t;

namespace detail {

constexpr std::uint64_t origin_hash(std::string_view text, std::uint64_t hash) noexcept {
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;  // FNV-1a
  return hash;
}

constexpr Origin first_hand(std::uint64_t hash) noexcept {
  return hash < 2 ? 2 : hash & ~Origin{1};
}

/// The origin of whatever tells of the end of one incarnation of an actor.
constexpr Origin origin_of_end(std::string_view uuid) noexcept {
  return first_hand(origin_hash(uuid, 0xcbf29ce484222325u));
}

/// A number that no other error of any actor has, for one that is thrown in the actor `uuid`.
Origin fresh_origin(std::string_view uuid) noexcept;

/// The same failure, told by one who only noticed.
constexpr Origin by_hearsay(Origin origin) noexcept { return origin == 0 ? 0 : origin | 1; }

/// Whether who tells of the failure only noticed.
constexpr bool is_hearsay(Origin origin) noexcept { return (origin & 1) != 0; }

}  // namespace detail
}  // namespace troupe
