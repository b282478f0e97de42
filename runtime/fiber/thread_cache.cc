// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/thread_cache.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/fiber/signal_mask.h"

namespace troupe::detail {
namespace {

struct Worker {
  UniqueFunction<void()> work;  // guarded by the cache's mutex
  std::condition_variable has_work;
};

class ThreadCache {
 public:
  // Never destroyed: threads may still run while the process ends.
  static ThreadCache& instance() {
    static ThreadCache* const cache = [] {
      ::pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                       [] { instance().forget_after_fork(); });
      return new ThreadCache;
    }();
    return *cache;
  }

  void run(UniqueFunction<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {  // the last one in: its memory is warm, and the others may expire
        Worker& worker = *idle_.back();
        idle_.pop_back();
        worker.work = std::move(work);
        worker.has_work.notify_one();
        return;
      }
    }
    auto worker = std::make_unique<Worker>();
    worker->work = std::move(work);
    count(1);
    start_thread(worker.get());
    worker.release();
  }

  std::size_t threads() {
    const std::lock_guard lock(mutex_);
    return threads_;
  }

  std::size_t idle() {
    const std::lock_guard lock(mutex_);
    return idle_.size();
  }

  void set_expiry(std::chrono::nanoseconds expiry) {
    const std::lock_guard lock(mutex_);
    expiry_ = expiry;
    for (Worker* worker : idle_) worker->has_work.notify_one();
  }

 private:
  void start_thread(Worker* worker) {
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigset_t mask;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    leave_received_signals_to_their_loop(mask);
    ::pthread_attr_setsigmask_np(&attributes, &mask);
    pthread_t thread;
    const int error = ::pthread_create(&thread, &attributes, &ThreadCache::thread_main, worker);
    ::pthread_attr_destroy(&attributes);
    if (error == 0) return;
    count(-1);
    throw Error(std::string("cannot start a worker thread: ") + std::strerror(error) +
                "; run less at once (a smaller CapacityLimiter), or raise the limits of processes "
                "and memory (ulimit -u, ulimit -v)");
  }

  static void* thread_main(void* argument) {
    const std::unique_ptr<Worker> worker(static_cast<Worker*>(argument));
    UniqueFunction<void()> work = std::move(worker->work);
    while (work) {
      work();
      work = nullptr;
      ::pthread_setname_np(::pthread_self(), "troupe idle");
      work = instance().wait_for_work(*worker);
    }
    instance().count(-1);
    return nullptr;
  }

  // Nothing when none came in time.
  UniqueFunction<void()> wait_for_work(Worker& worker) {
    const auto since = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    idle_.push_back(&worker);
    while (!worker.work && std::chrono::steady_clock::now() < since + expiry_)
      worker.has_work.wait_until(lock, since + expiry_);
    if (!worker.work) std::erase(idle_, &worker);
    return std::move(worker.work);
  }

  void count(int change) {
    const std::lock_guard lock(mutex_);
    threads_ += static_cast<std::size_t>(change);
  }

  // The threads are the parent's. What they waited on cannot be destroyed any more, for it is
  // waited on still; so it is kept.
  void forget_after_fork() {
    new (&mutex_) std::mutex;
    of_parent_.swap(idle_);
    idle_.clear();
    threads_ = 0;
  }

  std::mutex mutex_;
  std::size_t threads_ = 0;
  std::vector<Worker*> idle_;
  std::vector<Worker*> of_parent_;
  std::chrono::nanoseconds expiry_ = std::chrono::seconds(10);
};

}  // namespace

void run_on_cached_thread(UniqueFunction<void()> work) {
  ThreadCache::instance().run(std::move(work));
}

std::size_t idle_cached_threads() { return ThreadCache::instance().idle(); }

std::size_t cached_threads() { return ThreadCache::instance().threads(); }

void set_cached_thread_expiry(std::chrono::nanoseconds expiry) {
  ThreadCache::instance().set_expiry(expiry);
}

}  // namespace troupe::detail
