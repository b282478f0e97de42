// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which fiber runs next. One scheduler a thread, beneath the loop; it is the only part that knows
// Boost.Fiber.
//
// Boost calls the algorithm it is given for every switch; ours keeps the ready queue itself and
// switches directly
// (`context::resume`), so that a hand-over costs one switch instead of a round through Boost's
// dispatcher fiber. The dispatcher still has to run at times, because Boost frees ended fibers
// there and our loop polls on its stack: it does so when nothing is ready, and once in
// `picks_per_poll()` picks otherwise.
//
// C++ keeps its state of exceptions (the caught ones and the count of those in flight) per thread;
// Boost before 1.88 does not save it across switches. The scheduler swaps these two words with
// every switch, so that a task may wait inside of a `catch`.

#include <cstddef>
#include <cstdint>
#include <optional>

namespace troupe {

/// Something that can be switched to: a fiber, Boost's dispatcher, or the thread's own stack.
struct Runnable {
  Runnable* next = nullptr;              ///< Link in the ready queue.
  void* context = nullptr;               ///< The boost::fibers::context.
  void* caught_exceptions = nullptr;     ///< First word of __cxa_get_globals() while switched out.
  unsigned int uncaught_exceptions = 0;  ///< Second word of it.
};

/// A FIFO of runnables.
class RunQueue {
 public:
  /// Whether there is none.
  bool empty() const noexcept { return first_ == nullptr; }
  /// Appends.
  void push_back(Runnable& runnable) noexcept {
    runnable.next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = &runnable;
    last_ = &runnable;
  }
  /// Prepends.
  void push_front(Runnable& runnable) noexcept {
    if (first_ == nullptr) last_ = &runnable;
    runnable.next = first_;
    first_ = &runnable;
  }
  /// Takes the first; there must be one.
  Runnable& pop_front() noexcept {
    Runnable& first = *first_;
    first_ = first.next;
    return first;
  }
  /// Takes all of the other queue's; this one must be empty.
  void take(RunQueue& other) noexcept {
    first_ = other.first_;
    last_ = other.last_;
    other.first_ = nullptr;
  }

 private:
  Runnable* first_ = nullptr;
  Runnable* last_ = nullptr;
};

/// What the scheduler asks of the loop above it, on the dispatcher's stack.
class SchedulerClient {
 public:
  /// Looks for events without waiting; may make runnables ready.
  virtual void poll() noexcept = 0;
  /// Waits until something is ready or another thread calls `interrupt`; may return early.
  virtual void sleep() noexcept = 0;

 protected:
  ~SchedulerClient() = default;
};

/// The scheduler of one thread.
class Scheduler {
 public:
  /// The scheduler of the calling thread, made on first use. It installs itself as Boost's
  /// algorithm of this thread, which must not have run a fiber before.
  static Scheduler& of_this_thread();

  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Serves `client` from now on; null at the end of its run. With a seed, what becomes ready in
  /// one round runs in an order drawn from it; without one, in the order in which it became ready.
  void attach(SchedulerClient* client, std::optional<std::uint64_t> seed) noexcept;
  /// Whether a client is attached.
  bool attached() const noexcept { return client_ != nullptr; }

  /// What runs now.
  Runnable& current() const noexcept { return *current_; }
  /// Whether something waits to run.
  bool has_ready() const noexcept { return !batch_.empty() || !next_batch_.empty(); }

  /// Puts a runnable, which must be neither ready nor running (or be about to switch away), into
  /// the ready queue.
  void make_ready(Runnable& runnable) noexcept {
    if (seeded_ && coin()) {
      next_batch_.push_front(runnable);
    } else {
      next_batch_.push_back(runnable);
    }
  }

  /// The same, behind everything that is ready, whatever the seed.
  void make_ready_last(Runnable& runnable) noexcept { next_batch_.push_back(runnable); }
  /// Whether a fiber of the loop runs now: neither the dispatcher nor the thread's own stack.
  bool in_fiber() const noexcept { return current_ != &main_ && current_ != &dispatcher_; }

  /// Runs others until the current runnable, made ready by someone, is its turn again.
  void switch_away() noexcept;
  /// Lets every ready runnable run, then polls once: what a lone task does from time to time to
  /// hear of events.
  void poll_soon() noexcept { picks_until_poll_ = 0; }

  /// Starts a fiber on a stack of its own that runs `entry(runnable)`; `runnable` becomes ready.
  /// `stack_top` and `stack_size` name the stack; `released` is called with `stack_owner` when
  /// Boost has let go of it.
  void start(Runnable& runnable, void (*entry)(Runnable&), void* stack_top, std::size_t stack_size,
             void (*released)(void*) noexcept, void* stack_owner);

  /// Whether the exception state is swapped on switches. Only the test that shows why switches this
  /// off.
  void set_swap_exception_state(bool swap) noexcept { swap_exception_state_ = swap; }

  /// After how many picks the dispatcher runs, even when others are ready. The loop adapts it to
  /// the time that they take.
  int picks_per_poll() const noexcept { return picks_per_poll_; }
  /// Sets it.
  void set_picks_per_poll(int picks) noexcept { picks_per_poll_ = picks; }

 private:
  friend class BoostAlgorithm;
  Scheduler();
  ~Scheduler() = default;

  bool coin() noexcept;
  Runnable& pick() noexcept;
  void enter(Runnable& to) noexcept;

  RunQueue batch_;       // runs now, front to back
  RunQueue next_batch_;  // became ready since the batch began
  Runnable* current_ = nullptr;
  SchedulerClient* client_ = nullptr;
  int picks_per_poll_ = 64;
  int picks_until_poll_ = 64;
  bool seeded_ = false;
  bool swap_exception_state_ = true;
  std::uint64_t random_ = 0;
  void* exception_globals_;       // this thread's __cxa_eh_globals
  Runnable main_;                 // the thread's own stack
  Runnable dispatcher_;           // Boost's
  Runnable* starting_ = nullptr;  // whose context Boost is making
};

}  // namespace troupe
