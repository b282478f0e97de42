// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/instrument.h"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/task.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using Record = std::vector<std::string>;

// Notes what happens to one task, by name.
class Recorder : public Instrument {
 public:
  explicit Recorder(std::string task) : task_(std::move(task)) {}
  const Record& record() const { return record_; }

  void task_spawned(const Task& task) override { note(task, "spawned"); }
  void task_scheduled(const Task& task) override { note(task, "scheduled"); }
  void before_task_step(const Task& task) override { note(task, "before step"); }
  void after_task_step(const Task& task) override { note(task, "after step"); }
  void task_exited(const Task& task) override { note(task, "exited"); }

 private:
  void note(const Task& task, const char* what) {
    if (task.name == task_) record_.push_back(what);
  }

  std::string task_;
  Record record_;
};

class RunRecorder : public Instrument {
 public:
  Record record;
  int io_waits = 0;
  bool in_io_wait = false;
  void before_run() override { record.push_back("before run"); }
  void after_run() override { record.push_back("after run"); }
  void before_io_wait(Duration) override { in_io_wait = true; }
  void after_io_wait(Duration) override {
    EXPECT_TRUE(in_io_wait);
    in_io_wait = false;
    ++io_waits;
  }
};

class Crasher : public Instrument {
 public:
  int calls = 0;
  void task_spawned(const Task&) override {
    ++calls;
    throw std::out_of_range("instrument's");
  }
};

// T-NUR-28: an instrument sees a task's spawn, schedule, steps and exit.
TEST(InstrumentTest, SeesTheLifeOfATask) {
  Recorder recorder("subject");
  testing::run(
      [] {
        Event event;
        open_task_nursery([&](TaskNursery& n) {
          n.start_soon("subject", [&] {
            event.wait();
            cancel_shielded_checkpoint();
          });
          testing::wait_all_tasks_blocked();
          event.set();
        });
      },
      {.instruments = {&recorder}});
  EXPECT_EQ(recorder.record(), (Record{"spawned", "scheduled",       //
                                       "before step", "after step",  // waits for the event
                                       "scheduled", "before step",   // is woken
                                       "scheduled", "after step",    // lets others run
                                       "before step", "exited", "after step"}));
}

// T-NUR-28: it sees the run's start and end, and the waits for the world.
TEST(InstrumentTest, MayStartTasksWhenItIsToldOfOne) {
  struct Starter : Instrument {
    TaskNursery* nursery = nullptr;
    int ran = 0;
    void task_spawned(const Task& task) override {
      if (task.name == "first") nursery->start_soon("second", [this] { ++ran; });
    }
  } starter;
  run_tasks([&] {
    add_instrument(starter);
    int ran = 0;
    open_task_nursery([&](TaskNursery& n) {
      starter.nursery = &n;
      n.start_soon("whose fiber is used again", [] {});
      checkpoint();
      n.start_soon("first", [&] { ++ran; });
    });
    remove_instrument(starter);
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(starter.ran, 1);
  });
}

TEST(InstrumentTest, SeesTheRunAndItsWaits) {
  RunRecorder recorder;
  testing::run([] { sleep(20ms); }, {.instruments = {&recorder}});
  EXPECT_EQ(recorder.record, (Record{"before run", "after run"}));
  EXPECT_GT(recorder.io_waits, 0);
  EXPECT_FALSE(recorder.in_io_wait);
}

// T-NUR-28: instruments may be added and removed during the run.
TEST(InstrumentTest, CanBeAddedAndRemoved) {
  testing::run([] {
    Recorder recorder("seen");
    const auto run_task = [](const char* name) {
      open_task_nursery([&](TaskNursery& n) { n.start_soon(name, [] {}); });
    };
    run_task("seen");
    EXPECT_TRUE(recorder.record().empty());
    add_instrument(recorder);
    EXPECT_THROW(add_instrument(recorder), UsageError);
    run_task("seen");
    const std::size_t count = recorder.record().size();
    EXPECT_EQ(count, 5u);
    remove_instrument(recorder);
    EXPECT_THROW(remove_instrument(recorder), UsageError);
    run_task("seen");
    EXPECT_EQ(recorder.record().size(), count);
  });
}

// T-NUR-28: one may remove itself while it is told.
TEST(InstrumentTest, MayRemoveItselfWhileItIsTold) {
  class Once : public Instrument {
   public:
    int calls = 0;
    void task_spawned(const Task&) override {
      ++calls;
      remove_instrument(*this);
    }
  } once;
  Recorder after("second");
  testing::run([&] {
    add_instrument(once);
    add_instrument(after);
    open_task_nursery([](TaskNursery& n) {
      n.start_soon("first", [] {});
      n.start_soon("second", [] {});
    });
    remove_instrument(after);
  });
  EXPECT_EQ(once.calls, 1);
  EXPECT_EQ(after.record().size(), 5u);
}

// T-NUR-28: a crashing one is removed with a log, and harms neither the run nor the others.
TEST(InstrumentTest, ACrashingOneIsRemovedWithALog) {
  std::vector<std::string> log;
  set_log_sink([&](const LogRecord& record) { log.push_back(record.text); });
  Crasher crasher;
  Recorder healthy("task");
  testing::run(
      [] {
        open_task_nursery([](TaskNursery& n) {
          for (int i = 0; i < 3; ++i) n.start_soon("task", [] {});
        });
      },
      {.instruments = {&crasher, &healthy}});
  set_log_sink(nullptr);
  EXPECT_EQ(crasher.calls, 1);
  EXPECT_EQ(healthy.record().size(), 15u);
  ASSERT_EQ(log.size(), 1u);
  EXPECT_NE(log[0].find("Crasher"), std::string::npos) << log[0];
  EXPECT_NE(log[0].find("instrument's"), std::string::npos) << log[0];
}

TEST(InstrumentTest, OutsideOfARunIsAnError) {
  Recorder recorder("");
  EXPECT_THROW(add_instrument(recorder), UsageError);
  EXPECT_THROW(remove_instrument(recorder), UsageError);
}

}  // namespace
}  // namespace troupe
