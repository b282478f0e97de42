// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/codec.h"

#include <gtest/gtest.h>

#include <complex>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace {

using troupe::Bytes;
using troupe::decode;
using troupe::decode_value;
using troupe::DecodeError;
using troupe::encode;

template <class T>
T there_and_back(const T& value) {
  return decode_value<T>(encode(value));
}

enum class Colour : std::uint8_t { red = 1, green = 200 };
enum class Flag : bool { off, on };

struct Point {
  int x = 0;
  int y = 0;
  bool operator==(const Point&) const = default;
};

struct Play {
  std::string title;
  std::vector<Point> marks;
  std::optional<Colour> light;
  std::map<std::string, std::variant<int, std::string>> props;
  Point origin;
  bool operator==(const Play&) const = default;
};

struct Nothing {
  bool operator==(const Nothing&) const = default;
};

TEST(CodecTest, ArithmeticTypesKeepTheirExtremes) {
  EXPECT_EQ(there_and_back(std::numeric_limits<std::int64_t>::min()), INT64_MIN);
  EXPECT_EQ(there_and_back(std::numeric_limits<std::uint64_t>::max()), UINT64_MAX);
  EXPECT_EQ(there_and_back(std::size_t{7}), 7u);
  EXPECT_EQ(there_and_back(-0.1), -0.1);
  EXPECT_EQ(there_and_back('x'), 'x');
  EXPECT_TRUE(there_and_back(true));
  EXPECT_EQ(there_and_back(Colour::green), Colour::green);
  EXPECT_EQ(there_and_back(Flag::on), Flag::on);
}

TEST(CodecTest, OctetsAreLittleEndianWithSizesOfEightOctets) {
  EXPECT_EQ(encode(std::uint32_t{0x01020304}), Bytes("\x04\x03\x02\x01", 4));
  EXPECT_EQ(encode(std::string("ab")), Bytes("\2\0\0\0\0\0\0\0ab", 10));
  EXPECT_EQ(encode(), Bytes());
}

TEST(CodecTest, TextMayHoldAnyOctets) {
  EXPECT_EQ(there_and_back(std::string("a\0b\xff", 4)), std::string("a\0b\xff", 4));
  EXPECT_EQ(there_and_back(std::u16string(u"\u00e9\u4e2d")), u"\u00e9\u4e2d");
}

