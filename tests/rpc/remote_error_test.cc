// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/remote_error.h"

#include <gtest/gtest.h>
#include <unistd.h>

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
#include <vector>

#include "troupe/ipc/errors.h"
#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/handle.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/rpc/errors.h"

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

[[gnu::noinline]] void miss_cue() { throw MissedCue("act two", 7); }
[[gnu::noinline]] void complain() { std::throw_with_nested(std::runtime_error("no ticket")); }

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

// Errors tell the process in which they were boxed: this one.
std::string pid() { return "pid " + std::to_string(::getpid()); }

// What the caller gets when `error` is thrown in `source`.
template <class E>
RemoteActorError remote(const E& error) {
  return RemoteActorError(over_the_wire(box_error(std::make_exception_ptr(error), source)));
}

template <class Body>
std::exception_ptr thrown_by(Body body) {
  try {
    body();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
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
  EXPECT_FALSE(error.is_inception());
  EXPECT_EQ(error.what(), "actor 'gretchen' (" + pid() + ") raised std::out_of_range: row 9");
}

TEST(RemoteErrorTest, IsWhatACatchThereWouldHaveCaught) {
  const RemoteActorError error = remote(std::out_of_range("row 9"));
  EXPECT_TRUE(error.is<std::out_of_range>());
  EXPECT_TRUE(error.is<std::logic_error>());
  EXPECT_TRUE(error.is<std::exception>());
  EXPECT_FALSE(error.is<std::runtime_error>());
}

// ERR-05: standard and framework error types resolve with no registration.
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
  expect_itself(TooSlowError("a"));
  expect_itself(InternalError("a"));
  expect_itself(DeadlockError("a"));
  expect_itself(WouldBlock("a"));
  expect_itself(EndOfChannel("a"));
  expect_itself(BrokenChannel("a"));
  expect_itself(StreamOverrun("a"));
  expect_itself(ContextCancelled("a", relay));
  EXPECT_EQ(rethrown<ContextCancelled>(remote(ContextCancelled("a", relay))).canceller(), relay);
  const TransportClosed lost(TransportClosed::Reason::lost, "gone");
  EXPECT_EQ(rethrown<TransportClosed>(remote(lost)).reason(), TransportClosed::Reason::lost);
}

// ERR-04: several types registered: each resolves by its name. A custom error comes back as itself,
// with what its class serialises.
TEST(RemoteErrorTest, RegisteredErrorsComeBackAsThemselves) {
  const auto cue = rethrown<drama::MissedCue>(remote(drama::MissedCue("act two", 7)));
  EXPECT_EQ(cue.cue, 7);
  EXPECT_STREQ(cue.what(), "act two");
  EXPECT_TRUE(remote(drama::MissedCue()).is<Error>());
  expect_itself(drama::Silent());
}

// ERR-03: a type that was never registered is not found: it stays a RemoteActorError, which still
// knows its standard base.
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

// ERR-06: a remote error constructed locally with no message: its type reads as unknown.
TEST(RemoteErrorTest, AnEmptyBoxIsUnknown) {
  const RemoteActorError error{BoxedError{}};
  EXPECT_EQ(error.boxed_type(), "unknown");
  EXPECT_FALSE(error.is<std::out_of_range>());
  EXPECT_THROW(error.rethrow_boxed(), RemoteActorError);
  EXPECT_EQ(error.traceback(), "unknown: \n");
  EXPECT_FALSE(error.is_inception());
  EXPECT_EQ(box_error(nullptr, source).type, "");
}

// ERR-09: an error relayed through n actors: the relay path lists them in order, it is an inception
// for n > 1, and unwrapping rebuilds the innermost error.
TEST(RemoteErrorTest, RelayingKeepsTheSourceAndExtendsThePath) {
  const RemoteActorError first = remote(std::out_of_range("row 9"));
  const RemoteActorError second(over_the_wire(box_error(std::make_exception_ptr(first), relay)));
  EXPECT_EQ(second.boxed_type(), "std::out_of_range");
  EXPECT_EQ(second.src_uid(), source);
  EXPECT_EQ(second.relay_path(), (std::vector<Uid>{source, relay}));
  EXPECT_EQ(second.what(), "actor 'gretchen' (" + pid() +
                               ") raised std::out_of_range: row 9 (relayed by 'donny')");
  EXPECT_THROW(second.rethrow_boxed(), std::out_of_range);
  EXPECT_TRUE(second.is_inception());
  EXPECT_THROW(std::rethrow_exception(second.unwrap()), std::out_of_range);
  EXPECT_THROW(std::rethrow_exception(remote(42).unwrap()), RemoteActorError);
}

// ERR-11: a remote exception group is relayed as a group.
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

// ERR-07: the message is in the remote traceback's text.
TEST(RemoteErrorTest, TracebackTravels) {
  BoxedError box = box_error(std::make_exception_ptr(std::logic_error("x")), source);
  EXPECT_EQ(box.traceback, "");  // nobody threw it
  box.traceback = "play::act() (play.cc:7)\nplay::scene()\n";
  EXPECT_EQ(RemoteActorError(over_the_wire(box)).traceback(),
            "std::logic_error: x\n  at play::act() (play.cc:7)\n  at play::scene()\n");
}

