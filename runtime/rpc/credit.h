// SPDX-License-Identifier: Apache-2.0
#pragma once

// Credit: how much of a stream may be on its way. The receiver grants it, in messages and in
// octets, and grants more as its consumer takes values; the sender waits when it has none. So
// memory is bounded at both ends and nothing is dropped. Pure arithmetic; private to the package.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace troupe::detail {

// <algorithm> would cost every program that is compiled against this 0.1 s.
template <class N>
constexpr N lesser(N a, N b) noexcept {
  return b < a ? b : a;
}

/// An amount of credit, as it travels.
struct Window {
  std::uint32_t messages = 0;
  std::uint64_t octets = 0;

  /// As much as the sender likes: what is too much is the receiver's to deal with.
  static constexpr Window unlimited() {
    return {std::numeric_limits<std::uint32_t>::max(), std::numeric_limits<std::uint64_t>::max()};
  }
  bool is_unlimited() const noexcept {
    return messages == std::numeric_limits<std::uint32_t>::max();
  }
  friend bool operator==(const Window&, const Window&) = default;
};

/// What a receiver grants by default. Enough to keep two cores busy with small values, and three
/// values of 1 MiB under way; less than what a stopped receiver may cost.
inline constexpr Window default_window{16'384, 5u << 19};

/// What a value counts, beside its octets: about what it costs to keep.
inline constexpr std::size_t value_overhead = 64;

/// The credit that a value of so many octets takes.
constexpr std::uint64_t cost_of(std::size_t octets) noexcept { return octets + value_overhead; }

/// The sender's account, and the receiver's copy of it.
class Credit {
 public:
  /// Whether a value, of whatever size, may be sent: the last one may overdraw the octets.
  bool available() const noexcept { return unlimited_ || (messages_ > 0 && octets_ > 0); }
  /// Whether there is no limit.
  bool is_unlimited() const noexcept { return unlimited_; }

  /// A value of this cost is sent.
  void spend(std::uint64_t cost) noexcept {
    if (unlimited_) return;
    --messages_;
    octets_ -= static_cast<std::int64_t>(cost);
  }
  /// The receiver takes no more values: where there was no limit, there is one now.
  void bound(Window most) noexcept {
    if (!std::exchange(unlimited_, false)) return;
    messages_ = most.messages;
    octets_ = static_cast<std::int64_t>(most.octets);
  }
  /// The receiver grants more.
  void grant(Window more) noexcept {
    unlimited_ |= more.is_unlimited();
    messages_ += more.messages;
    constexpr std::int64_t room = std::numeric_limits<std::int64_t>::max() / 2;
    octets_ = lesser(octets_, room) +
              static_cast<std::int64_t>(lesser(more.octets, static_cast<std::uint64_t>(room)));
  }

 private:
  std::int64_t messages_ = 0;
  std::int64_t octets_ = 0;
  bool unlimited_ = false;
};

/// The receiver's account.
class ReceiveWindow {
 public:
  /// What is granted from the start.
  explicit ReceiveWindow(Window size) : size_(size) { theirs_.grant(size); }

  /// Its present size.
  Window size() const noexcept { return size_; }

  /// A value has come; false when the sender had no credit for it.
  bool arrived(std::uint64_t cost) noexcept {
    if (!theirs_.available()) return false;
    theirs_.spend(cost);
    return true;
  }

  /// The consumer has taken a value. Returns what is to be granted now: nothing until it is worth a
  /// frame.
  std::optional<Window> taken(std::uint64_t cost) noexcept {
    if (theirs_.is_unlimited()) return std::nullopt;
    ++owed_.messages;
    owed_.octets += cost;
    if (owed_.messages < (size_.messages + 1) / 2 && owed_.octets < size_.octets / 4)
      return std::nullopt;
    return settle();
  }

  /// Changes the size. Returns what is to be granted at once. A smaller one takes effect as values
  /// are taken: what was granted stays granted.
  std::optional<Window> resize(Window size) noexcept {
    const Window before = size_;
    size_ = size;
    if (size.is_unlimited()) {
      theirs_.grant(size);
      return size;
    }
    withhold(before.messages, size.messages, owed_.messages, withheld_.messages);
    withhold(before.octets, size.octets, owed_.octets, withheld_.octets);
    if (owed_.messages == 0 && owed_.octets == 0) return std::nullopt;
    return settle();
  }

 private:
  template <class N>
  static void withhold(N before, N after, N& owed, N& withheld) noexcept {
    if (after >= before) {
      owed += after - before;
    } else {
      withheld += before - after;
    }
  }
  template <class N>
  static N pay(N& owed, N& withheld) noexcept {
    const N kept = lesser(owed, withheld);
    withheld -= kept;
    const N paid = owed - kept;
    owed = 0;
    return paid;
  }

  std::optional<Window> settle() noexcept {
    const Window grant{pay(owed_.messages, withheld_.messages),
                       pay(owed_.octets, withheld_.octets)};
    if (grant == Window{}) return std::nullopt;
    theirs_.grant(grant);
    return grant;
  }

  Window size_;
  Window owed_;      // taken, and not granted again
  Window withheld_;  // not to be granted again, as the window has become smaller
  Credit theirs_;    // what the sender has, as far as it has heard of it
};

}  // namespace troupe::detail
