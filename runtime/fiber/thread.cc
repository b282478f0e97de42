// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/thread.h"

#include <pthread.h>

#include <atomic>
#include <exception>
#include <semaphore>

#include "troupe/runtime/fiber/capacity_limiter.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/loop_token.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/parking_lot.h"
#include "troupe/runtime/fiber/run_local.h"
#include "troupe/runtime/fiber/task_local.h"
#include "troupe/runtime/fiber/thread_cache.h"

namespace troupe {
namespace {

constexpr int default_threads = 40;

// What a loop knows of its threads.
struct Threads {
  CapacityLimiter limiter{default_threads};
  std::size_t active = 0;
  ParkingLot waiting_for_none;
};

// Those of the current loop. Shared only because values of runs are copied.
Threads& current_threads() {
  static RunLocal<std::shared_ptr<Threads>> threads;
  if (threads.get() == nullptr) threads.set(std::make_shared<Threads>());
  return *threads.get();
}

// Owns task-local values.
class Locals {
 public:
  explicit Locals(detail::TaskLocals* values) noexcept : values_(values) {}
  Locals(const Locals&) = delete;
  Locals& operator=(const Locals&) = delete;
  ~Locals() { detail::release_locals(values_); }
  detail::TaskLocals*& values() noexcept { return values_; }

 private:
  detail::TaskLocals* values_;
};

// A call from a thread into the loop, shared by both sides. The thread blocks until `end`.
class CallIntoLoop {
 public:
  CallIntoLoop(UniqueFunction<void()> function, const detail::TaskLocals* locals)
      : function_(std::move(function)), locals_(detail::copy_locals(locals)) {}

  // On the loop, in a task that is to see the cancellation, too.
  void run_in_current_task() {
    detail::TaskLocals*& locals = Loop::current().current_task().locals;
    std::swap(locals, locals_.values());
    struct Restore {
      detail::TaskLocals*& locals;
      detail::TaskLocals*& own;
      ~Restore() { std::swap(locals, own); }
    } const restore{locals, locals_.values()};
    function_();
  }
  void end(std::exception_ptr error) noexcept {
    function_ = nullptr;
    error_ = std::move(error);
    ended_.release();
  }

  // In the thread.
  void wait() {
    ended_.acquire();
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  UniqueFunction<void()> function_;
  Locals locals_;
  std::exception_ptr error_;
  std::binary_semaphore ended_{0};
};

// One call of `to_thread_run`, shared by the task ("host") and the thread.
struct Job {
  Job(UniqueFunction<void()> what, Loop& loop, const ThreadOptions& options,
      CapacityLimiter& its_limiter)
      : work(std::move(what)),
        name(options.name.empty() ? loop.current_task().display_name() : options.name),
        abandonable(options.abandon_on_cancel),
        limiter(its_limiter),
        token(current_token()),
        locals(detail::copy_locals(loop.current_task().locals)) {}

  UniqueFunction<void()> work;
  const std::string name;
  const bool abandonable;
  CapacityLimiter& limiter;
  const LoopToken token;
  Locals locals;             // the thread's
  std::exception_ptr error;  // the thread's until `done`

  // Set when the host was cancelled; if it is abandonable, `cancelled` was set before.
  std::atomic<bool> host_cancelled{false};
  std::exception_ptr cancelled;

  // The loop's.
  Wait* host = nullptr;  // while the host waits
  std::shared_ptr<CallIntoLoop> call;
  bool done = false;
};

thread_local constinit Job* current_job = nullptr;

void wake_host(Job& job) noexcept {
  if (job.host != nullptr) Loop::current().wake(*std::exchange(job.host, nullptr)->task);
}

// The thread's part.

void end_on_loop(Job& job) noexcept {
  Threads& threads = current_threads();
  try {
    job.limiter.release_on_behalf_of(&job);
  } catch (...) {
    job.error = std::current_exception();
  }
  if (--threads.active == 0) threads.waiting_for_none.unpark_all();
  job.done = true;
  wake_host(job);
}

void run_job(const std::shared_ptr<Job>& job) noexcept {
  ::pthread_setname_np(::pthread_self(), job->name.substr(0, 15).c_str());
  current_job = job.get();
  detail::set_thread_locals(&job->locals.values());
  try {
    job->work();
  } catch (...) {
    job->error = std::current_exception();
  }
  job->work = nullptr;  // here, before the host goes on: what it captured may be the host's
  detail::set_thread_locals(nullptr);
  current_job = nullptr;
  try {
    job->token.post([job] { end_on_loop(*job); });
  } catch (const UsageError&) {  // the loop has ended without this thread
  }
}

// The host's part.

struct HostWait : Wait {
  Job* job;
};

bool leave_thread(Wait& wait) noexcept {
  static_cast<HostWait&>(wait).job->host = nullptr;
  return true;
}

bool tell_thread(Wait& wait) noexcept {
  static_cast<HostWait&>(wait).job->host_cancelled.store(true, std::memory_order_release);
  return false;
}

void park_host(Loop& loop, Job& job) {
  HostWait wait;
  wait.what = "to_thread_run";
  wait.job = &job;
  wait.abort = job.abandonable ? &leave_thread : &tell_thread;
  job.host = &wait;
  try {
    loop.park(wait);
  } catch (const Cancelled&) {
    job.cancelled = std::current_exception();
    job.host_cancelled.store(true, std::memory_order_release);
    throw;
  }
}

void serve(CallIntoLoop& call) noexcept {
  std::exception_ptr error;
  try {
    call.run_in_current_task();
  } catch (...) {  // Cancelled, too: the thread gets it, and lets it come back here
    error = std::current_exception();
  }
  call.end(std::move(error));
}

// A call into the loop that belongs to nobody there. When the loop drops it, the thread hears of
// it.
class OwnedCall {
 public:
  explicit OwnedCall(std::shared_ptr<CallIntoLoop> call) : call_(std::move(call)) {}
  OwnedCall(OwnedCall&&) noexcept = default;
  OwnedCall& operator=(OwnedCall&&) = delete;
  ~OwnedCall() { drop(); }