TEST(RemoteErrorTest, BoxingTellsWhereItWasThrown) {
  const BoxedError box = box_error(thrown_by(&drama::miss_cue), source);
  EXPECT_EQ(box.traceback.rfind("drama::miss_cue()", 0), 0u) << box.traceback;
}

// In a task: the trace ends where the task begins, though its stack is one of ours.
TEST(RemoteErrorTest, TracesOfTasksBeginWithTheirOwnFunctions) {
  std::string traceback;
  run_tasks([&] {
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { traceback = box_error(thrown_by(&drama::miss_cue), source).traceback; });
    });
  });
  EXPECT_EQ(traceback.rfind("drama::miss_cue()", 0), 0u) << traceback;
  EXPECT_EQ(traceback.find("boost::"), std::string::npos) << traceback;
}

// Each cause tells where it was thrown.
TEST(RemoteErrorTest, CausesHaveTracesOfTheirOwn) {
  const std::exception_ptr both = thrown_by([] {
    try {
      drama::miss_cue();
    } catch (...) {
      drama::complain();
    }
  });
  const BoxedError box = over_the_wire(box_error(both, source));
  ASSERT_EQ(box.nesting, BoxedError::Nesting::cause);
  EXPECT_EQ(box.traceback.rfind("drama::complain()", 0), 0u) << box.traceback;
  EXPECT_EQ(box.nested.at(0).traceback.rfind("drama::miss_cue()", 0), 0u);
}

// on<E> also matches a remote error that boxes an E, which the handler gets as itself.
TEST(RemoteErrorTest, HandlersGetTheOriginal) {
  int cue = 0;
  EXPECT_FALSE(handle([] { throw remote(drama::MissedCue("act two", 7)); },
                      on<std::logic_error>([] { ADD_FAILURE() << "not one of these"; }),
                      on<drama::MissedCue>([&](const drama::MissedCue& e) { cue = e.cue; })));
  EXPECT_EQ(cue, 7);
}

// One that cannot be rebuilt is matched by its name and bases; the handler that asks for no more
// than that is called.
TEST(RemoteErrorTest, HandlersOfUnregisteredErrorsGetNoObject) {
  bool called = false;
  handle([] { throw remote(drama::Unregistered("high C")); },
         on<drama::Unregistered>([&] { called = true; }));
  EXPECT_TRUE(called);
  EXPECT_THROW(handle([] { throw remote(drama::Unregistered("high C")); },
                      on<drama::Unregistered>([](const drama::Unregistered&) { FAIL(); })),
               RemoteActorError);
}

// A group of remote errors, and a remote error that boxes a group: each member counts.
TEST(RemoteErrorTest, HandlersLookIntoGroupsFromElsewhere) {
  const ExceptionGroup there("there", {std::make_exception_ptr(std::out_of_range("1")),
                                       std::make_exception_ptr(std::length_error("2"))});
  const ExceptionGroup here("here", {std::make_exception_ptr(remote(there)),
                                     std::make_exception_ptr(remote(std::out_of_range("3")))});
  std::string seen;
  try {
    handle([&] { throw here; },
           on<std::out_of_range>([&](const std::out_of_range& e) { seen += e.what(); }));
    FAIL() << "the length_error was swallowed";
  } catch (const RemoteActorError& left) {
    EXPECT_TRUE(left.is<std::length_error>());
    EXPECT_EQ(left.src_uid(), source);
  }
  EXPECT_EQ(seen, "13");
}

TEST(RemoteErrorTest, AGroupFromElsewhereThatNobodyWantsLeavesAsItWas) {
  const ExceptionGroup there("there", {std::make_exception_ptr(std::out_of_range("1")),
                                       std::make_exception_ptr(std::length_error("2"))});
  try {
    handle([&] { throw remote(there); }, on<std::bad_alloc>([] { FAIL(); }));
    FAIL() << "nothing was thrown";
  } catch (const RemoteActorError& left) {
    EXPECT_TRUE(left.is<ExceptionGroup>());
  }
  EXPECT_THROW(handle([&] { throw remote(there); },
                      on<RemoteActorError>([](const RemoteActorError&) { throw; }),
                      on<std::out_of_range>([] { ADD_FAILURE() << "it was handled already"; })),
               RemoteActorError);
}

// Each of them knows the whole way that it came.
TEST(RemoteErrorTest, MembersOfAGroupFromElsewhereCameItsWay) {
  const ExceptionGroup there("there", {std::make_exception_ptr(std::out_of_range("1"))});
  const RemoteActorError error(box_error(std::make_exception_ptr(remote(there)), relay));
  const std::exception_ptr group = error.boxed_group();
  ASSERT_TRUE(group);
  handle([&] { std::rethrow_exception(group); }, on<RemoteActorError>([](RemoteActorError& member) {
           EXPECT_EQ(member.relay_path(), (std::vector<Uid>{source, relay}));
         }));
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
