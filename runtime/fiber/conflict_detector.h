// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds two tasks that use at once what only one may use at a time, such as one direction of a
// stream. It makes nobody wait: the second one has a bug, and gets told. To take turns use `Lock`.

#include <utility>

namespace troupe {

/// Refuses a second user while there is a first. Resource; outlives its users.
class ConflictDetector {
 public:
  /// `message` is what the second user is told: who, what, next step. Lifetime: outlives this.
  explicit ConflictDetector(const char* message) noexcept : message_(message) {}
  ConflictDetector(const ConflictDetector&) = delete;
  ConflictDetector& operator=(const ConflictDetector&) = delete;

  /// As long as it lives, there is a user.
  class [[nodiscard]] Use {
   public:
    explicit Use(bool& in_use) noexcept : in_use_(&in_use) { in_use = true; }
    Use(Use&& other) noexcept : in_use_(std::exchange(other.in_use_, nullptr)) {}
    Use& operator=(Use&&) = delete;
    ~Use() {
      if (in_use_ != nullptr) *in_use_ = false;
    }

   private:
    bool* in_use_;
  };

  /// Begins a use. Never waits. Throws `UsageError` when there is a user.
  Use enter() {
    if (in_use_) throw_conflict(message_);
    return Use(in_use_);
  }

 private:
  [[noreturn]] static void throw_conflict(const char* message);

  const char* message_;
  bool in_use_ = false;
};

}  // namespace troupe
