// SPDX-License-Identifier: Apache-2.0

// Every form in which cereal lets a program serialise its types; with cereal's own headers for the
// standard types included, which must not clash with ours.

#include <gtest/gtest.h>

#include <bitset>
#include <cereal/cereal.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/common.hpp>
#include <cereal/types/complex.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/forward_list.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/queue.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/stack.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/valarray.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "troupe/runtime/rpc/codec.h"

namespace {

using troupe::decode_value;
using troupe::encode;

template <class T>
T there_and_back(const T& value) {
  return decode_value<T>(encode(value));
}

struct Inside {
  int a = 0;
  std::string b;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(CEREAL_NVP(a), cereal::make_nvp("other", b));
  }
  bool operator==(const Inside&) const = default;
};

class Private {
 public:
  Private() = default;
  explicit Private(std::vector<Inside> all) : all_(std::move(all)) {}
  bool operator==(const Private&) const = default;

 private:
  friend class cereal::access;
  template <class Archive>
  void serialize(Archive& ar) {
    ar& all_;
  }
  std::vector<Inside> all_;
};

class SaveLoad {
 public:
  int value = 0;
  template <class Archive>
  void save(Archive& ar) const {
    ar << value + 1;
  }
  template <class Archive>
  void load(Archive& ar) {
    ar >> value;
    --value;
  }
};

struct Minimal {
  std::string text;
  template <class Archive>
  std::string save_minimal(const Archive&) const {
    return text;
  }
  template <class Archive>
  void load_minimal(const Archive&, const std::string& value) {
    text = value;
  }
};

struct MinimalNumber {
  int value = 0;
};
template <class Archive>
int save_minimal(const Archive&, const MinimalNumber& number) {
  return number.value;
}
template <class Archive>
void load_minimal(const Archive&, MinimalNumber& number, const int& value) {
  number.value = value;
}

struct Outside {
  int a = 0;
  std::map<int, Inside> table;
};
template <class Archive>
void serialize(Archive& ar, Outside& o) {
  ar(o.a, o.table);
}

struct OutsideSplit {
  double value = 0;
};
template <class Archive>
void save(Archive& ar, const OutsideSplit& o) {
  ar(o.value);
}
template <class Archive>
void load(Archive& ar, OutsideSplit& o) {
  ar(o.value);
}

struct Derived : Inside {
  int more = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(cereal::base_class<Inside>(this), more);
  }
};

struct Left : virtual Inside {
  template <class Archive>
  void serialize(Archive& ar) {
    ar(cereal::virtual_base_class<Inside>(this));
  }
};
struct Right : virtual Inside {
  template <class Archive>
  void serialize(Archive& ar) {
    ar(cereal::virtual_base_class<Inside>(this));
  }
};
struct Diamond : Left, Right {
  int own = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(cereal::base_class<Left>(this), cereal::base_class<Right>(this), own);
  }
};

struct OfList : std::vector<int> {
  template <class Archive>
  void serialize(Archive& ar) {
    ar(cereal::base_class<std::vector<int>>(this));
  }
};

struct Versioned {
  int value = 0;
  std::uint32_t seen = 0;
  template <class Archive>
  void serialize(Archive& ar, std::uint32_t version) {
    ar(value);
    seen = version;
  }
};

struct Ambiguous : SaveLoad {
  int extra = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(extra);
  }
};

struct Directed {
  int value = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    if constexpr (Archive::is_saving::value) {
      ar(value * 2);
    } else {
      ar(value);
    }
  }
};

struct Deferring {
  int a = 0, b = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(cereal::defer(a), b);
    ar.serializeDeferments();
  }
};

struct Raw {
  int data[4] = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(cereal::binary_data(data, sizeof data));
  }
};

struct OwnSize {
  std::vector<int> values;
  template <class Archive>
  void save(Archive& ar) const {
    ar(cereal::make_size_tag(static_cast<cereal::size_type>(values.size())));
    for (const int value : values) ar(value);
  }
  template <class Archive>
  void load(Archive& ar) {
    cereal::size_type size = 0;
    ar(cereal::make_size_tag(size));
    values.resize(size);
    for (int& value : values) ar(value);
  }
};

struct Array {
  int numbers[3] = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(numbers);
  }
};

}  // namespace

CEREAL_CLASS_VERSION(Versioned, 7)
CEREAL_SPECIALIZE_FOR_ALL_ARCHIVES(OfList, cereal::specialization::member_serialize)
CEREAL_SPECIALIZE_FOR_ALL_ARCHIVES(Ambiguous, cereal::specialization::member_serialize)

