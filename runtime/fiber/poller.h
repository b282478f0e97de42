// SPDX-License-Identifier: Apache-2.0
#pragma once

// The loop's epoll set: which task waits for which descriptor, and a descriptor of its own by which
// other threads wake the loop.

#include <cstdint>
#include <unordered_map>

#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/fiber/task.h"

struct epoll_event;

namespace troupe {

class Loop;

/// Is told of the edges of a descriptor.
class EdgeHandler {
 public:
  /// The descriptor has become readable. Called on the loop's own stack: it must not wait.
  virtual void on_edge() noexcept = 0;

 protected:
  ~EdgeHandler() = default;
};

/// Waits for descriptors. One a loop.
class Poller {
 public:
  /// Which direction of a descriptor.
  enum class Direction { read, write };

  /// `busy_poll`: how long a `wait` looks again and again before it sleeps. Throws
  /// `std::system_error` when the kernel gives no descriptors.
  Poller(Loop& loop, Duration busy_poll);

  /// Parks the current task until `fd` is ready. Checkpoint. Throws `UsageError` when another task
  /// waits for the same direction of `fd`, or when it cannot be waited for.
  void wait_for(int fd, Direction direction);

  /// Wakes every waiter of `fd` with a `UsageError`: it is about to be closed.
  void notify_closing(int fd);

  /// Waits up to `timeout` for events and wakes their tasks. Returns whether something happened: an
  /// event, or a signal.
  bool wait(Duration timeout) noexcept;

  /// Makes a `wait` in progress, or the next one, return. Thread-safe.
  void interrupt() const noexcept;

  /// Has `handler` told of the edges of `fd` until `remove_watch`. Throws `UsageError` when
  /// somebody waits for it already. Lifetime: the descriptor must stay open.
  void add_watch(int fd, EdgeHandler& handler);
  /// Ends that.
  void remove_watch(int fd) noexcept;

  /// How many tasks wait for descriptors.
  std::size_t waiters() const noexcept { return waiters_; }
  /// How many permanent registrations there are.
  std::size_t watches() const noexcept { return watches_; }

 private:
  struct FdWait;
  struct Entry {
    FdWait* waiting[2] = {nullptr, nullptr};  // by direction
    EdgeHandler* watch = nullptr;
    bool registered = false;
  };

  int poll_busily(epoll_event* events, int size, Duration limit) const noexcept;
  void arm(int fd, Entry& entry);
  void rearm(int fd, Entry& entry) noexcept;
  void dispatch(int fd, std::uint32_t events) noexcept;
  void complete(FdWait& wait) noexcept;

  Loop& loop_;
  Duration busy_poll_;
  UniqueFd epoll_;
  UniqueFd wakeup_;
  std::unordered_map<int, Entry> entries_;
  std::size_t waiters_ = 0;
  std::size_t watches_ = 0;
};

}  // namespace troupe
