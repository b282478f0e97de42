// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/remote_error.h"

#include <gtest/gtest.h>

#include <any>
#include <exception>
#include <filesystem>
#include <functional>
#include <future>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <variant>

#include "troupe/ipc/errors.h"
#include "troupe/runtime/base/exception_group.h"

namespace drama {

class Unregistered : public std::range_error {
 public:
  using std::range_error::range_error;
};

class NoSuchPlay : public std::runtime_error {
 public:
  explicit NoSuchPlay(const std::string& title) : std::runtime_error("no such play: " + title) {}
};

struct MissedCue : troupe::Error {
  MissedCue() : Error("missed a cue") {}
  MissedCue(const std::string& message, int which) : Error(message), cue(which) {}
  explicit MissedCue(const std::string& message) : Error(message) {}
  int cue = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(cue);
  }
};

struct Silent : std::exception {
  const char* what() const noexcept override { return "silence"; }
};

const bool registered = troupe::register_error<MissedCue>() && troupe::register_error<Silent>();

}  // namespace drama

namespace {

using namespace troupe;

const Uid source{"gretchen", "00000000000000000000000000000001"};
const Uid relay{"donny", "00000000000000000000000000000002"};

BoxedError over_the_wire(const BoxedError& box) {
  Bytes octets;
  box.encode_into(octets);
  return BoxedError::decode(octets);
}

// What the caller gets when `error` is thrown in `source`.
template <class E>
RemoteActorError remote(const E& error) {
  return RemoteActorError(over_the_wire(box_error(std::make_exception_ptr(error), source)));
}

template <class E>
E rethrown(const RemoteActorError& error) {
  try {
    error.rethrow_boxed();
  } catch (const E& e) {
    EXPECT_EQ(typeid(e), typeid(E));
    return e;
  }
}

template <class E>
void expect_itself(const E& error) {
  const RemoteActorError there = remote(error);
  EXPECT_TRUE(there.is<E>()) << there.what();
  EXPECT_STREQ(rethrown<E>(there).what(), error.what());
}

TEST(RemoteErrorTest, SaysWhatWasThrownAndWhere) {
  const RemoteActorError error = remote(std::out_of_range("row 9"));
  EXPECT_EQ(error.boxed_type(), "std::out_of_range");
  EXPECT_EQ(error.boxed_message(), "row 9");
  EXPECT_EQ(error.src_uid(), source);
  EXPECT_EQ(error.relay_path(), std::vector<Uid>{source});
  EXPECT_STREQ(error.what(),
               "actor 'gretchen' (gretchen@00000000) raised std::out_of_range: row 9");
}

TEST(RemoteErrorTest, IsWhatACatchThereWouldHaveCaught) {
  const RemoteActorError error = remote(std::out_of_range("row 9"));
  EXPECT_TRUE(error.is<std::out_of_range>());
  EXPECT_TRUE(error.is<std::logic_error>());
  EXPECT_TRUE(error.is<std::exception>());
  EXPECT_FALSE(error.is<std::runtime_error>());
}

// Standard and own error types resolve without registration.
TEST(RemoteErrorTest, StandardErrorsComeBackAsThemselves) {
  expect_itself(std::exception());
  expect_itself(std::logic_error("a"));
  expect_itself(std::domain_error("a"));
  expect_itself(std::invalid_argument("a"));
  expect_itself(std::length_error("a"));
  expect_itself(std::out_of_range("a"));
  expect_itself(std::runtime_error("a"));
  expect_itself(std::range_error("a"));
  expect_itself(std::overflow_error("a"));
  expect_itself(std::underflow_error("a"));
  expect_itself(std::bad_alloc());
  expect_itself(std::bad_array_new_length());
  expect_itself(std::bad_cast());
  expect_itself(std::bad_typeid());
  expect_itself(std::bad_any_cast());
  expect_itself(std::bad_exception());
  expect_itself(std::bad_function_call());
  expect_itself(std::bad_optional_access());
  expect_itself(std::bad_variant_access());
  expect_itself(std::bad_weak_ptr());
  expect_itself(std::regex_error(std::regex_constants::error_brack));
  expect_itself(std::future_error(std::future_errc::no_state));
}

TEST(RemoteErrorTest, ErrorCodesTravel) {
  const std::error_code denied(EACCES, std::generic_category());
  expect_itself(std::system_error(denied, "opening the curtain"));
  expect_itself(std::system_error(std::error_code(2, std::system_category())));
  EXPECT_EQ(rethrown<std::system_error>(remote(std::system_error(denied, "x"))).code(), denied);
  expect_itself(std::ios_base::failure("read", std::make_error_code(std::io_errc::stream)));
  using std::filesystem::filesystem_error;
  expect_itself(filesystem_error("remove", "/a", "/b", denied));
  EXPECT_EQ(rethrown<filesystem_error>(remote(filesystem_error("rename", "/a", denied))).path1(),
            "/a");
}

TEST(RemoteErrorTest, TroupesOwnErrorsComeBackAsThemselves) {
  expect_itself(Error("a"));
  expect_itself(UsageError("a"));
  expect_itself(ModuleNotExposed("a"));
  expect_itself(MsgTypeError("a"));
  expect_itself(ContextCancelled("a", relay));
  EXPECT_EQ(rethrown<ContextCancelled>(remote(ContextCancelled("a", relay))).canceller(), relay);
  const TransportClosed lost(TransportClosed::Reason::lost, "gone");
  EXPECT_EQ(rethrown<TransportClosed>(remote(lost)).reason(), TransportClosed::Reason::lost);
}

// A custom error registered on both sides comes back as itself, with what its class serialises.
TEST(RemoteErrorTest, RegisteredErrorsComeBackAsThemselves) {
  const auto cue = rethrown<drama::MissedCue>(remote(drama::MissedCue("act two", 7)));
  EXPECT_EQ(cue.cue, 7);
  EXPECT_STREQ(cue.what(), "act two");
  EXPECT_TRUE(remote(drama::MissedCue()).is<Error>());
  expect_itself(drama::Silent());
}

// A type that was never registered is not found: it stays a RemoteActorError, which still knows its
// standard base.
TEST(RemoteErrorTest, UnregisteredErrorsStayRemoteErrors) {
  const RemoteActorError error = remote(drama::Unregistered("high C"));
  EXPECT_EQ(error.boxed_type(), "drama::Unregistered");
  EXPECT_TRUE(error.is<drama::Unregistered>());
  EXPECT_TRUE(error.is<std::range_error>());
  EXPECT_TRUE(error.is<std::runtime_error>());
  EXPECT_FALSE(error.is<std::logic_error>());
  EXPECT_THROW(error.rethrow_boxed(), RemoteActorError);
}

TEST(RemoteErrorTest, ThingsThatAreNoExceptionsAreDescribed) {
  EXPECT_EQ(remote(42).boxed_type(), "int");
  EXPECT_EQ(remote(42).boxed_message(), "42");
  EXPECT_EQ(remote(std::string("help")).boxed_message(), "help");
  EXPECT_THROW(remote(42).rethrow_boxed(), RemoteActorError);
}

// A remote error constructed locally with no message: its type reads as unknown.
TEST(RemoteErrorTest, AnEmptyBoxIsUnknown) {
  const RemoteActorError error{BoxedError{}};
  EXPECT_EQ(error.boxed_type(), "unknown");
  EXPECT_FALSE(error.is<std::out_of_range>());
  EXPECT_THROW(error.rethrow_boxed(), RemoteActorError);
  EXPECT_EQ(box_error(nullptr, source).type, "");
}

// An error relayed through n actors: the relay path lists them in order, and the source is kept.
TEST(RemoteErrorTest, RelayingKeepsTheSourceAndExtendsThePath) {
  const RemoteActorError first = remote(std::out_of_range("row 9"));
  const RemoteActorError second(over_the_wire(box_error(std::make_exception_ptr(first), relay)));
  EXPECT_EQ(second.boxed_type(), "std::out_of_range");
  EXPECT_EQ(second.src_uid(), source);
  EXPECT_EQ(second.relay_path(), (std::vector<Uid>{source, relay}));
  EXPECT_STREQ(
      second.what(),
      "actor 'gretchen' (gretchen@00000000) raised std::out_of_range: row 9 (relayed by 'donny')");
  EXPECT_THROW(second.rethrow_boxed(), std::out_of_range);
}

// A remote exception group is relayed as a group.
TEST(RemoteErrorTest, GroupsStayGroups) {
  const auto inner = std::make_exception_ptr(remote(std::out_of_range("deep")));
  const ExceptionGroup group("two", {std::make_exception_ptr(drama::MissedCue("m", 3)), inner});
  const RemoteActorError error(over_the_wire(box_error(std::make_exception_ptr(group), relay)));
  EXPECT_TRUE(error.is<ExceptionGroup>());
  EXPECT_EQ(error.boxed_type(), "troupe::ExceptionGroup");
  try {
    error.rethrow_boxed();
    FAIL();
  } catch (const ExceptionGroup& back) {
    ASSERT_EQ(back.exceptions().size(), 2u);
    EXPECT_EQ(back.message(), "two");
    EXPECT_THROW(std::rethrow_exception(back.exceptions()[0]), drama::MissedCue);
    EXPECT_THROW(std::rethrow_exception(back.exceptions()[1]), RemoteActorError);
  }
}

TEST(RemoteErrorTest, NestedExceptionsStayNested) {
  std::exception_ptr both;
  try {
    try {
      throw std::out_of_range("row 9");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("no ticket"));
    }
  } catch (...) {
    both = std::current_exception();
  }
  const RemoteActorError error(over_the_wire(box_error(both, source)));
  EXPECT_EQ(error.boxed_type(), "std::runtime_error");
  EXPECT_TRUE(error.is<std::runtime_error>());
  try {
    error.rethrow_boxed();
    FAIL();
  } catch (const std::runtime_error& outer) {
    EXPECT_STREQ(outer.what(), "no ticket");
    EXPECT_THROW(std::rethrow_if_nested(outer), std::out_of_range);
  }
}

