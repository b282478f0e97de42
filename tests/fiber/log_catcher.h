// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keeps what is logged, for tests of reports.

#include <string>
#include <vector>

#include "troupe/runtime/base/log.h"

namespace troupe::testing {

/// Collects the text of all records while it lives.
class LogCatcher {
 public:
  LogCatcher() {
    set_log_sink([this](const LogRecord& record) { texts_.push_back(record.text); });
  }
  LogCatcher(const LogCatcher&) = delete;
  LogCatcher& operator=(const LogCatcher&) = delete;
  ~LogCatcher() { set_log_sink(nullptr); }

  /// The texts so far.
  const std::vector<std::string>& texts() const { return texts_; }
  /// How many of them contain `part`.
  int count(const std::string& part) const {
    int found = 0;
    for (const std::string& text : texts_) found += text.find(part) != std::string::npos ? 1 : 0;
    return found;
  }

 private:
  std::vector<std::string> texts_;
};

}  // namespace troupe::testing
