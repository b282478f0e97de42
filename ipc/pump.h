// SPDX-License-Identifier: Apache-2.0
#pragma once

// Moves octets between ZeroMQ sockets and the loop. ZeroMQ's descriptors signal edges, and any call
// on a socket may swallow one; so a socket whose edge came is read until it is empty, and one that
// was written to is looked at again before the loop sleeps. Private to the package.

#include <unordered_map>

#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/fiber/idle_hook.h"
#include "troupe/runtime/fiber/poller.h"
#include "troupe/runtime/fiber/wake_flag.h"

namespace troupe {

struct InReady;
struct InSoon;
struct InTouched;
struct InDirty;

/// A socket, as the pump sees it.
class Pollable : public ListHook<InReady>, public ListHook<InSoon>, public ListHook<InTouched> {
 public:
  /// Handles what has come, up to a bounded amount; returns whether there may be more.
  virtual bool drain() = 0;
  /// Whether there is something to drain; makes the descriptor signal again if not.
  virtual bool look() noexcept = 0;

 protected:
  ~Pollable() = default;
};

/// Something that collects output.
class Flushable : public ListHook<InDirty> {
 public:
  /// Hands the output to the network as far as that takes it. Never waits.
  virtual void flush() noexcept = 0;

 protected:
  ~Flushable() = default;
};

/// The task that reads all sockets of one transport, and the hook that writes them.
class Pump final : private IdleHook {
 public:
  Pump();

  /// Watches a descriptor for the socket it belongs to.
  void add(int fd, Pollable& socket);
  /// Ends that. To be called before the descriptor is closed.
  void remove(int fd) noexcept;

  /// There is output: it is flushed before the loop sleeps.
  void mark_dirty(Flushable& output) noexcept {
    if (!static_cast<ListHook<InDirty>&>(output).linked()) dirty_.push_back(output);
  }
  /// The socket was written to, which may have swallowed its edge.
  void mark_touched(Pollable& socket) noexcept {
    if (!static_cast<ListHook<InTouched>&>(socket).linked()) touched_.push_back(socket);
  }
  /// The socket is to be drained in the next turn.
  void mark_ready(Pollable& socket) noexcept;
  /// The socket is to be drained in a moment, if nothing brings it about earlier.
  void check_soon(Pollable& socket) noexcept;
  /// Something has ended: `run` calls its `tidy` soon.
  void tidy_soon() noexcept {
    untidy_ = true;
    work_.set();
  }

  /// Drains sockets until `stop`, and calls `tidy` after a turn when that was asked for.
  /// Checkpoint.
  void run(UniqueFunction<void()> tidy);
  /// Ends `run`. Never waits.
  void stop() noexcept;

 private:
  void before_idle() noexcept override;
  void enqueue(Pollable& socket) noexcept;
  void await_work();
  void turn();

  // One descriptor, and the socket it belongs to.
  struct Source final : EdgeHandler {
    Source(Pump& p, Pollable& s) : pump(p), socket(s) {}
    void on_edge() noexcept override { pump.mark_ready(socket); }
    Pump& pump;
    Pollable& socket;
  };

  Poller& poller_;
  std::unordered_map<int, Source> sources_;  // by descriptor
  WakeFlag work_{"Pump::run"};
  bool waits_for_ever_ = false;
  bool stopped_ = false;
  bool untidy_ = false;
  IntrusiveList<Pollable, InReady> ready_;
  IntrusiveList<Pollable, InSoon> soon_;
  TimePoint soon_at_{};  // when these are drained
  IntrusiveList<Pollable, InTouched> touched_;
  IntrusiveList<Flushable, InDirty> dirty_;
};

}  // namespace troupe
