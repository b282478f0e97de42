// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hooks into a run: when tasks are started, become ready, run, end, and when the loop waits for the
// world. Tracers and profilers are made of it. A run without instruments pays one look at a null
// pointer per event.

#include <type_traits>
#include <vector>

#include "troupe/runtime/fiber/clock.h"

namespace troupe {

class Task;

/// Hears of what a run does; override what you need. The functions run on the loop and must not
/// wait. One that throws is logged, and its instrument is removed. Lifetime: until it is removed or
/// the run has ended.
class Instrument {
 public:
  virtual ~Instrument() = default;
  /// The run begins.
  virtual void before_run() {}
  /// The run has ended.
  virtual void after_run() {}
  /// A task was started. Its name and place of start are in `task`.
  virtual void task_spawned(const Task& /*task*/) {}
  /// A task became ready.
  virtual void task_scheduled(const Task& /*task*/) {}
  /// A task is about to run.
  virtual void before_task_step(const Task& /*task*/) {}
  /// A task waits, lets others run, or has ended.
  virtual void after_task_step(const Task& /*task*/) {}
  /// A task has ended; its last step is over after this.
  virtual void task_exited(const Task& /*task*/) {}
  /// The loop is about to wait for the world, for `timeout` at most.
  virtual void before_io_wait(Duration /*timeout*/) {}
  /// The loop has waited for the world.
  virtual void after_io_wait(Duration /*timeout*/) {}
};

/// Tells `instrument` of the current run from now on (see `FiberOptions::instruments` for one that
/// hears of the start, too). Never waits. Throws `UsageError` outside of a task, or when it hears
/// of it already.
void add_instrument(Instrument& instrument);

/// Tells `instrument` no more. Never waits. Throws `UsageError` outside of a task, or when it does
/// not hear of this run.
void remove_instrument(Instrument& instrument);

namespace detail {

/// The instruments of one loop.
class Instruments {
 public:
  /// `active` is kept null as long as there is no instrument.
  explicit Instruments(Instruments*& active) : active_(active) {}

  void add(Instrument& instrument);
  /// False when it is not there.
  bool remove(Instrument& instrument) noexcept;

  /// Calls one hook of each; removes those that throw.
  template <class... Args>
  void tell(void (Instrument::*event)(Args...), std::type_identity_t<Args>... args) noexcept {
    ++telling_;
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (list_[i] == nullptr) continue;
      try {
        (list_[i]->*event)(args...);
      } catch (...) {
        remove_crashed(i);
      }
    }
    if (--telling_ == 0 && has_holes_) sweep();
  }

 private:
  void remove_crashed(std::size_t index) noexcept;
  void sweep() noexcept;

  Instruments*& active_;
  std::vector<Instrument*> list_;  // null: removed while being told
  int telling_ = 0;
  bool has_holes_ = false;
};

}  // namespace detail
}  // namespace troupe
