// SPDX-License-Identifier: Apache-2.0
#pragma once

// How benchmarks measure and report: interleaved pairs of ours and the raw thing, medians, a table
// for people and `BENCH name value unit` lines for programs.

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace troupe::bench {

/// Runs `body` on a thread of its own (one thread holds one scheduler of fibers) and returns its
/// value.
double on_own_thread(const std::function<double()>& body);

/// Nanoseconds that one of `count` operations takes which `body` does.
template <class Body>
double nanoseconds_each(long count, Body&& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  const std::chrono::duration<double, std::nano> passed = std::chrono::steady_clock::now() - start;
  return passed.count() / static_cast<double>(count);
}

/// The middle one.
double median(std::vector<double> values);

/// What comes out of a series of pairs: medians.
struct Pairs {
  double ours = 0;
  double raw = 0;
  double ratio = 0;  ///< The median of the pairs' ratios.
};

/// Measures both sides in turns, each on a thread of its own; one pair beforehand is thrown away.
Pairs measure_pairs(int pairs, const std::function<double()>& ours,
                    const std::function<double()>& raw);

/// The same on the calling thread, for what may only be done by the main thread.
Pairs measure_pairs_here(int pairs, const std::function<double()>& ours,
                         const std::function<double()>& raw);

/// Collects figures and prints them.
class Report {
 public:
  /// A ratio to the raw primitive, `name` + "_ratio".
  void add_ratio(const std::string& name, const Pairs& pairs, double bar, const std::string& unit);
  /// A rate beside the raw one: the more, the better.
  void add_rate(const std::string& name, const Pairs& pairs, double bar, const std::string& unit);
  /// A figure that stands for itself; `raw` below zero: there is nothing to compare it with.
  void add_value(const std::string& name, double value, double raw, double bar,
                 const std::string& unit);
  /// Prints the table, and the lines for programs.
  void print() const;

 private:
  struct Row {
    std::string name;
    double ours;
    double raw;
    double judged;  // the value that the bar is for
    double bar;
    std::string unit;
    bool is_ratio;
    bool more_is_better = false;
    bool good() const { return more_is_better ? judged >= bar : judged <= bar; }
  };
  std::vector<Row> rows_;
};

}  // namespace troupe::bench
