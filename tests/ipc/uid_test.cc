// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/uid.h"

#include <gtest/gtest.h>

#include <sstream>
#include <unordered_set>

namespace troupe {
namespace {

TEST(UidTest, UuidsAreThirtyTwoHexDigitsAndDiffer) {
  std::unordered_set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uuid = make_uuid();
    EXPECT_TRUE(is_uuid(uuid)) << uuid;
    EXPECT_TRUE(seen.insert(uuid).second);
  }
}

TEST(UidTest, PrintsNameAndTheBeginningOfTheUuid) {
  const Uid uid{"donny", "0123456789abcdef0123456789abcdef"};
  std::ostringstream out;
  out << uid;
  EXPECT_EQ(out.str(), "donny@01234567");
}

TEST(UidTest, IsAValueThatComparesAndHashes) {
  const Uid a{"a", std::string(32, '1')};
  Uid b = a;
  EXPECT_EQ(a, b);
  EXPECT_EQ(std::hash<Uid>{}(a), std::hash<Uid>{}(b));
  b.uuid = std::string(32, '2');
  EXPECT_LT(a, b);
}

TEST(UidTest, NamesAreCheckedUtf8) {
  EXPECT_EQ(name_fault("worker-7"), "");
  EXPECT_EQ(name_fault("Zoë \xf0\x9f\x8e\xad"), "");
  EXPECT_NE(name_fault(""), "");
  EXPECT_NE(name_fault(std::string(256, 'x')), "");
  EXPECT_NE(name_fault("line\nbreak"), "");
  EXPECT_NE(name_fault("\xff\xfe"), "");
  EXPECT_NE(name_fault("\xc0\xaf"), "") << "an overlong form";
  EXPECT_NE(name_fault("\xed\xa0\x80"), "") << "a surrogate";
  EXPECT_NE(name_fault("\xe2\x82"), "") << "a sequence cut short";
}

TEST(UidTest, OtherTextsAreNoUuid) {
  EXPECT_FALSE(is_uuid(""));
  EXPECT_FALSE(is_uuid(std::string(32, 'g')));
  EXPECT_FALSE(is_uuid(std::string(33, 'a')));
}

}  // namespace
}  // namespace troupe
