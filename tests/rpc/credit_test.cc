// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/credit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <numeric>
#include <random>
#include <string>

namespace troupe::detail {
namespace {

constexpr std::uint64_t all_ones = std::numeric_limits<std::uint64_t>::max();

TEST(CreditTest, NothingMayBeSentWithoutAGrant) { EXPECT_FALSE(Credit().available()); }

TEST(CreditTest, MessagesAreCounted) {
  Credit credit;
  credit.grant({2, 1000});
  credit.spend(10);
  EXPECT_TRUE(credit.available());
  credit.spend(10);
  EXPECT_FALSE(credit.available());
  credit.grant({1, 0});
  EXPECT_TRUE(credit.available());
}

TEST(CreditTest, TheLastValueMayOverdrawTheOctets) {
  Credit credit;
  credit.grant({10, 100});
  credit.spend(99);
  EXPECT_TRUE(credit.available());
  credit.spend(500);
  EXPECT_FALSE(credit.available());
  credit.grant({0, 499});
  EXPECT_FALSE(credit.available());
  credit.grant({0, 1});
  EXPECT_TRUE(credit.available());
}

TEST(CreditTest, AllOnesAreNoLimit) {
  Credit credit;
  credit.grant(Window::unlimited());
  for (int i = 0; i < 1000; ++i) credit.spend(1u << 30);
  EXPECT_TRUE(credit.available());
  EXPECT_TRUE(credit.is_unlimited());
}

TEST(CreditTest, ALeavingReceiverBoundsWhatHadNoLimit) {
  Credit credit;
  credit.grant(Window::unlimited());
  credit.spend(7);
  credit.bound({1, 100});
  EXPECT_TRUE(credit.available());
  credit.spend(7);
  EXPECT_FALSE(credit.available());
}

TEST(CreditTest, BoundingLeavesALimitAsItIs) {
  Credit credit;
  credit.grant({1, 100});
  credit.bound({50, 5000});
  credit.spend(7);
  EXPECT_FALSE(credit.available());
}

// A hostile receiver may grant more octets than there are numbers.
TEST(CreditTest, GrantsDoNotOverflow) {
  Credit credit;
  for (int i = 0; i < 10; ++i) credit.grant({1, all_ones - 1});
  EXPECT_FALSE(credit.is_unlimited());
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(credit.available());
    credit.spend(1u << 30);
  }
  EXPECT_FALSE(credit.available());
}

TEST(ReceiveWindowTest, NoticesWhatWasSentWithoutCredit) {
  ReceiveWindow window({2, 1000});
  EXPECT_TRUE(window.arrived(70));
  EXPECT_TRUE(window.arrived(70));
  EXPECT_FALSE(window.arrived(70));
}

TEST(ReceiveWindowTest, NoticesOctetsBeyondTheOverdraft) {
  ReceiveWindow window({10, 100});
  EXPECT_TRUE(window.arrived(150));
  EXPECT_FALSE(window.arrived(70));
}

TEST(ReceiveWindowTest, GrantsWhenHalfIsTaken) {
  ReceiveWindow window({5, 1u << 20});
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(window.arrived(100));
  EXPECT_EQ(window.taken(100), std::nullopt);
  EXPECT_EQ(window.taken(100), std::nullopt);
  EXPECT_EQ(window.taken(100), (Window{3, 300}));
  EXPECT_EQ(window.taken(100), std::nullopt);
}

TEST(ReceiveWindowTest, GrantsWhenAQuarterOfTheOctetsIsTaken) {
  ReceiveWindow window({1000, 2000});
  EXPECT_TRUE(window.arrived(400));
  EXPECT_TRUE(window.arrived(400));
  EXPECT_EQ(window.taken(400), std::nullopt);
  EXPECT_EQ(window.taken(400), (Window{2, 800}));
}

TEST(ReceiveWindowTest, AWindowOfOneGrantsEachTime) {
  ReceiveWindow window({1, 1u << 20});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(window.arrived(100));
    EXPECT_FALSE(window.arrived(100));
    EXPECT_EQ(window.taken(100), (Window{1, 100}));
  }
}

TEST(ReceiveWindowTest, AValueLargerThanTheWindowComesThrough) {
  ReceiveWindow window({4, 100});
  EXPECT_TRUE(window.arrived(5000));
  EXPECT_FALSE(window.arrived(1));
  EXPECT_EQ(window.taken(5000), (Window{1, 5000}));
  EXPECT_TRUE(window.arrived(1));
}