TEST(CodecTest, StandardContainersRoundTripWithoutCerealHeaders) {
  EXPECT_EQ(there_and_back(std::vector<int>{1, 2, 3}), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(there_and_back(std::vector<Colour>{Colour::red}), (std::vector<Colour>{Colour::red}));
  EXPECT_EQ(there_and_back(std::vector<bool>{true, false, true}),
            (std::vector<bool>{true, false, true}));
  EXPECT_EQ(there_and_back(std::vector<Flag>{Flag::on}), (std::vector<Flag>{Flag::on}));
  EXPECT_EQ(there_and_back(std::vector<std::string>{"a", ""}), (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(there_and_back(std::deque<int>{1, 2}), (std::deque<int>{1, 2}));
  EXPECT_EQ(there_and_back(std::list<std::string>{"x"}), (std::list<std::string>{"x"}));
  EXPECT_EQ(there_and_back(std::array<double, 2>{1.5, 2}), (std::array<double, 2>{1.5, 2}));
  EXPECT_EQ(there_and_back(std::array<std::string, 2>{"a", "b"}),
            (std::array<std::string, 2>{"a", "b"}));
  EXPECT_EQ(there_and_back(std::set<int>{3, 1}), (std::set<int>{1, 3}));
  EXPECT_EQ(there_and_back(std::multiset<int>{3, 3}), (std::multiset<int>{3, 3}));
  EXPECT_EQ(there_and_back(std::unordered_set<std::string>{"a", "b"}),
            (std::unordered_set<std::string>{"a", "b"}));
  const std::map<std::string, std::vector<int>> map{{"a", {1}}, {"b", {}}};
  EXPECT_EQ(there_and_back(map), map);
  const std::multimap<int, int> multimap{{1, 1}, {1, 2}};
  EXPECT_EQ(there_and_back(multimap), multimap);
  const std::unordered_map<int, Point> hashed{{1, {1, 2}}, {2, {3, 4}}};
  EXPECT_EQ(there_and_back(hashed), hashed);
}

TEST(CodecTest, VocabularyTypesRoundTrip) {
  EXPECT_EQ(there_and_back(std::pair(1, std::string("b"))), std::pair(1, std::string("b")));
  EXPECT_EQ(there_and_back(std::tuple(1, 2.5, true)), std::tuple(1, 2.5, true));
  EXPECT_EQ(there_and_back(std::tuple<>()), std::tuple<>());
  EXPECT_EQ(there_and_back(std::optional<int>(5)), 5);
  EXPECT_EQ(there_and_back(std::optional<std::string>()), std::nullopt);
  using Either = std::variant<std::monostate, int, std::string>;
  EXPECT_EQ(there_and_back(Either("x")), Either("x"));
  EXPECT_EQ(there_and_back(Either()), Either());
  using namespace std::chrono_literals;
  EXPECT_EQ(there_and_back(std::chrono::nanoseconds(5ms)), 5ms);
  EXPECT_EQ(there_and_back(std::chrono::duration<double>(0.25)), 250ms);
  const auto now = std::chrono::system_clock::now();
  EXPECT_EQ(there_and_back(now), now);
  EXPECT_EQ(there_and_back(std::complex<double>(1, -2)), std::complex<double>(1, -2));
  EXPECT_EQ(there_and_back(std::filesystem::path("/tmp/x")), "/tmp/x");
  const auto pointer =
      decode_value<std::unique_ptr<Point>>(encode(std::make_unique<Point>(Point{1, 2})));
  ASSERT_TRUE(pointer);
  EXPECT_EQ(*pointer, (Point{1, 2}));
  EXPECT_FALSE(decode_value<std::unique_ptr<Point>>(encode(std::unique_ptr<Point>())));
}

TEST(CodecTest, PlainAggregatesNeedNoFunction) {
  const Play play{"Faust", {{1, 2}, {3, 4}}, Colour::red, {{"pen", 1}, {"ink", "black"}}, {5, 6}};
  EXPECT_EQ(there_and_back(play), play);
  EXPECT_EQ(encode(Nothing{}), Bytes());
  EXPECT_EQ(there_and_back(std::vector<Nothing>(3)), std::vector<Nothing>(3));
}

TEST(CodecTest, ManyValuesAreDecodedInOrder) {
  const auto [a, b, c] = decode<int, std::string, bool>(encode(1, std::string("x"), true));
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, "x");
  EXPECT_TRUE(c);
}

TEST(CodecTest, AFailedEncodingLeavesTheBufferAsItWas) {
  Bytes out = "head";
  struct Thrower {
    int value = 0;
    void save(troupe::WireWriter& ar) const {
      ar(1, 2);
      throw std::runtime_error("no");
    }
    void load(troupe::WireReader&) {}
  };
  EXPECT_THROW(troupe::encode_into(out, Thrower{}), std::runtime_error);
  EXPECT_EQ(out, "head");
}

TEST(CodecTest, ACppAliasOfTheSameValueEncodesAlike) {
  EXPECT_EQ(encode(std::vector<int>{1, 2}), encode(std::list<int>{1, 2}));
  EXPECT_EQ(encode(Point{1, 2}), encode(1, 2));
}

// Bad input: each is one clear error.

TEST(CodecBadInputTest, ASizeOfTwoToThe63IsRefusedBeforeAnythingIsAllocated) {
  const Bytes huge("\0\0\0\0\0\0\0\x80", 8);
  EXPECT_THROW(decode_value<std::string>(huge), DecodeError);
  EXPECT_THROW(decode_value<std::vector<double>>(huge), DecodeError);
  EXPECT_THROW(decode_value<std::vector<bool>>(huge), DecodeError);
  EXPECT_THROW(decode_value<std::vector<Nothing>>(huge), DecodeError);
  EXPECT_THROW((decode_value<std::map<int, int>>(huge)), DecodeError);
  EXPECT_THROW(decode_value<std::list<std::string>>(huge), DecodeError);
  EXPECT_THROW(decode_value<std::set<std::string>>(huge), DecodeError);
}

TEST(CodecBadInputTest, ASizeThatWouldOverflowIsRefused) {
  // 2^61 doubles are 2^64 octets, which is 0.
  EXPECT_THROW(decode_value<std::vector<double>>(Bytes("\0\0\0\0\0\0\0\x20", 8)), DecodeError);
}

TEST(CodecBadInputTest, EveryTruncationIsRefused) {
  const Play play{"Faust", {{1, 2}}, Colour::red, {{"pen", 1}}, {5, 6}};
  const Bytes whole = encode(play);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(decode_value<Play>(troupe::BytesView(whole).substr(0, length)), DecodeError)
        << length;
  }
}

TEST(CodecBadInputTest, OctetsAfterTheLastValueAreRefused) {
  EXPECT_THROW(decode_value<int>(encode(1, true)), DecodeError);
  EXPECT_THROW(decode<>(Bytes("x")), DecodeError);
}

TEST(CodecBadInputTest, ABoolIsZeroOrOne) {
  EXPECT_THROW(decode_value<bool>(Bytes("\2")), DecodeError);
  EXPECT_THROW(decode_value<Flag>(Bytes("\2")), DecodeError);
  EXPECT_THROW(decode_value<std::optional<int>>(Bytes("\xff\0\0\0\0", 5)), DecodeError);
  EXPECT_THROW(decode_value<std::vector<bool>>(Bytes("\1\0\0\0\0\0\0\0\2", 9)), DecodeError);
}

TEST(CodecBadInputTest, AVariantNamesOneOfItsAlternatives) {
  EXPECT_THROW((decode_value<std::variant<int, bool>>(Bytes("\2\0\0\0\0\0\0\0", 8))), DecodeError);
  EXPECT_THROW((decode_value<std::variant<int, bool>>(Bytes("\xff\xff\xff\xff", 4))), DecodeError);
}

TEST(CodecBadInputTest, AKeyComesOnce) {
  EXPECT_THROW((decode_value<std::map<int, int>>(encode(std::uint64_t{2}, 1, 1, 1, 2))),
               DecodeError);
  EXPECT_THROW(decode_value<std::set<int>>(encode(std::uint64_t{2}, 1, 1)), DecodeError);
}

struct Tree {
  std::vector<Tree> children;
};

struct Chain {
  std::unique_ptr<Chain> next;
};

TEST(CodecBadInputTest, ANestingBombIsRefusedOnBothSides) {
  Bytes trees;
  for (int i = 0; i < 100'000; ++i) troupe::encode_into(trees, std::uint64_t{1});
  EXPECT_THROW(decode_value<Tree>(trees), DecodeError);
  EXPECT_THROW(decode_value<Chain>(Bytes(100'000, '\1')), DecodeError);
  Chain chain;
  for (Chain* last = &chain; auto depth : std::vector<int>(200)) {
    (void)depth;
    last->next = std::make_unique<Chain>();
    last = last->next.get();
  }
  EXPECT_THROW(encode(chain), troupe::UsageError);
}

TEST(CodecBadInputTest, MemoryIsBoundedByABudget) {
  struct Big {
    std::array<std::array<int, 1000>, 25> data;
  };
  // One octet each, but a tenth of a megabyte of memory.
  const Bytes bomb = encode(std::vector<std::optional<bool>>(1000));
  EXPECT_THROW((decode_value<std::vector<std::optional<Big>>>(bomb)), DecodeError);
  EXPECT_THROW(
      decode_value<std::vector<int>>(encode(std::vector<int>(100)), {.memory = 10, .factor = 0}),
      DecodeError);
  EXPECT_EQ(
      decode_value<std::vector<int>>(encode(std::vector<int>(100)), {.memory = 400, .factor = 0})
          .size(),
      100u);
}

TEST(CodecBadInputTest, MessagesSayWhatIsWrong) {
  try {
    decode_value<std::string>(Bytes("\5\0\0\0\0\0\0\0ab", 10));
    FAIL();
  } catch (const DecodeError& error) {
    EXPECT_STREQ(error.what(), "the message claims 5 elements, but only 2 octets are left");
  }
}

}  // namespace
