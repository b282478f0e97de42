// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/dialog_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "troupe/ipc/dialog_handler.h"

namespace troupe {
namespace {

struct Nobody : DialogHandler {
  void on_frame(FrameKind, BytesView) override {}
  void on_closed(std::exception_ptr) override {}
};

TEST(DialogTableTest, AgreesWithAMapUnderRandomUse) {
  Nobody handlers[8];
  std::mt19937_64 random(3);
  for (int round = 0; round < 20; ++round) {
    DialogTable table;
    std::map<std::uint64_t, DialogHandler*> model;
    for (int i = 0; i < 20'000; ++i) {
      const std::uint64_t id = 1 + random() % (round % 2 == 0 ? 300 : 5000);
      if (random() % 2 == 0) {
        if (model.contains(id)) continue;
        model[id] = &handlers[random() % 8];
        table.insert(id, static_cast<Nobody&>(*model[id]));
      } else {
        DialogHandler* expected = model.contains(id) ? model[id] : nullptr;
        model.erase(id);
        ASSERT_EQ(table.erase(id), expected);
      }
      const std::uint64_t probe = 1 + random() % 5000;
      ASSERT_EQ(table.find(probe), model.contains(probe) ? model[probe] : nullptr);
      ASSERT_EQ(table.size(), model.size());
    }
    while (table.size() != 0) {
      const auto [id, handler] = table.pop();
      ASSERT_EQ(model.at(id), handler);
      model.erase(id);
    }
    EXPECT_TRUE(model.empty());
  }
}

TEST(DialogTableTest, AnEmptyTableHasNothing) {
  DialogTable table;
  EXPECT_EQ(table.find(2), nullptr);
  EXPECT_EQ(table.erase(2), nullptr);
  EXPECT_EQ(table.pop().second, nullptr);
}

}  // namespace
}  // namespace troupe
