// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/deadlines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <vector>

#include "troupe/runtime/fiber/clock.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

// An entry that notes when it fires.
struct Noted : DeadlineEntry {
  Noted() {
    fire = [](DeadlineEntry& entry) noexcept {
      auto& self = static_cast<Noted&>(entry);
      EXPECT_FALSE(self.queued());
      self.fired->push_back(&self);
    };
  }
  TimePoint when{};
  std::vector<Noted*>* fired = nullptr;
};

TEST(DeadlinesTest, AnEmptyHeapNeverComes) {
  Deadlines deadlines;
  EXPECT_EQ(deadlines.next(), never);
  EXPECT_EQ(deadlines.size(), 0u);
  deadlines.fire_due(never);
  Noted entry;
  deadlines.remove(entry);
}

TEST(DeadlinesTest, FiresWhatIsDueTheEarliestFirst) {
  std::vector<Noted*> fired;
  std::vector<Noted> entries(200);
  Deadlines deadlines;
  std::mt19937 random(1);
  for (Noted& entry : entries) {
    entry.fired = &fired;
    entry.when = TimePoint(std::chrono::seconds(random() % 100));
    deadlines.add(entry, entry.when);
  }
  deadlines.fire_due(TimePoint(49s));
  for (const Noted& entry : entries) EXPECT_EQ(entry.queued(), entry.when > TimePoint(49s));
  EXPECT_GE(deadlines.next(), TimePoint(50s));
  deadlines.fire_due(TimePoint(100s));
  EXPECT_EQ(fired.size(), entries.size());
  EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end(),
                             [](const Noted* a, const Noted* b) { return a->when < b->when; }));
}

// Against a plain list, with random additions and removals at all places.
TEST(DeadlinesTest, BehavesAsASortedList) {
  std::mt19937 random(2);
  for (int round = 0; round < 50; ++round) {
    std::vector<Noted*> fired;
    std::vector<Noted> entries(64);
    Deadlines deadlines;
    for (Noted& entry : entries) entry.fired = &fired;
    for (int step = 0; step < 1000; ++step) {
      Noted& entry = entries[random() % entries.size()];
      if (entry.queued()) {
        deadlines.remove(entry);
        EXPECT_FALSE(entry.queued());
      } else {
        entry.when = TimePoint(std::chrono::seconds(random() % 20));
        deadlines.add(entry, entry.when);
      }
      TimePoint earliest = never;
      std::size_t queued = 0;
      for (const Noted& each : entries) {
        if (!each.queued()) continue;
        ++queued;
        earliest = std::min(earliest, each.when);
      }
      ASSERT_EQ(deadlines.next(), earliest);
      ASSERT_EQ(deadlines.size(), queued);
    }
  }
}

TEST(SaturationTest, DeadlinesDoNotOverflow) {
  EXPECT_EQ(detail::saturating_add(TimePoint(1s), Duration::max()), never);
  EXPECT_EQ(detail::saturating_add(never, 1ns), never);
  EXPECT_EQ(detail::saturating_add(never - 1ns, 1ns), never);
  EXPECT_EQ(detail::saturating_add(TimePoint(1s), 1s), TimePoint(2s));
  EXPECT_EQ(detail::saturating_add(TimePoint(1s), 0s), TimePoint(1s));
}

TEST(SaturationTest, DurationsDoNotOverflow) {
  EXPECT_EQ(detail::to_duration(std::chrono::hours::max()), Duration::max());
  EXPECT_EQ(detail::to_duration(std::chrono::hours::min()), Duration::min());
  EXPECT_EQ(detail::to_duration(std::chrono::duration<double>(1e300)), Duration::max());
  EXPECT_EQ(detail::to_duration(std::chrono::duration<float>(-1e30F)), Duration::min());
  EXPECT_EQ(detail::to_duration(Duration::max()), Duration::max());
  EXPECT_EQ(detail::to_duration(std::chrono::duration<double>(1.5)), 1500ms);
}

}  // namespace
}  // namespace troupe