namespace {

TEST(CodecCerealTest, MemberSerialize) {
  EXPECT_EQ(there_and_back(Inside{1, "x"}), (Inside{1, "x"}));
  EXPECT_EQ(there_and_back(Private({{1, "x"}, {2, "y"}})), Private({{1, "x"}, {2, "y"}}));
}

TEST(CodecCerealTest, SaveAndLoad) {
  SaveLoad value;
  value.value = 3;
  EXPECT_EQ(encode(value), encode(4));
  EXPECT_EQ(there_and_back(value).value, 3);
  EXPECT_EQ(there_and_back(OutsideSplit{2.5}).value, 2.5);
}

TEST(CodecCerealTest, MinimalValues) {
  EXPECT_EQ(there_and_back(Minimal{"abc"}).text, "abc");
  EXPECT_EQ(there_and_back(MinimalNumber{9}).value, 9);
}

TEST(CodecCerealTest, NonMemberSerialize) {
  const Outside back = there_and_back(Outside{1, {{2, {3, "x"}}}});
  EXPECT_EQ(back.a, 1);
  EXPECT_EQ(back.table.at(2), (Inside{3, "x"}));
}

TEST(CodecCerealTest, BaseClasses) {
  Derived derived;
  derived.a = 1;
  derived.b = "b";
  derived.more = 2;
  EXPECT_EQ(there_and_back(derived).b, "b");
  EXPECT_EQ(there_and_back(derived).more, 2);
  OfList list;
  list.assign({1, 2});
  EXPECT_EQ(there_and_back(list).size(), 2u);
}

TEST(CodecCerealTest, AVirtualBaseTravelsOnce) {
  Diamond diamond;
  diamond.a = 5;
  diamond.own = 6;
  EXPECT_EQ(encode(diamond), encode(5, std::string(), 6));
  EXPECT_EQ(there_and_back(diamond).a, 5);
}

TEST(CodecCerealTest, ClassVersions) {
  const auto [first, second] =
      troupe::decode<Versioned, Versioned>(encode(Versioned{1, 0}, Versioned{2, 0}));
  EXPECT_EQ(first.value, 1);
  EXPECT_EQ(second.value, 2);
  EXPECT_EQ(second.seen, 7u);
}

TEST(CodecCerealTest, SpecializationChoosesAmongSeveral) {
  Ambiguous value;
  value.extra = 4;
  EXPECT_EQ(there_and_back(value).extra, 4);
}

TEST(CodecCerealTest, ArchivesKnowTheirDirection) {
  EXPECT_EQ(there_and_back(Directed{4}).value, 8);
}

TEST(CodecCerealTest, DeferredDataComesLast) {
  EXPECT_EQ(encode(Deferring{1, 2}), encode(2, 1));
  EXPECT_EQ(there_and_back(Deferring{1, 2}).a, 1);
}

TEST(CodecCerealTest, RawDataSizesAndArrays) {
  EXPECT_EQ(there_and_back(Raw{{1, 2, 3, 4}}).data[3], 4);
  EXPECT_EQ(there_and_back(OwnSize{{1, 2}}).values.size(), 2u);
  EXPECT_EQ(there_and_back(Array{{1, 2, 3}}).numbers[2], 3);
  EXPECT_THROW(decode_value<OwnSize>(encode(std::uint64_t{1} << 63)), troupe::DecodeError);
}

TEST(CodecCerealTest, CerealsHeadersForStandardTypesDoNotClash) {
  const std::map<std::string, std::vector<std::optional<int>>> map{{"a", {1, std::nullopt}}};
  EXPECT_EQ(there_and_back(map), map);
  EXPECT_EQ(there_and_back(std::tuple(1, std::string("x"))), std::tuple(1, std::string("x")));
  EXPECT_EQ(there_and_back(std::complex<float>(1, 2)), std::complex<float>(1, 2));
  EXPECT_EQ(there_and_back(std::variant<int, std::string>("x")),
            (std::variant<int, std::string>("x")));
}

TEST(CodecCerealTest, CerealsHeadersAddFurtherTypes) {
  EXPECT_EQ(there_and_back(std::bitset<70>(5)), std::bitset<70>(5));
  std::queue<int> queue;
  queue.push(3);
  EXPECT_EQ(there_and_back(queue).front(), 3);
  const std::forward_list<int> links{1, 2, 3};
  EXPECT_EQ(there_and_back(links), links);
  std::stack<std::string> stack;
  stack.push("x");
  EXPECT_EQ(there_and_back(stack).top(), "x");
  EXPECT_EQ(there_and_back(std::valarray<double>{1, 2}).sum(), 3);
}

TEST(CodecCerealTest, ASizeReadByCerealIsBoundedToo) {
  EXPECT_THROW(decode_value<std::valarray<double>>(encode(std::uint64_t{1} << 63)),
               troupe::DecodeError);
}

TEST(CodecCerealTest, AnErrorThatCerealRaisesIsADecodeError) {
  struct Complaining {
    int value = 0;
    void save(troupe::WireWriter& ar) const { ar(value); }
    void load(troupe::WireReader&) { throw cereal::Exception("out of tune"); }
  };
  EXPECT_THROW(decode_value<Complaining>(encode(1)), troupe::DecodeError);
}

}  // namespace
