// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/logger.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log_choice.h"
#include "troupe/runtime/base/log_console.h"

namespace {

using namespace std::chrono_literals;
using troupe::LogLevel;
using troupe::LogLevels;

// Counts how often it is formatted.
struct Payload {
  int* formatted;
};
std::ostream& operator<<(std::ostream& out, const Payload& payload) {
  ++*payload.formatted;
  return out << "payload";
}

// Every test begins with a silent log, and gets what is written.
class LoggerTest : public ::testing::Test {
 protected:
  LoggerTest() {
    troupe::log::set_sink(
        [this](const troupe::log::Record& record) { records_.push_back(record); });
  }
  ~LoggerTest() override {
    ::unsetenv("TROUPE_LOGLEVEL");
    troupe::set_log_level(LogLevel::warning);
    troupe::log::set_sink(nullptr);
  }

  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const auto& record : records_) all.push_back(record.text);
    return all;
  }

  std::vector<troupe::log::Record> records_;
};

using Texts = std::vector<std::string>;

TEST_F(LoggerTest, AppendsItsArgumentsAsAStreamWould) {
  const auto log = troupe::log::get_console_log("info");
  const std::string text = "text";
  int formatted = 0;
  log.info("done ", 3, ' ', text, ' ', -1.5, ' ', 7u, ' ', true, ' ', Payload{&formatted});
  EXPECT_EQ(texts(), Texts{"done 3 text -1.5 7 true payload"});
}

TEST_F(LoggerTest, PrintsDurationsWithTheirUnits) {
  const auto log = troupe::log::get_console_log("info");
  log.info(20ms, ' ', 1.5s, ' ', 2h, ' ', std::chrono::duration<int, std::ratio<1, 10>>(4));
  EXPECT_EQ(texts(), Texts{"20ms 1.5s 2h 4[1/10]s"});
}

TEST_F(LoggerTest, PrintsSmallNumbersAsNumbersAndNullAsAWord) {
  const auto log = troupe::log::get_console_log("info");
  const char* nothing = nullptr;
  log.info(static_cast<unsigned char>(7), ' ', static_cast<signed char>(-7), ' ', nothing);
  EXPECT_EQ(texts(), Texts{"7 -7 (null)"});
}

TEST_F(LoggerTest, IsSilentBelowWarningsUntilTurnedOn) {
  const auto log = troupe::get_logger("stage");
  log.info("nobody hears this");
  log.warning("the curtain is torn");
  EXPECT_EQ(texts(), Texts{"the curtain is torn"});
}

// LOG-01: the library's own prefix in a logger's name is not doubled, nor shown at all.
TEST_F(LoggerTest, LibraryPrefixIsLeftOut) {
  EXPECT_EQ(troupe::get_logger("troupe.ipc").name(), "ipc");
  EXPECT_EQ(troupe::get_logger("ipc").name(), "ipc");
  EXPECT_EQ(troupe::get_logger("troupe").name(), "troupe");
  EXPECT_EQ(troupe::get_logger("trouper.ipc").name(), "trouper.ipc");
}

// LOG-02: a logger made without a name is called after the folder and file where it is made.
TEST_F(LoggerTest, NamelessLoggerIsCalledAfterItsFile) {
  const std::string name = troupe::get_logger().name();
  EXPECT_TRUE(name.ends_with("base/logger_test")) << name;
}

// LOG-05: what a line would show is not formatted when its level, its logger, or everything is off.
TEST_F(LoggerTest, PayloadsAreNotFormattedWhileTheyAreOff) {
  int formatted = 0;
  const Payload payload{&formatted};
  const auto log = troupe::get_logger("stage");
  troupe::log::get_console_log("info");
  log.trace(payload);
  troupe::log::get_console_log("trace,stage:warning");
  log.info(payload);
  troupe::log::get_console_log("off");
  log.error(payload);
  EXPECT_EQ(formatted, 0);
  EXPECT_TRUE(records_.empty());
  troupe::log::get_console_log("off,stage:trace");
  log.trace(payload);
  EXPECT_EQ(formatted, 1);
  EXPECT_EQ(texts(), Texts{"payload"});
}

