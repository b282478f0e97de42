// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/origin.h"

#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/exception_group.h"

namespace troupe {
namespace {

struct Told : Error {
  Told(const std::string& text, Origin origin) : Error(text) { set_origin(origin); }
};

std::exception_ptr told(const std::string& text, Origin origin = 0) {
  return std::make_exception_ptr(Told(text, origin));
}

std::exception_ptr group(std::vector<std::exception_ptr> members) {
  return std::make_exception_ptr(ExceptionGroup("several", std::move(members)));
}

std::vector<std::string> texts(const std::vector<std::exception_ptr>& errors) {
  std::vector<std::string> result;
  for (const std::exception_ptr& error : errors) result.push_back(exception_message(error));
  return result;
}

using Texts = std::vector<std::string>;

const Origin death = detail::origin_of_end("00000000000000000000000000000001");

TEST(OriginTest, EndsOfDifferentIncarnationsDiffer) {
  EXPECT_EQ(death, detail::origin_of_end("00000000000000000000000000000001"));
  EXPECT_NE(death, detail::origin_of_end("00000000000000000000000000000002"));
  EXPECT_FALSE(detail::is_hearsay(death));
  EXPECT_TRUE(detail::is_hearsay(detail::by_hearsay(death)));
}

TEST(OriginTest, FreshOnesAreAllDifferent) {
  EXPECT_NE(detail::fresh_origin("a"), detail::fresh_origin("a"));
  EXPECT_FALSE(detail::is_hearsay(detail::fresh_origin("a")));
}

TEST(OriginTest, ErrorsWithoutOriginAllStay) {
  EXPECT_EQ(texts(one_per_origin({told("a"), told("b"), told("a")})), (Texts{"a", "b", "a"}));
}

TEST(OriginTest, ValuesOfAnyTypeStay) {
  const std::exception_ptr number = std::make_exception_ptr(42);
  EXPECT_EQ(one_per_origin({number, told("a"), std::make_exception_ptr(43)}).size(), 3u);
}

TEST(OriginTest, OneErrorThatCameTwiceCountsOnce) {
  const std::exception_ptr error = std::make_exception_ptr(std::runtime_error("once"));
  EXPECT_EQ(texts(one_per_origin({error, told("a"), error})), (Texts{"once", "a"}));
}

TEST(OriginTest, TheFirstOfAnOriginIsKept) {
  EXPECT_EQ(texts(one_per_origin({told("first", death), told("second", death), told("other", 8)})),
            (Texts{"first", "other"}));
}

TEST(OriginTest, WhoKnowsMoreIsKeptInsteadOfHearsay) {
  const Origin rumour = detail::by_hearsay(death);
  EXPECT_EQ(texts(one_per_origin({told("rumour", rumour), told("news", death), told("a", rumour)})),
            Texts{"news"});
}

TEST(OriginTest, GroupsLoseWhatIsToldOutsideOfThem) {
  const std::vector<std::exception_ptr> kept =
      one_per_origin({told("news", death), group({told("a"), told("b"), told("again", death)})});
  ASSERT_EQ(kept.size(), 2u);
  try {
    std::rethrow_exception(kept[1]);
  } catch (const ExceptionGroup& rest) {
    EXPECT_EQ(texts(rest.exceptions()), (Texts{"a", "b"}));
    EXPECT_EQ(rest.message(), "several");
  }
}

TEST(OriginTest, WhatIsLeftOfAGroupIsOneErrorOrNothing) {
  const std::exception_ptr lone = told("lone");
  const std::vector<std::exception_ptr> kept = one_per_origin(
      {told("news", death), group({told("again", death), lone}), group({told("more", death)})});
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[1], lone);
}

TEST(OriginTest, UntouchedGroupsStayTheSameObject) {
  const std::exception_ptr whole = group({told("a"), told("b")});
  EXPECT_EQ(one_per_origin({whole, told("c")}).front(), whole);
}

}  // namespace
}  // namespace troupe