TEST(RemoteErrorTest, TheRuntimesOwnVerdictsAreRaisedAsThemselves) {
  BoxedError box = box_error(std::make_exception_ptr(ModuleNotExposed("not here")), source);
  EXPECT_THROW(throw_remote(box), RemoteActorError);
  box.by_runtime = true;
  EXPECT_THROW(throw_remote(over_the_wire(box)), ModuleNotExposed);
  box.type = "unheard::Of";
  EXPECT_THROW(throw_remote(box), RemoteActorError);
}

TEST(RemoteErrorTest, TracebackTravels) {
  const auto box =
      box_error(std::make_exception_ptr(std::logic_error("x")), source, "main.cc:7 in main\n");
  EXPECT_EQ(RemoteActorError(over_the_wire(box)).traceback(), "main.cc:7 in main\n");
}

TEST(RemoteErrorTest, LongTextsAreCut) {
  EXPECT_LT(remote(std::logic_error(std::string(1 << 20, 'x'))).boxed_message().size(), 70'000u);
}

// Both sides have a type of that name, but not the same one.
TEST(RemoteErrorTest, APayloadThatDoesNotFitLeavesTheRemoteError) {
  BoxedError box = box_error(std::make_exception_ptr(drama::MissedCue("m", 3)), source);
  box.payload = "?";
  EXPECT_THROW(RemoteActorError(box).rethrow_boxed(), RemoteActorError);
  EXPECT_TRUE(RemoteActorError(box).is<drama::MissedCue>());
}

TEST(RemoteErrorTest, BadOctetsAreADecodeError) {
  EXPECT_THROW(BoxedError::decode("nonsense"), DecodeError);
}

TEST(RemoteErrorTest, ALongChainOfCausesIsCut) {
  std::exception_ptr error = std::make_exception_ptr(std::runtime_error("first"));
  for (int i = 0; i < 200; ++i) {
    try {
      try {
        std::rethrow_exception(error);
      } catch (...) {
        std::throw_with_nested(std::runtime_error("next"));
      }
    } catch (...) {
      error = std::current_exception();
    }
  }
  EXPECT_THROW(RemoteActorError(over_the_wire(box_error(error, source))).rethrow_boxed(),
               std::runtime_error);
}

}  // namespace
