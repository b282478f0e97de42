// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/error_report.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace play {

[[gnu::noinline]] void forget_line() { throw std::logic_error("which act?"); }

}  // namespace play

namespace troupe {
namespace {

const Uid root{"root", {}};
const Uid gretchen{"gretchen", "11111111000000000000000000000000"};
const Uid donny{"donny", "22222222000000000000000000000000"};
const Uid frank{"frank", "33333333000000000000000000000000"};

// An error thrown in `source`, in process 7.
BoxedError thrown_in(const Uid& source, std::string type, std::string message) {
  BoxedError box;
  box.type = std::move(type);
  box.message = std::move(message);
  box.source = source;
  box.pid = 7;
  box.relay_path = {source};
  return box;
}

BoxedError local_error() {
  BoxedError box = thrown_in(root, "std::out_of_range", "row 9");
  box.traceback = "play::find_row(int) (house.cc:12)\nmain::{lambda()#1}::operator()() const\n";
  return box;
}

BoxedError remote_error() {
  BoxedError box = thrown_in(gretchen, "play::NoSuchPlay", "no such play: Faust III");
  box.traceback = "play::open(int) (play.cc:3)\n";
  box.relay_path = {gretchen, root};
  return box;
}

BoxedError died() {
  return thrown_in(root, "troupe::ActorDied", "actor 'frank' (pid 9) died: signal 9 (SIGKILL)");
}

BoxedError group_of(std::vector<BoxedError> members) {
  BoxedError box = thrown_in(root, "troupe::ExceptionGroup", "several tasks of a nursery failed");
  box.nesting = BoxedError::Nesting::group;
  box.nested = std::move(members);
  return box;
}

TEST(ErrorReportTest, LocalError) {
  EXPECT_EQ(error_report(local_error()),
            "std::out_of_range: row 9\n"
            "  in actor root (pid 7)\n"
            "  at play::find_row(int) (house.cc:12)\n"
            "  at main::{lambda()#1}::operator()() const\n");
}

TEST(ErrorReportTest, ErrorOfOneHop) {
  EXPECT_EQ(error_report(remote_error()),
            "play::NoSuchPlay: no such play: Faust III\n"
            "  in actor gretchen@11111111 (pid 7)\n"
            "  relayed gretchen@11111111 -> root\n"
            "  at play::open(int) (play.cc:3)\n");
}

TEST(ErrorReportTest, ErrorOfThreeHops) {
  BoxedError box = remote_error();
  box.relay_path = {gretchen, donny, frank, root};
  EXPECT_EQ(error_report(box),
            "play::NoSuchPlay: no such play: Faust III\n"
            "  in actor gretchen@11111111 (pid 7)\n"
            "  relayed gretchen@11111111 -> donny@22222222 -> frank@33333333 -> root\n"
            "  at play::open(int) (play.cc:3)\n");
}

TEST(ErrorReportTest, DeathOfAnActor) {
  EXPECT_EQ(error_report(died()),
            "troupe::ActorDied: actor 'frank' (pid 9) died: signal 9 (SIGKILL)\n"
            "  in actor root (pid 7)\n");
}

// What came first explains the rest, so it stands first.
TEST(ErrorReportTest, CauseFirst) {
  BoxedError box = thrown_in(root, "std::runtime_error", "no ticket");
  box.nesting = BoxedError::Nesting::cause;
  box.nested = {remote_error()};
  EXPECT_EQ(error_report(box),
            "play::NoSuchPlay: no such play: Faust III\n"
            "  in actor gretchen@11111111 (pid 7)\n"
            "  relayed gretchen@11111111 -> root\n"
            "  at play::open(int) (play.cc:3)\n"
            "which led to:\n"
            "std::runtime_error: no ticket\n"
            "  in actor root (pid 7)\n");
}

TEST(ErrorReportTest, GroupsAreBranches) {
  BoxedError inner = group_of({died(), local_error()});
  inner.source = donny;
  EXPECT_EQ(error_report(group_of({remote_error(), inner, died()})),
            "troupe::ExceptionGroup: several tasks of a nursery failed (3 errors)\n"
            "  in actor root (pid 7)\n"
            "  +-- play::NoSuchPlay: no such play: Faust III\n"
            "  |     in actor gretchen@11111111 (pid 7)\n"
            "  |     relayed gretchen@11111111 -> root\n"
            "  |     at play::open(int) (play.cc:3)\n"
            "  +-- troupe::ExceptionGroup: several tasks of a nursery failed (2 errors)\n"
            "  |     in actor donny@22222222 (pid 7)\n"
            "  |     +-- troupe::ActorDied: actor 'frank' (pid 9) died: signal 9 (SIGKILL)\n"
            "  |     |     in actor root (pid 7)\n"
            "  |     +-- std::out_of_range: row 9\n"
            "  |           in actor root (pid 7)\n"
            "  |           at play::find_row(int) (house.cc:12)\n"
            "  |           at main::{lambda()#1}::operator()() const\n"
            "  +-- troupe::ActorDied: actor 'frank' (pid 9) died: signal 9 (SIGKILL)\n"
            "        in actor root (pid 7)\n");
}

// Who was only told to stop has nothing to say, unless nobody else has.
TEST(ErrorReportTest, CancellationsAreLeftOut) {
  const BoxedError cancelled = thrown_in(donny, "troupe::ContextCancelled", "by gretchen");
  EXPECT_EQ(error_report(group_of({cancelled, died()})),
            "troupe::ExceptionGroup: several tasks of a nursery failed (1 error)\n"
            "  in actor root (pid 7)\n"
            "  +-- troupe::ActorDied: actor 'frank' (pid 9) died: signal 9 (SIGKILL)\n"
            "        in actor root (pid 7)\n");
  EXPECT_NE(error_report(group_of({cancelled})).find("ContextCancelled"), std::string::npos);
}

TEST(ErrorReportTest, MessagesOfSeveralLinesStayTogether) {
  EXPECT_EQ(error_report(thrown_in(gretchen, "E", "one\ntwo\n\nfour")),
            "E: one\n  two\n  \n  four\n  in actor gretchen@11111111 (pid 7)\n");
}

TEST(ErrorReportTest, WhatIsUnknownIsLeftOut) {
  EXPECT_EQ(error_report(BoxedError{}), "unknown: \n");
}

// Another process may send anything; the terminal gets text.
TEST(ErrorReportTest, ControlCharactersDoNotReachTheTerminal) {
  const std::string text = error_report(thrown_in(gretchen, "E\033[2J", "\033[31mred\r\xff"));
  EXPECT_EQ(text, "E?[2J: ?[31mred??\n  in actor gretchen@11111111 (pid 7)\n");
}

TEST(ErrorReportTest, ColoursMarkTypesAndTraces) {
  EXPECT_EQ(error_report(remote_error(), ReportFormat::coloured),
            "\033[1;31mplay::NoSuchPlay\033[0m: no such play: Faust III\n"
            "  in actor gretchen@11111111 (pid 7)\n"
            "  relayed gretchen@11111111 -> root\n"
            "\033[2m  at play::open(int) (play.cc:3)\033[0m\n");
}

TEST(ErrorReportTest, JsonIsOneLine) {
  EXPECT_EQ(
      error_report(remote_error(), ReportFormat::json),
      R"({"type":"play::NoSuchPlay","message":"no such play: Faust III",)"
      R"("actor":{"name":"gretchen","uuid":"11111111000000000000000000000000","pid":7},)"
      R"x("relay_path":["gretchen@11111111","root"],"trace":["play::open(int) (play.cc:3)"]})x"
      "\n");
}

TEST(ErrorReportTest, JsonNestsCausesAndGroups) {
  BoxedError led = thrown_in(root, "E", "a \"quoted\"\\ text\n\x01");
  led.nesting = BoxedError::Nesting::cause;
  led.nested = {thrown_in(root, "C", "\xff")};
  const std::string actor = R"("actor":{"name":"root","pid":7},"relay_path":["root"],"trace":[])";
  EXPECT_EQ(error_report(group_of({led}), ReportFormat::json),
            R"({"type":"troupe::ExceptionGroup","message":"several tasks of a nursery failed",)" +
                actor + R"(,"errors":[{"type":"E","message":"a \"quoted\"\\ text\n\u0001",)" +
                actor + R"(,"cause":{"type":"C","message":"?",)" + actor + "}}]}\n");
}

// ERR-10: a remote error, when printed: a box shows the source uid, the relay uid, the remote
// traceback and the message.
TEST(ErrorReportTest, CaughtErrorsAreToldWithAllThatIsKnown) {
  std::exception_ptr error;
  try {
    play::forget_line();
  } catch (...) {
    error = std::current_exception();
  }
  const RemoteActorError relayed(
      box_error(std::make_exception_ptr(RemoteActorError(box_error(error, gretchen))), donny));
  const std::string text = error_report(std::make_exception_ptr(relayed), root);
  const std::string pid = std::to_string(::getpid());
  EXPECT_EQ(text.rfind("std::logic_error: which act?\n"
                       "  in actor gretchen@11111111 (pid " +
                           pid +
                           ")\n"
                           "  relayed gretchen@11111111 -> donny@22222222 -> root\n"
                           "  at play::forget_line()",
                       0),
            0u)
      << text;
}

TEST(ReportFormatTest, TheEnvironmentDecides) {
  ::unsetenv("TROUPE_ERROR_FORMAT");
  EXPECT_EQ(report_format(-1), ReportFormat::text);
  ::setenv("TROUPE_ERROR_FORMAT", "json", 1);
  EXPECT_EQ(report_format(-1), ReportFormat::json);
  ::setenv("TROUPE_ERROR_FORMAT", "text", 1);
  EXPECT_EQ(report_format(-1), ReportFormat::text);
  ::unsetenv("TROUPE_ERROR_FORMAT");
}

// A terminal of one's own.
TEST(ReportFormatTest, TerminalsGetColours) {
  ::unsetenv("TROUPE_ERROR_FORMAT");
  ::unsetenv("NO_COLOR");
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0) GTEST_SKIP() << "no terminals here";
  EXPECT_EQ(report_format(terminal), ReportFormat::coloured);
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(report_format(terminal), ReportFormat::text);
  ::unsetenv("NO_COLOR");
  ::close(terminal);
}

}  // namespace
}  // namespace troupe
