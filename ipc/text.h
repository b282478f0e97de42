// SPDX-License-Identifier: Apache-2.0
#pragma once

// Octets of strangers as text: checks and conversions for names, reasons and messages that come
// from other processes.

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe {

/// Whether `octets` are well-formed UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view octets) noexcept;

/// `octets` made fit for a log or a terminal: at most `max` of them, other than printable ASCII and
/// UTF-8 replaced by '?'.
std::string printable(std::string_view octets, std::size_t max = 512);

/// Two lower-case hexadecimal digits for each octet.
std::string to_hex(std::string_view octets);

}  // namespace troupe
