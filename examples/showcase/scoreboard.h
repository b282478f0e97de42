// SPDX-License-Identifier: Apache-2.0
#pragma once

// How far the showcase has come: written by its tasks, which all are in the root, and read by the
// one that shows it.

#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "troupe/troupe.h"

namespace showcase {

/// One worker.
struct Row {
  std::string name;
  int done = 0;       ///< How many ticks it has appraised, in all its incarnations.
  int restarts = 0;   ///< How often it was replaced.
  bool gone = false;  ///< Whether it was killed, and is not back yet.
};

/// The whole. Resource.
class Scoreboard {
 public:
  explicit Scoreboard(const std::vector<std::string>& workers) {
    for (const std::string& name : workers) rows.push_back({name});
  }

  /// Changes something, and tells those who wait. Checkpoint.
  template <class Change>
  void change(Change what) {
    const std::scoped_lock lock(changed_);
    what();
    changed_.notify_all();
  }
  /// Waits until something is so. Checkpoint.
  template <class Predicate>
  void wait(Predicate predicate) {
    const std::scoped_lock lock(changed_);
    changed_.wait(predicate);
  }
  /// How often any worker was replaced.
  int restarts() const {
    int sum = 0;
    for (const Row& row : rows) sum += row.restarts;
    return sum;
  }

  std::vector<Row> rows;
  std::set<int> appraised;  ///< The numbers of the ticks that are done.

 private:
  troupe::Condition changed_;
};

}  // namespace showcase