  void start() {
    TaskNursery* const system = Loop::current().system_nursery();
    if (system == nullptr) return drop();
    system->start_soon("call from another thread",
                       [owned = std::move(*this)]() mutable { owned.run(); });
  }

 private:
  void run() {
    try {
      call_->run_in_current_task();
    } catch (const Cancelled&) {
      drop();
      throw;
    } catch (...) {
      return std::exchange(call_, nullptr)->end(std::current_exception());
    }
    std::exchange(call_, nullptr)->end(nullptr);
  }

  void drop() noexcept {
    if (!call_) return;
    std::exchange(call_, nullptr)
        ->end(std::make_exception_ptr(
            Error("from_thread_run: the loop ended before the call did; keep it running while "
                  "threads call into it")));
  }

  std::shared_ptr<CallIntoLoop> call_;
};

void check_thread() {
  if (Loop::try_current() == nullptr) return;
  throw UsageError(
      "from_thread_run blocks its thread, so it cannot be called on a loop's thread; call the "
      "function itself, or start a task");
}

}  // namespace

namespace detail {

void run_in_thread(UniqueFunction<void()> work, const ThreadOptions& options) {
  Loop& loop = Loop::current();
  loop.check_cancelled();
  Threads& threads = current_threads();
  CapacityLimiter& limiter = options.limiter != nullptr ? *options.limiter : threads.limiter;
  const auto job = std::make_shared<Job>(std::move(work), loop, options, limiter);
  limiter.acquire_on_behalf_of(job.get());
  try {
    run_on_cached_thread([job] { run_job(job); });
  } catch (...) {
    limiter.release_on_behalf_of(job.get());
    throw;
  }
  ++threads.active;
  while (!job->done) {
    if (const std::shared_ptr<CallIntoLoop> call = std::exchange(job->call, nullptr)) {
      serve(*call);
    } else {
      park_host(loop, *job);
    }
  }
  if (job->error) std::rethrow_exception(std::exchange(job->error, nullptr));
}

void run_in_host(UniqueFunction<void()> function) {
  check_thread();
  Job* const job = current_job;
  if (job == nullptr)
    throw UsageError(
        "this thread was not started by to_thread_run; give from_thread_run the token of the loop: "
        "from_thread_run(token, fn) with a token from current_token()");
  if (job->abandonable) return run_in_loop(job->token, std::move(function));
  const auto call = std::make_shared<CallIntoLoop>(std::move(function), job->locals.values());
  job->token.post([job, call] {
    job->call = call;
    wake_host(*job);
  });
  call->wait();
}

void run_in_loop(const LoopToken& token, UniqueFunction<void()> function) {
  check_thread();
  TaskLocals* const locals = current_job != nullptr ? current_job->locals.values() : nullptr;
  const auto call = std::make_shared<CallIntoLoop>(std::move(function), locals);
  token.post([owned = OwnedCall(call)]() mutable { owned.start(); });
  call->wait();
}

}  // namespace detail

void from_thread_check_cancelled() {
  Job* const job = current_job;
  if (job == nullptr || Loop::try_current() != nullptr)
    throw UsageError(
        "from_thread_check_cancelled asks for the task that waits for this thread; call it inside "
        "of to_thread_run only");
  if (!job->host_cancelled.load(std::memory_order_acquire)) return;
  if (job->abandonable) std::rethrow_exception(job->cancelled);
  detail::run_in_host([] { checkpoint_if_cancelled(); });
}

CapacityLimiter& current_default_thread_limiter() { return current_threads().limiter; }

std::size_t active_thread_count() { return current_threads().active; }

void wait_all_threads_completed() {
  Loop& loop = Loop::current();
  loop.check_cancelled();
  Threads& threads = current_threads();
  while (threads.active > 0) threads.waiting_for_none.park("wait_all_threads_completed");
  loop.spend();
}

}  // namespace troupe
