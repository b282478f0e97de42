// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who an actor is: the name that people give it, which others may share, and a random part that
// belongs to this incarnation alone. A restarted actor keeps its name and gets a new uuid.

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace troupe {

/// The identity of one incarnation of an actor. A value: comparable, hashable, printable.
struct Uid {
  std::string name;  ///< What people call it; not unique.
  std::string uuid;  ///< 32 hexadecimal digits; unique.

  /// "name@1f3a9c02": the name and the first eight digits.
  std::string to_string() const;

  friend bool operator==(const Uid&, const Uid&) = default;
  friend std::strong_ordering operator<=>(const Uid&, const Uid&) = default;
};

/// Makes a fresh uuid: 16 octets from the system's random source as 32 hexadecimal digits. Never
/// waits.
std::string make_uuid();

/// Why `name` cannot be an actor's name ("it is empty", "it is no valid UTF-8"), or an empty string
/// when it can: 1 to 255 octets of UTF-8 without control characters.
std::string name_fault(std::string_view name);

/// Whether `uuid` has the form that `make_uuid` gives.
bool is_uuid(std::string_view uuid);

/// Prints `to_string()`. A template, so that this header needs no streams.
template <class Stream>
requires requires(Stream& stream, const std::string& text) { stream << text; }
Stream& operator<<(Stream& stream, const Uid& uid) {
  stream << uid.to_string();
  return stream;
}

}  // namespace troupe

template <>
struct std::hash<troupe::Uid> {
  std::size_t operator()(const troupe::Uid& uid) const noexcept {
    return std::hash<std::string>{}(uid.uuid);
  }
};
