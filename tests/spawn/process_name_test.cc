// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/process_name.h"

#include <gtest/gtest.h>

#include "troupe/spawn/errors.h"

namespace troupe {
namespace {

TEST(ProcessNameTest, NamesTheActor) { EXPECT_EQ(process_name("frank"), "troupe:frank"); }

TEST(ProcessNameTest, IsCutToFifteenBytes) {
  EXPECT_EQ(process_name("some_linguist"), "troupe:some_lin");
  EXPECT_EQ(process_name(std::string(10'000, 'x')), "troupe:xxxxxxxx");
}

TEST(ProcessNameTest, IsNotCutWithinACharacter) {
  EXPECT_EQ(process_name("sieben\u00e4hnlich"), "troupe:sieben\u00e4");  // 8 bytes, just fits
  EXPECT_EQ(process_name("achtung\u00e4"), "troupe:achtung");  // the 8th byte is half of it
}

TEST(ProcessNameTest, TakesAnyBytes) {
  EXPECT_EQ(process_name(""), "troupe:");
  EXPECT_EQ(process_name("a/b"), "troupe:a/b");
  EXPECT_EQ(process_name(std::string("a\n\0b", 4)), "troupe:a??b");
  EXPECT_EQ(process_name(std::string(20, '\x80')), "troupe:" + std::string(8, '\x80'));
}

TEST(QuotedNameTest, EscapesControlBytes) {
  EXPECT_EQ(detail::quoted_name("frank"), "`frank`");
  EXPECT_EQ(detail::quoted_name(std::string("a\n\0b", 4)), "`a\\x0a\\x00b`");
}

TEST(QuotedNameTest, CutsLongNames) {
  EXPECT_EQ(detail::quoted_name(std::string(10'000, 'x')), "`" + std::string(80, 'x') + "...`");
}

TEST(ErrnoTextTest, SaysWordsAndName) {
  EXPECT_EQ(detail::errno_text(EMFILE), "Too many open files (EMFILE)");
  EXPECT_EQ(detail::errno_text(123456), "error 123456");
}

}  // namespace
}  // namespace troupe
