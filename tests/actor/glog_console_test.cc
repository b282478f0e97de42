// SPDX-License-Identifier: Apache-2.0

// A program that initialises glog itself: its glog gets what the log writes.

#include <glog/logging.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "troupe/troupe.h"

namespace {

class Collector : public google::LogSink {
 public:
  Collector() { google::AddLogSink(this); }
  ~Collector() override { google::RemoveLogSink(this); }

  void send(google::LogSeverity severity, const char*, const char* base_filename, int,
            const google::LogMessageTime&, const char* message, std::size_t size) override {
    lines.push_back(std::to_string(severity) + " " + base_filename + " " +
                    std::string(message, size));
  }

  std::vector<std::string> lines;
};

TEST(GlogConsoleTest, InitialisedGlogGetsTheLinesAndKeepsItsSettings) {
  FLAGS_logtostderr = true;
  FLAGS_minloglevel = google::GLOG_WARNING;
  google::InitGoogleLogging("glog_console_test");
  const Collector collector;
  troupe::open_root_actor({.loglevel = "info"}, [] {
    const auto log = troupe::get_logger("stage");
    log.info("glog is set to hold this back");
    log.warning("the curtain is torn");
  });
  troupe::set_log_level(troupe::LogLevel::warning);
  EXPECT_EQ(FLAGS_minloglevel, google::GLOG_WARNING);
  EXPECT_TRUE(FLAGS_logtostderr);
  ASSERT_EQ(collector.lines.size(), 1u);
  EXPECT_TRUE(collector.lines[0].starts_with("1 stage warning root[")) << collector.lines[0];
  EXPECT_TRUE(collector.lines[0].ends_with("] main | the curtain is torn")) << collector.lines[0];
}

}  // namespace
