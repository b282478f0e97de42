// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/text_tail.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace troupe::detail {
namespace {

std::string numbered_lines(int first, int last) {
  std::string text;
  for (int i = first; i <= last; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

std::string tail_of(const std::string& text) {
  TextTail tail;
  tail.add(text);
  return tail.text();
}

TEST(TextTailTest, IsEmptyAtFirst) {
  EXPECT_EQ(TextTail().text(), "");
  EXPECT_EQ(tail_of(""), "");
  EXPECT_EQ(tail_of("\n\r\n"), "");
}

TEST(TextTailTest, KeepsAFewLinesWhole) {
  EXPECT_EQ(tail_of("one\ntwo\n"), "one\ntwo");
  EXPECT_EQ(tail_of("one\ntwo"), "one\ntwo");
  EXPECT_EQ(tail_of("\none\n"), "\none");
}

TEST(TextTailTest, KeepsTwentyLines) {
  EXPECT_EQ(tail_of(numbered_lines(1, 100)) + "\n", numbered_lines(81, 100));
  EXPECT_EQ(tail_of(numbered_lines(1, 20)) + "\n", numbered_lines(1, 20));
}

TEST(TextTailTest, KeepsEightKibibytes) {
  EXPECT_EQ(tail_of(std::string(100'000, 'x')).size(), TextTail::max_octets);
}

TEST(TextTailTest, DoesNotCareWhereItsInputIsCut) {
  const std::string text = numbered_lines(1, 5000);
  for (std::size_t step : {1, 7, 4096, 20'000}) {
    TextTail tail;
    for (std::size_t at = 0; at < text.size(); at += step) tail.add(text.substr(at, step));
    EXPECT_EQ(tail.text() + "\n", numbered_lines(4981, 5000)) << step;
  }
}

TEST(TextTailTest, HasNoNulOctets) { EXPECT_EQ(tail_of(std::string("a\0b", 3)), "a?b"); }

}  // namespace
}  // namespace troupe::detail
