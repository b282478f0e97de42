// SPDX-License-Identifier: Apache-2.0
#include "troupe/tools/bench/measure.h"

#include <algorithm>
#include <cstdio>
#include <thread>

namespace troupe::bench {

double on_own_thread(const std::function<double()>& body) {
  double value = 0;
  std::thread([&] { value = body(); }).join();
  return value;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Pairs measure_pairs(int pairs, const std::function<double()>& ours,
                    const std::function<double()>& raw) {
  return measure_pairs_here(
      pairs, [&] { return on_own_thread(ours); }, [&] { return on_own_thread(raw); });
}

Pairs measure_pairs_here(int pairs, const std::function<double()>& ours,
                         const std::function<double()>& raw) {
  std::vector<double> our_values;
  std::vector<double> raw_values;
  std::vector<double> ratios;
  for (int i = -1; i < pairs; ++i) {
    const double our_value = ours();
    const double raw_value = raw();
    if (i < 0) continue;
    our_values.push_back(our_value);
    raw_values.push_back(raw_value);
    ratios.push_back(our_value / raw_value);
  }
  return {median(our_values), median(raw_values), median(ratios)};
}

void Report::add_ratio(const std::string& name, const Pairs& pairs, double bar,
                       const std::string& unit) {
  rows_.push_back({name, pairs.ours, pairs.raw, pairs.ratio, bar, unit, true});
}

void Report::add_rate(const std::string& name, const Pairs& pairs, double bar,
                      const std::string& unit) {
  rows_.push_back({name, pairs.ours, pairs.raw, pairs.ratio, bar, unit, true, true});
}

void Report::add_value(const std::string& name, double value, double raw, double bar,
                       const std::string& unit) {
  rows_.push_back({name, value, raw, value, bar, unit, false});
}

void Report::print() const {
  std::printf("%-22s %12s %12s %8s %8s  %s\n", "figure", "troupe", "raw", "ratio", "bar", "");
  for (const Row& row : rows_) {
    char raw[32] = "-";
    if (row.raw >= 0) std::snprintf(raw, sizeof raw, "%.2f", row.raw);
    char ratio[32] = "-";
    if (row.is_ratio) std::snprintf(ratio, sizeof ratio, "%.3f", row.judged);
    std::printf("%-22s %12.2f %12s %8s %8g  %-5s %s\n", row.name.c_str(), row.ours, raw, ratio,
                row.bar, row.unit.c_str(), row.good() ? "ok" : "TOO SLOW");
  }
  for (const Row& row : rows_) {
    const std::string& unit = row.unit;
    if (row.is_ratio) {
      std::printf("BENCH %s_ratio %.4f ratio\n", row.name.c_str(), row.judged);
      std::printf("BENCH %s_%s %.3f %s\n", row.name.c_str(), unit.c_str(), row.ours, unit.c_str());
      std::printf("BENCH %s_raw_%s %.3f %s\n", row.name.c_str(), unit.c_str(), row.raw,
                  unit.c_str());
    } else {
      std::printf("BENCH %s %.3f %s\n", row.name.c_str(), row.ours, unit.c_str());
      if (row.raw >= 0)
        std::printf("BENCH %s_raw %.3f %s\n", row.name.c_str(), row.raw, unit.c_str());
    }
  }
}

}  // namespace troupe::bench
