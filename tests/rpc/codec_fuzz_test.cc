// SPDX-License-Identifier: Apache-2.0

// Random octets, and damaged good ones, decoded as many types: each ends in a value or in a
// DecodeError, and memory stays within the budget. Seeded, so that a failure can be repeated.

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "troupe/runtime/rpc/codec.h"

namespace {

std::size_t allocated = 0;

}  // namespace

// Counts what is asked for. Not inlined: g++ would take the pair of malloc and free apart.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocated += size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

constexpr std::size_t memory = 1 << 20;
constexpr std::size_t factor = 64;

struct Tree {
  int value = 0;
  std::vector<Tree> children;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(value, children);
  }
};

struct Mixed {
  bool flag = false;
  std::string text;
  std::optional<std::array<char, 512>> block;
  std::variant<int, std::string, std::vector<bool>> either;
  std::unique_ptr<Mixed> next;
};

struct Empty {};

template <class T>
void feed(troupe::BytesView octets) {
  const std::size_t before = allocated;
  try {
    (void)troupe::decode_value<T>(octets, {.memory = memory, .factor = factor});
  } catch (const troupe::DecodeError&) {
  }
  // Vectors and hash tables allocate before they free, the error its message: twice, and some.
  ASSERT_LE(allocated - before, 3 * (memory + factor * octets.size()) + 4096);
}

template <class... Ts>
void feed_all(troupe::BytesView octets) {
  (feed<Ts>(octets), ...);
}

void feed_every_type(troupe::BytesView octets) {
  feed_all<bool, std::string, std::vector<int>, std::vector<std::string>, std::vector<bool>,
           std::vector<Empty>, std::vector<std::vector<Empty>>, std::deque<double>,
           std::list<std::pair<int, std::string>>, std::set<std::string>, std::unordered_set<int>,
           std::map<int, std::vector<std::string>>, std::unordered_map<std::string, double>,
           std::multimap<char, char>, std::variant<int, std::string, Empty>,
           std::vector<std::optional<std::array<int, 1024>>>, std::unique_ptr<std::string>, Tree,
           Mixed, std::vector<Mixed>, std::array<std::vector<char>, 3>, std::u32string>(octets);
}

// Octets as attackers choose them: small numbers and zeros are likelier than the rest.
troupe::Bytes random_octets(std::mt19937& random) {
  troupe::Bytes octets(random() % 200, '\0');
  const unsigned style = random() % 3;
  for (char& octet : octets) {
    const auto any = static_cast<char>(random());
    octet = style == 0   ? any
            : style == 1 ? static_cast<char>(random() % 4 == 0 ? any % 3 : 0)
                         : any & 1;
  }
  return octets;
}

TEST(CodecFuzzTest, RandomOctetsEndInAValueOrADecodeError) {
  std::mt19937 random(20240229);
  for (int round = 0; round < 20'000 && !HasFatalFailure(); ++round)
    feed_every_type(random_octets(random));
}

Mixed sample(std::mt19937& random, int depth) {
  Mixed mixed;
  mixed.flag = random() % 2;
  mixed.text = std::string(random() % 9, 'x');
  if (random() % 2) mixed.block.emplace();
  if (random() % 2) mixed.either = std::vector<bool>(random() % 9);
  if (depth > 0) mixed.next = std::make_unique<Mixed>(sample(random, depth - 1));
  return mixed;
}

TEST(CodecFuzzTest, DamagedOctetsEndInAValueOrADecodeError) {
  std::mt19937 random(42);
  for (int round = 0; round < 20'000 && !HasFatalFailure(); ++round) {
    troupe::Bytes octets = troupe::encode(sample(random, static_cast<int>(random() % 5)));
    for (unsigned damage = random() % 4; damage > 0; --damage) {
      octets[random() % octets.size()] = static_cast<char>(random());
    }
    feed<Mixed>(octets);
  }
}

TEST(CodecFuzzTest, DecodedValuesEncodeToTheSameOctets) {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    const troupe::Bytes octets = troupe::encode(sample(random, 3));
    EXPECT_EQ(troupe::encode(troupe::decode_value<Mixed>(octets)), octets);
  }
}

}  // namespace