TEST(ReceiveWindowTest, GrowingGrantsTheDifferenceAtOnce) {
  ReceiveWindow window({2, 1000});
  EXPECT_EQ(window.resize({6, 1500}), (Window{4, 500}));
  EXPECT_EQ(window.size(), (Window{6, 1500}));
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(window.arrived(100));
  EXPECT_FALSE(window.arrived(100));
}

TEST(ReceiveWindowTest, ShrinkingHoldsGrantsBack) {
  ReceiveWindow window({4, 1000});
  EXPECT_EQ(window.resize({2, 1000}), std::nullopt);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(window.arrived(10));  // what was granted stays granted
  // The messages of the first two are kept; the octets have not shrunk.
  EXPECT_EQ(window.taken(10), (Window{0, 10}));
  EXPECT_EQ(window.taken(10), (Window{0, 10}));
  EXPECT_EQ(window.taken(10), (Window{1, 10}));
  EXPECT_EQ(window.taken(10), (Window{1, 10}));
  EXPECT_TRUE(window.arrived(10));
  EXPECT_TRUE(window.arrived(10));
  EXPECT_FALSE(window.arrived(10));
}

TEST(ReceiveWindowTest, WithoutALimitNothingIsGrantedAgain) {
  ReceiveWindow window({1, 100});
  EXPECT_EQ(window.resize(Window::unlimited()), Window::unlimited());
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(window.arrived(1u << 20));
    EXPECT_EQ(window.taken(1u << 20), std::nullopt);
  }
}

// Sender and receiver with everything between them under way for any time: the receiver never sees
// more than it has granted, what is outstanding is bounded, and nobody is stuck at the end.
class CreditFuzz {
 public:
  explicit CreditFuzz(std::uint64_t seed) : random_(seed) { sender_.grant(size_); }

  void step() {
    switch (random_() % 9) {
      case 0:
      case 1:
      case 2:
        return send();
      case 3:
      case 4:
        return arrive();
      case 5:
      case 6:
        return take();
      case 7:
        return hear();
      default:
        if (random_() % 8 == 0) resize();
    }
  }

  void settle() {
    while (!wire_.empty() || !buffer_.empty() || !grants_.empty()) {
      arrive();
      take();
      hear();
    }
    ASSERT_TRUE(sender_.available());
  }

 private:
  void send() {
    if (!sender_.available()) return;
    const std::uint64_t cost = cost_of(random_() % 300);
    sender_.spend(cost);
    wire_.push_back(cost);
    ASSERT_LE(wire_.size() + buffer_.size(), largest_.messages);
    const std::uint64_t octets = std::accumulate(wire_.begin(), wire_.end(), std::uint64_t{0}) +
                                 std::accumulate(buffer_.begin(), buffer_.end(), std::uint64_t{0});
    ASSERT_LT(octets, largest_.octets + cost_of(300));
  }
  void arrive() {
    if (wire_.empty()) return;
    ASSERT_TRUE(receiver_.arrived(wire_.front()));
    buffer_.push_back(wire_.front());
    wire_.pop_front();
  }
  void take() {
    if (buffer_.empty()) return;
    if (const auto grant = receiver_.taken(buffer_.front())) grants_.push_back(*grant);
    buffer_.pop_front();
  }
  void hear() {
    if (grants_.empty()) return;
    sender_.grant(grants_.front());
    grants_.pop_front();
  }
  void resize() {
    size_ = {static_cast<std::uint32_t>(1 + random_() % 9), 1 + random_() % 1000};
    largest_ = {std::max(largest_.messages, size_.messages),
                std::max(largest_.octets, size_.octets)};
    if (const auto grant = receiver_.resize(size_)) grants_.push_back(*grant);
  }

  std::mt19937_64 random_;
  Window size_{static_cast<std::uint32_t>(1 + random_() % 9), 1 + random_() % 1000};
  Window largest_ = size_;
  Credit sender_;
  ReceiveWindow receiver_{size_};
  std::deque<std::uint64_t> wire_, buffer_;  // costs of values
  std::deque<Window> grants_;
};

TEST(CreditFuzzTest, BothAccountsAgreeAndNobodyIsStuck) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    CreditFuzz fuzz(seed);
    for (int i = 0; i < 200; ++i) fuzz.step();
    fuzz.settle();
    ASSERT_FALSE(::testing::Test::HasFatalFailure());
  }
}

}  // namespace
}  // namespace troupe::detail
