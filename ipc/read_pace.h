// SPDX-License-Identifier: Apache-2.0
#pragma once

// How far a socket is read at a time. To learn that there is no further message costs libzmq a
// system call or two, and a socket that was read from is looked at before the loop sleeps anyway.
// So where messages come one by one, as in calls that wait for each other, one is read and the rest
// is left to that look. Private to the package.

#include <cstddef>
#include <utility>

namespace troupe {

/// A socket is not drained for longer than this while others wait.
inline constexpr int messages_per_turn = 128;
/// Nor for more than this: what was sent together is then handled while it is in the cache.
inline constexpr std::size_t octets_per_turn = 16 * 1024;

/// How a socket was left.
enum class Reading {
  empty,    ///< There was nothing more.
  more,     ///< There may be more; it is read again in the next turn.
  resting,  ///< There may be more, which is looked for before the loop sleeps.
};

/// Whether messages come one by one. A value.
class ReadPace {
 public:
  /// A message was read: whether to leave it at that. Then the socket must be looked at before the
  /// loop sleeps.
  bool rest() noexcept { return resting_ = one_by_one_; }
  /// The socket was read until it was empty; it may have been woken for nothing.
  void emptied(int messages) noexcept {
    if (messages > 0) one_by_one_ = messages == 1;
  }
  /// The socket was looked at.
  void looked(bool readable) noexcept {
    if (std::exchange(resting_, false) && readable) one_by_one_ = false;
  }

 private:
  bool one_by_one_ = false;
  bool resting_ = false;
};

}  // namespace troupe
