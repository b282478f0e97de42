// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/text.h"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(TextTest, PrintableReplacesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a\x1b[31mb\n"), "a?[31mb?");
  EXPECT_EQ(printable("\xff ok \xc3\xab"), "? ok \xc3\xab");
  EXPECT_EQ(printable("\xc2\x9b"), "?") << "a C1 control character";
}

TEST(TextTest, PrintableIsCutWithoutSplittingACharacter) {
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("ab\xc3\xab"
                      "cd",
                      3),
            "ab\xc3\xab...");
}

TEST(TextTest, HexHasTwoDigitsAnOctet) { EXPECT_EQ(to_hex({"\x00\x1f\xff", 3}), "001fff"); }

}  // namespace
}  // namespace troupe
