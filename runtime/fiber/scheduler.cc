// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/scheduler.h"

#include <cxxabi.h>

#include <boost/context/stack_context.hpp>
#include <boost/fiber/algo/algorithm.hpp>
#include <boost/fiber/context.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/version.hpp>

static_assert(BOOST_VERSION < 108800,
              "Boost 1.88 and later swap the exception state themselves; twice corrupts it");

namespace troupe {

using BoostContext = boost::fibers::context;

// What Boost sees of the scheduler.
class BoostAlgorithm final : public boost::fibers::algo::algorithm {
 public:
  explicit BoostAlgorithm(Scheduler& scheduler) : scheduler_(scheduler) {}

  // Boost makes contexts ready only when it starts them; all other wake-ups are the scheduler's
  // own.
  void awakened(BoostContext* context) noexcept override {
    if (context->is_context(boost::fibers::type::dispatcher_context)) {
      scheduler_.dispatcher_.context = context;
    } else if (scheduler_.starting_ != nullptr) {
      scheduler_.starting_->context = context;
      scheduler_.make_ready(*scheduler_.starting_);
      scheduler_.starting_ = nullptr;
    }
  }

  // Called by the dispatcher (to run the next one, or to learn that it should sleep), by a fiber
  // that ends, and by the thread's own stack when the thread ends.
  BoostContext* pick_next() noexcept override {
    if (scheduler_.current_ == &scheduler_.dispatcher_) {
      if (!scheduler_.has_ready()) return nullptr;
      if (scheduler_.picks_until_poll_ < 0 && scheduler_.client_ != nullptr)
        scheduler_.client_->poll();
      scheduler_.picks_until_poll_ = scheduler_.picks_per_poll_;
    }
    Runnable& next = scheduler_.pick();
    scheduler_.enter(next);
    return static_cast<BoostContext*>(next.context);
  }

  bool has_ready_fibers() const noexcept override { return scheduler_.has_ready(); }

  void suspend_until(const std::chrono::steady_clock::time_point&) noexcept override {
    scheduler_.picks_until_poll_ = scheduler_.picks_per_poll_;
    if (scheduler_.client_ != nullptr) scheduler_.client_->sleep();
  }

  // Boost's own remote wake-ups are not used: other threads reach the loop through its own
  // descriptor.
  void notify() noexcept override {}

 private:
  Scheduler& scheduler_;
};

namespace {

// Gives Boost a stack that belongs to somebody else, and tells the owner when Boost has let go of
// it.
struct BorrowedStack {
  using traits_type = boost::context::stack_traits;

  void* top;
  std::size_t size;
  void (*released)(void*) noexcept;
  void* owner;

  boost::context::stack_context allocate() const {
    boost::context::stack_context context;
    context.sp = top;
    context.size = size;
    return context;
  }
  void deallocate(boost::context::stack_context&) const noexcept { released(owner); }
};

struct ExceptionGlobals {
  void* caught;
  unsigned int uncaught;
};

}  // namespace

Scheduler& Scheduler::of_this_thread() {
  // Never destroyed: Boost asks its algorithm for the last time when the thread's fiber state goes,
  // in whatever order.
  thread_local Scheduler* const scheduler = new Scheduler;
  return *scheduler;
}

Scheduler::Scheduler() : exception_globals_(abi::__cxa_get_globals()) {
  current_ = &main_;
  boost::fibers::use_scheduling_algorithm<BoostAlgorithm>(*this);
  main_.context = BoostContext::active();
}

void Scheduler::attach(SchedulerClient* client, std::optional<std::uint64_t> seed) noexcept {
  client_ = client;
  seeded_ = seed.has_value();
  random_ = seed.value_or(0) * 0x9E3779B97F4A7C15u + 1;
  picks_per_poll_ = 64;
  picks_until_poll_ = picks_per_poll_;
}

bool Scheduler::coin() noexcept {  // xorshift64
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return (random_ >> 32 & 1) != 0;
}

Runnable& Scheduler::pick() noexcept {
  if (--picks_until_poll_ < 0 && current_ != &dispatcher_) return dispatcher_;
  if (batch_.empty()) {
    if (next_batch_.empty()) return dispatcher_;
    batch_.take(next_batch_);
  }
  return batch_.pop_front();
}

void Scheduler::enter(Runnable& to) noexcept {
  if (swap_exception_state_) {
    auto& globals = *static_cast<ExceptionGlobals*>(exception_globals_);
    current_->caught_exceptions = globals.caught;
    current_->uncaught_exceptions = globals.uncaught;
    globals.caught = to.caught_exceptions;
    globals.uncaught = to.uncaught_exceptions;
  }
  current_ = &to;
}

void Scheduler::switch_away() noexcept {
  Runnable& next = pick();
  if (&next == current_) return;
  enter(next);
  static_cast<BoostContext*>(next.context)->resume();
}

void Scheduler::start(Runnable& runnable, void (*entry)(Runnable&), void* stack_top,
                      std::size_t stack_size, void (*released)(void*) noexcept, void* stack_owner) {
  starting_ = &runnable;
  runnable.caught_exceptions = nullptr;
  runnable.uncaught_exceptions = 0;
  const BorrowedStack stack{stack_top, stack_size, released, stack_owner};
  boost::fibers::fiber(boost::fibers::launch::post, std::allocator_arg, stack, [entry, &runnable] {
    entry(runnable);
  }).detach();
}

}  // namespace troupe