// LOG-06: each level filters what is finer, and has a method of its name.
TEST_F(LoggerTest, EachLevelFiltersWhatIsFiner) {
  const auto log = troupe::get_logger("stage");
  const Texts order{"trace", "runtime", "transport", "cancel", "info", "warning", "error"};
  for (std::size_t first = 0; first < order.size(); ++first) {
    records_.clear();
    troupe::log::get_console_log(order[first]);
    log.trace("trace");
    log.runtime("runtime");
    log.transport("transport");
    log.cancel("cancel");
    log.info("info");
    log.warning("warning");
    log.error("error");
    EXPECT_EQ(texts(), Texts(order.begin() + static_cast<std::ptrdiff_t>(first), order.end()));
    for (const auto& record : records_) EXPECT_EQ(record.text, to_string(record.level));
  }
}

// LOG-06: "a:info,b:cancel" sets the levels of single loggers; the rest stays as it is at the
// start.
TEST_F(LoggerTest, SpecSetsSingleLoggers) {
  troupe::log::get_console_log("a:info,troupe.b:cancel");
  for (const char* name : {"a", "b", "b.c", "bc", "d"}) troupe::get_logger(name).cancel(name);
  EXPECT_EQ(texts(), (Texts{"b", "b.c"}));
  records_.clear();
  for (const char* name : {"a", "b", "d"}) troupe::get_logger(name).info(name);
  EXPECT_EQ(texts(), (Texts{"a", "b"}));
}

TEST_F(LoggerTest, LongestNameDecides) {
  const LogLevels levels = LogLevels::parse("error,net.http:trace,net:info");
  EXPECT_EQ(levels.of("net.http.client"), LogLevel::trace);
  EXPECT_EQ(levels.of("net.dns"), LogLevel::info);
  EXPECT_EQ(levels.of("network"), LogLevel::error);
  EXPECT_EQ(levels.lowest(), LogLevel::trace);
}

TEST_F(LoggerTest, SpecsAreReadAsTheyAreWritten) {
  for (const char* text : {"info", "warning,ipc:trace", "trace,ipc:info,spawn:off"}) {
    EXPECT_EQ(LogLevels::parse(text).text(), text);
    EXPECT_EQ(LogLevels::parse(text), LogLevels::parse(LogLevels::parse(text).text()));
  }
  EXPECT_EQ(LogLevels::parse("TRACE").text(), "trace");
  EXPECT_EQ(LogLevels::parse(" ipc : trace , spawn:info ").text(), "warning,ipc:trace,spawn:info");
  EXPECT_EQ(LogLevels::parse("troupe:trace").text(), "trace");
}

TEST_F(LoggerTest, UnknownLevelsAreAUsageErrorThatListsTheKnown) {
  for (const char* text : {"", "verbose", "ipc:", "ipc:loud", ":info", " , "}) {
    EXPECT_THROW(troupe::log::get_console_log(text), troupe::UsageError) << text;
  }
  try {
    troupe::log::get_console_log("verbose");
  } catch (const troupe::UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("trace, runtime, transport"), std::string::npos)
        << error.what();
  }
}

// LOG-07: a record says when, where and how grave.
TEST_F(LoggerTest, RecordSaysWhenWhereAndHowGrave) {
  troupe::set_log_actor("frank");
  troupe::set_log_task_hook([]() -> std::string { return "rehearsal"; });
  const auto before = std::chrono::system_clock::now();
  troupe::get_logger("stage").error("it fell");
  troupe::set_log_actor({});
  troupe::set_log_task_hook(nullptr);
  ASSERT_EQ(records_.size(), 1u);
  const troupe::log::Record& record = records_[0];
  EXPECT_GE(record.time, before);
  EXPECT_EQ(record.level, troupe::log::Level::error);
  EXPECT_EQ(record.component, "stage");
  EXPECT_EQ(record.actor, "frank");
  EXPECT_EQ(record.pid, ::getpid());
  EXPECT_EQ(record.task, "rehearsal");
  EXPECT_EQ(record.text, "it fell");
}

