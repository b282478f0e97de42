// SPDX-License-Identifier: Apache-2.0
#pragma once

// How `merge` hears of values, and knows which came first, whatever they come by.

#include <cstdint>
#include <utility>

#include "troupe/runtime/base/intrusive_list.h"

namespace troupe::detail {

/// Numbers the values of this thread's channels and streams in order of arrival.
inline thread_local constinit std::uint64_t last_arrival = 0;

/// A value that has arrived.
template <class T>
struct Arrived {
  template <class U>
  Arrived(std::uint64_t number, U&& from) : arrival(number), value(std::forward<U>(from)) {}

  std::uint64_t arrival;
  T value;
};

struct InArrivalWatchers;

/// Told when a value can be taken, or the end has come.
class ArrivalWatcher : public ListHook<InArrivalWatchers> {
 public:
  virtual void on_arrival() noexcept = 0;

 protected:
  ~ArrivalWatcher() = default;
};

/// Those who watch one end.
class ArrivalWatchers {
 public:
  /// Tells `watcher`, too, until it is unlinked.
  void add(ArrivalWatcher& watcher) noexcept { watchers_.push_back(watcher); }
  /// Tells all.
  void tell() noexcept {
    if (watchers_.empty()) return;
    watchers_.for_each([](ArrivalWatcher& watcher) { watcher.on_arrival(); });
  }

 private:
  IntrusiveList<ArrivalWatcher, InArrivalWatchers> watchers_;
};

}  // namespace troupe::detail