TEST_F(LoggerTest, LineHasAllFieldsAndOneEnd) {
  const troupe::log::Record record{{}, LogLevel::info, "stage", "frank", 12, "main", "hello"};
  const std::string line = troupe::format_log_line(record, /*coloured=*/false);
  EXPECT_EQ(line.substr(15), " info      frank[12] main | stage: hello\n");
  const std::string coloured = troupe::format_log_line(record, /*coloured=*/true);
  EXPECT_NE(coloured.find("\033[32minfo     \033[0m frank"), std::string::npos) << coloured;
  const troupe::log::Record nameless{{}, LogLevel::error, "stage", "", 12, "", "hello"};
  EXPECT_EQ(troupe::format_log_line(nameless, false).substr(15),
            " error     -[12] - | stage: hello\n");
}

TEST_F(LoggerTest, SinkThatLogsDoesNotComeBackToItself) {
  int called = 0;
  troupe::log::set_sink([&](const troupe::log::Record&) {
    ++called;
    troupe::get_logger("sink").error("one more");
    EXPECT_THROW(troupe::log::set_sink(nullptr), troupe::UsageError);
  });
  troupe::get_logger("stage").error("once");
  EXPECT_EQ(called, 1);
}

TEST_F(LoggerTest, ErrorsOfTheSinkAreDropped) {
  troupe::log::set_sink([](const troupe::log::Record&) { throw std::runtime_error("full"); });
  EXPECT_NO_THROW(troupe::get_logger("stage").error("once"));
}

// SPN-11: the environment wins over what the program asks for, and that is said, once.
TEST_F(LoggerTest, EnvironmentWinsOverTheProgramWithANotice) {
  troupe::say_log_notices();
  ::setenv("TROUPE_LOGLEVEL", "error", 1);
  troupe::log::get_console_log("cancel");
  troupe::log::get_console_log("cancel");
  EXPECT_EQ(troupe::log::get_loglevel(), "error");
  ASSERT_EQ(records_.size(), 1u);
  EXPECT_NE(records_[0].text.find("TROUPE_LOGLEVEL=error wins over the log level 'cancel'"),
            std::string::npos)
      << records_[0].text;
  troupe::log::get_console_log("error");  // no quarrel, no notice
  EXPECT_EQ(records_.size(), 1u);
}

TEST_F(LoggerTest, UnreadableEnvironmentIsAUsageErrorThatNamesTheVariable) {
  ::setenv("TROUPE_LOGLEVEL", "loud", 1);
  try {
    troupe::log::get_console_log("info");
    FAIL() << "nothing was thrown";
  } catch (const troupe::UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("TROUPE_LOGLEVEL"), std::string::npos);
  }
}

// SPN-09, SPN-10: a child gets the level that is given to it, else that of its parent.
TEST_F(LoggerTest, ChildGetsItsOwnLevelsOrThoseOfItsParent) {
  troupe::log::get_console_log("info,ipc:trace");
  EXPECT_EQ(troupe::log_levels_for_child("").levels, "info,ipc:trace");
  EXPECT_EQ(troupe::log_levels_for_child("cancel").levels, "cancel");
  EXPECT_FALSE(troupe::log_levels_for_child("cancel").fixed);
  EXPECT_THROW(troupe::log_levels_for_child("loud"), troupe::UsageError);
  ::setenv("TROUPE_LOGLEVEL", "error", 1);
  EXPECT_EQ(troupe::log_levels_for_child("transport").levels, "error");
  EXPECT_TRUE(troupe::log_levels_for_child("transport").fixed);
}

}  // namespace
