// SPDX-License-Identifier: Apache-2.0

// What a broken or hostile peer says in a dialog: out of place, it ends the connection that it came
// over, and nothing else; a value that is none is an error for who receives it, and no more.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "troupe/ipc/errors.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/remote_error.h"
#include "troupe/tests/rpc/dialog_pair.h"

namespace troupe {
namespace {

using detail::Window;
using testing::DialogPair;
using testing::RecordingHandler;
using testing::ServedPair;
using testing::wait_all_tasks_blocked;
using testing::with_pair;
using Frames = std::vector<std::pair<FrameKind, Bytes>>;

struct Script {
  using Started = int;
  using ToCallee = std::string;
  using ToCaller = std::string;
};

// A value that takes even numbers only, wherever it comes from.
struct Even {
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number);
    if (number % 2 != 0) throw std::invalid_argument("an odd number");
  }
};

int add(int a, int b) { return a + b; }
void waits() { sleep_forever(); }
void pours(Sink<int>) { sleep_forever(); }
void pours_even(Sink<Even>) {}
void idles(Context<Script>& ctx) {
  ctx.started(1);
  sleep_forever();
}
void listens(Context<Script>& ctx) {
  ctx.started(1);
  ctx.open_stream([](Stream<std::string, std::string>& stream) {
    for ([[maybe_unused]] const std::string& line : stream) {
    }
  });
}

const Module stage = functions<&add, &waits, &pours, &pours_even, &idles, &listens>();

Bytes window(std::uint32_t messages, std::uint64_t octets) {
  Bytes out;
  detail::put_window(out, Window{messages, octets});
  return out;
}

const Bytes half_close(1, '\0');
const Bytes leave(1, '\1');

// Something that a peer says, and what is held against it.
struct Case {
  std::string name;
  Frames frames;
  std::string complaint;
};
std::string name_of(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }
void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

void expect_violation(const std::exception_ptr& why, const std::string& complaint) {
  ASSERT_NE(why, nullptr) << "the connection stands";
  try {
    std::rethrow_exception(why);
  } catch (const TransportClosed& closed) {
    EXPECT_EQ(closed.reason(), TransportClosed::Reason::violation);
    EXPECT_NE(std::string(closed.what()).find(complaint), std::string::npos) << closed.what();
  }
}

// ---- Hostile openers ----

// Opens a dialog by hand. It must outlive the connection.
struct RawOpener {
  explicit RawOpener(DialogPair& both) : pair(both), id(pair.connector.session.open_dialog(heard)) {
    pair.transcripts.watched = false;
  }

  void say(FrameKind kind, BytesView payload = {}) {
    pair.connector.session.send_copy(kind, id, payload);
    pair.network.wake();
  }
  void say_all(const Frames& frames) {
    for (const auto& frame : frames) say(frame.first, frame.second);
  }
  // How often the callee has said that.
  int count(FrameKind kind) const {
    int found = 0;
    for (const auto& frame : heard.frames) found += frame.first == kind ? 1 : 0;
    return found;
  }

  DialogPair& pair;
  RecordingHandler heard;
  std::uint64_t id;
};

class HostileOpenerTest : public ::testing::TestWithParam<Case> {
 protected:
  // Starts a dialog, says the frames, and expects the complaint.
  static void play(const Bytes& start) {
    std::optional<RawOpener> opener;
    with_pair(stage, [&](ServedPair& pair) {
      opener.emplace(pair);
      opener->say(FrameKind::start, start);
      wait_all_tasks_blocked();
      ASSERT_EQ(pair.dispatcher.calls(), 1u);
      opener->say_all(GetParam().frames);
      wait_all_tasks_blocked();
      expect_violation(pair.acceptor.session.why(), GetParam().complaint);
      EXPECT_EQ(opener->heard.closed, 1);
      EXPECT_EQ(pair.dispatcher.calls(), 0u);  // it has been cancelled
    });
  }
};

class HostileCallerTest : public HostileOpenerTest {};

TEST_P(HostileCallerTest, EndsItsConnection) { play(testing::request<&waits>(std::nullopt)); }
INSTANTIATE_TEST_SUITE_P(
    Plain, HostileCallerTest,
    ::testing::Values(
        Case{"Credit", {{FrameKind::credit, window(1, 1)}}, "'credit' out of place"},
        Case{"Value", {{FrameKind::yield, "x"}}, "'yield' out of place"},
        Case{"Stop", {{FrameKind::stop, leave}}, "'stop' out of place"},
        Case{"Started", {{FrameKind::started, window(1, 1)}}, "'started' out of place"},
        Case{"Return", {{FrameKind::ret, ""}}, "'ret' out of place"},
        Case{"Error", {{FrameKind::error, ""}}, "'error' out of place"},
        Case{"TwoCancels",
             {{FrameKind::cancel, ""}, {FrameKind::cancel, ""}},
             "'cancel' out of place"},
        Case{"AnAcknowledgement", {{FrameKind::cancel_ack, ""}}, "'cancel_ack' out of place"}),
    name_of);

class HostileReceiverTest : public HostileOpenerTest {};

TEST_P(HostileReceiverTest, EndsItsConnection) {
  play(testing::request<&pours>(detail::default_window));
}
INSTANTIATE_TEST_SUITE_P(
    OneWay, HostileReceiverTest,
    ::testing::Values(
        Case{"Value", {{FrameKind::yield, "x"}}, "'yield' out of place"},
        Case{"Stop", {{FrameKind::stop, leave}}, "'stop' out of place"},
        Case{"CreditCutOff", {{FrameKind::credit, window(1, 1).substr(0, 7)}}, "expected 8 more"},
        Case{"CreditWithMore", {{FrameKind::credit, window(1, 1) + "x"}}, "'credit' out of place"}),
    name_of);

class HostileContextOpenerTest : public HostileOpenerTest {};

TEST_P(HostileContextOpenerTest, EndsItsConnection) {
  play(testing::request<&idles>(detail::default_window));
}
INSTANTIATE_TEST_SUITE_P(
    Context, HostileContextOpenerTest,
    ::testing::Values(
        Case{"Started", {{FrameKind::started, window(1, 1)}}, "'started' out of place"},
        Case{"LeavesTwice",
             {{FrameKind::stop, leave}, {FrameKind::stop, leave}},
             "'stop' out of place"},
        Case{"StopsTwice",
             {{FrameKind::stop, half_close}, {FrameKind::stop, half_close}},
             "'stop' out of place"},
        Case{"StopsInAnUnknownWay", {{FrameKind::stop, "\7"}}, "'stop' out of place"},
        Case{"StopsWithoutAWord", {{FrameKind::stop, ""}}, "'stop' out of place"},
        Case{"ValueAfterStop",
             {{FrameKind::stop, half_close}, {FrameKind::yield, "x"}},
             "'yield' out of place"},
        Case{"ValuesAfterStop",
             {{FrameKind::stop, half_close}, {FrameKind::yields, "\1x"}},
             "'yields' out of place"},
        Case{"ValuesWithoutOne", {{FrameKind::yields, ""}}, "a frame of values that has none"},
        Case{"ValueBeyondItsFrame",
             {{FrameKind::yields, "\1x\5four"}},
             "a value that reaches beyond its frame"},
        Case{"ValueOfEndlessLength",
             {{FrameKind::yields, Bytes(100, '\x80')}},
             "a value that reaches beyond its frame"},
        Case{"TooManyValuesInAFrame",
             {{FrameKind::yields, Bytes(detail::default_window.messages + 1, '\0')}},
             "more values of a stream than there was credit for"},
        // So many values are granted from the start, and nobody takes one.
        Case{"TooManyValues",
             Frames(detail::default_window.messages + 1, {FrameKind::yield, encode(std::string())}),
             "more values of a stream than there was credit for"},
        Case{"TooManyOctets",
             {{FrameKind::yield, encode(std::string(3u << 20, 'x'))},
              {FrameKind::yield, encode(std::string())}},
             "more values of a stream than there was credit for"}),
    name_of);

// What is no request is answered; the connection goes on.
TEST(HostileStartTest, NonsenseIsAnswered) {
  std::vector<Bytes> starts = {"", "\1", "\2", Bytes("\5") + Bytes(8, 'x'), Bytes(9, '\0')};
  std::vector<std::unique_ptr<RawOpener>> openers;
  with_pair(stage, [&](ServedPair& pair) {
    for (const Bytes& start : starts) {
      auto& opener = openers.emplace_back(std::make_unique<RawOpener>(pair));
      opener->say(FrameKind::start, start);
      wait_all_tasks_blocked();
      EXPECT_EQ(opener->count(FrameKind::error), 1);
      pair.connector.session.close_dialog(opener->id);
    }
    EXPECT_EQ(pair.portal().run<&add>(2, 3), 5);
  });
}

// MSG-15, ERR-13: only the guilty connection ends; other peers of the same actor notice nothing.
TEST(HostileStartTest, OtherConnectionsGoOn) {
  std::optional<DialogPair> other;
  std::optional<RawOpener> opener;
  with_pair(stage, [&](ServedPair& pair) {
    other.emplace();
    other->acceptor.serve(pair.dispatcher);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { other->network.run(); });
      n.start_soon([&] {
        const auto done =
            move_on_after(std::chrono::milliseconds(10), [&] { pair.portal().run<&waits>(); });
        EXPECT_TRUE(done.cancelled_caught());
      });
      opener.emplace(*other);
      opener->say(FrameKind::start, testing::request<&waits>(std::nullopt));
      opener->say(FrameKind::yield, "x");
      wait_all_tasks_blocked();
      expect_violation(other->acceptor.session.why(), "'yield' out of place");
      EXPECT_EQ(pair.dispatcher.calls(), 1u);
      EXPECT_EQ(pair.portal().run<&add>(2, 3), 5);
      sleep(std::chrono::milliseconds(20));
      n.cancel();
    });
    EXPECT_EQ(pair.acceptor.session.why(), nullptr);
  });
}

// ---- Hostile callees ----

// Answers dialogs by hand, and their cancellation as it should be. It must outlive the connection.
struct RawCallee final : DialogHandler {
  explicit RawCallee(DialogPair& both) : pair(both) {
    pair.transcripts.watched = false;
    pair.acceptor.on_raw_start = [this](std::uint64_t opened) {
      id = opened;
      return this;
    };
  }

  void say(FrameKind kind, BytesView payload = {}) {
    pair.acceptor.session.send_copy(kind, id, payload);
    if (kind == FrameKind::ret || kind == FrameKind::error) pair.acceptor.session.close_dialog(id);
    pair.network.wake();
  }
  void on_frame(FrameKind kind, BytesView) override {
    if (kind != FrameKind::cancel) return;
    say(FrameKind::cancel_ack);
    say(FrameKind::ret);
  }
  void on_closed(std::exception_ptr) override {}

  DialogPair& pair;
  std::uint64_t id = 0;
};

const Bytes first_word = window(4096, 2u << 20) + encode(1);

// Runs `open(portal)`, says the frames to it, and returns what it has thrown, and by
// `connection_end` what has ended the connection.
std::exception_ptr answer_with(const Frames& frames, const std::function<void(const Portal&)>& open,
                               std::exception_ptr* connection_end = nullptr) {
  std::exception_ptr error;
  std::optional<RawCallee> callee;
  with_pair(stage, [&](ServedPair& pair) {
    callee.emplace(pair);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        try {
          open(pair.portal());
        } catch (const std::exception&) {
          error = std::current_exception();
        }
      });
      wait_all_tasks_blocked();
      for (const auto& frame : frames) callee->say(frame.first, frame.second);
    });
    if (connection_end != nullptr) *connection_end = pair.connector.session.why();
  });
  return error;
}

class HostilePlainCalleeTest : public ::testing::TestWithParam<Case> {};

TEST_P(HostilePlainCalleeTest, EndsItsConnection) {
  expect_violation(
      answer_with(GetParam().frames, [](const Portal& portal) { portal.run<&waits>(); }),
      GetParam().complaint);
}
INSTANTIATE_TEST_SUITE_P(
    Plain, HostilePlainCalleeTest,
    ::testing::Values(
        Case{"Started", {{FrameKind::started, first_word}}, "'started' out of place"},
        Case{"Credit", {{FrameKind::credit, window(1, 1)}}, "'credit' out of place"},
        Case{"Value", {{FrameKind::yield, "x"}}, "'yield' out of place"},
        Case{"Stop", {{FrameKind::stop, leave}}, "'stop' out of place"},
        Case{"Cancel", {{FrameKind::cancel, ""}}, "'cancel' out of place"},
        Case{"AnAcknowledgement", {{FrameKind::cancel_ack, ""}}, "'cancel_ack' out of place"},
        Case{"AnErrorThatIsNone", {{FrameKind::error, "garbage"}}, "truncated"}),
    name_of);

class HostileSenderTest : public ::testing::TestWithParam<Case> {};

TEST_P(HostileSenderTest, EndsItsConnection) {
  const auto open = [](const Portal& portal) {
    portal.open_stream<&pours>(StreamOptions{.buffer = 2}, [](ReceiveStream<int>& values) {
      sleep(std::chrono::milliseconds(1));
      while (values.next()) {
      }
    });
  };
  expect_violation(answer_with(GetParam().frames, open), GetParam().complaint);
}
INSTANTIATE_TEST_SUITE_P(
    OneWay, HostileSenderTest,
    ::testing::Values(Case{"Started", {{FrameKind::started, first_word}}, "'started' out of place"},
                      Case{"Credit", {{FrameKind::credit, window(1, 1)}}, "'credit' out of place"},
                      Case{"Cancel", {{FrameKind::cancel, ""}}, "'cancel' out of place"},
                      Case{"ValueAfterStop",
                           {{FrameKind::stop, half_close}, {FrameKind::yield, encode(1)}},
                           "'yield' out of place"},
                      Case{"TooManyValues", Frames(3, {FrameKind::yield, encode(1)}),
                           "more values of a stream than there was credit for"}),
    name_of);

class HostileContextTest : public ::testing::TestWithParam<Case> {};

TEST_P(HostileContextTest, EndsItsConnection) {
  const auto open = [](const Portal& portal) {
    portal.open_context<&idles>([](auto&, int) { sleep_forever(); });
  };
  // The opener may have heard before of a cancel that was in order.
  std::exception_ptr connection_end;
  EXPECT_NE(answer_with(GetParam().frames, open, &connection_end), nullptr);
  expect_violation(connection_end, GetParam().complaint);
}
INSTANTIATE_TEST_SUITE_P(
    Context, HostileContextTest,
    ::testing::Values(Case{"ValueBeforeStarted",
                           {{FrameKind::yield, encode(std::string())}},
                           "'yield' out of place"},
                      Case{"StopBeforeStarted", {{FrameKind::stop, leave}}, "'stop' out of place"},
                      Case{"StartedTwice",
                           {{FrameKind::started, first_word}, {FrameKind::started, first_word}},
                           "'started' out of place"},
                      Case{"StartedWithHalfAWindow",
                           {{FrameKind::started, first_word.substr(0, 7)}},
                           "expected 8 more"},
                      Case{"CreditCutOff", {{FrameKind::credit, "\1\2\3"}}, "expected 4 more"},
                      Case{"StopsTwice",
                           {{FrameKind::started, first_word},
                            {FrameKind::stop, half_close},
                            {FrameKind::stop, half_close}},
                           "'stop' out of place"},
                      Case{"TwoCancels",
                           {{FrameKind::cancel, ""}, {FrameKind::cancel, ""}},
                           "'cancel' out of place"}),
    name_of);

// ---- Values that are none ----

// The type of what `open` throws when it is answered with `frames`, while the connection goes on.
template <class E>
std::string error_of(const Frames& frames, const std::function<void(const Portal&)>& open) {
  const std::exception_ptr error = answer_with(frames, open);
  if (error == nullptr) return "no error";
  try {
    std::rethrow_exception(error);
  } catch (const E& caught) {
    return caught.what();
  }
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void expect_bad_value(const Bytes& octets, const std::string& complaint) {
  int received = 0;
  const auto open = [&](const Portal& portal) {
    portal.open_stream<&pours>([&](ReceiveStream<int>& values) {
      EXPECT_EQ(values.receive(), 1);
      ++received;
      EXPECT_THROW(values.receive(), MsgTypeError);
      values.receive();  // throws it again
    });
  };
  const Frames frames = {{FrameKind::yield, encode(1)}, {FrameKind::yield, octets}};
  const std::string what = error_of<MsgTypeError>(frames, open);
  EXPECT_TRUE(contains(what, complaint)) << what;
  EXPECT_TRUE(contains(what, "int")) << what;  // MSG-05: what was expected
  EXPECT_EQ(received, 1);
}

// MSG-06: the receiver raises the type error. MSG-11: the cancellation that follows is understood
// all the same.
TEST(BadValueTest, InAStreamIsAnErrorOfTheReceiver) {
  expect_bad_value("xy", "truncated");
  expect_bad_value("", "truncated");
  expect_bad_value(encode(2) + "x", "after its last value");
}

// MSG-06: and the sender gets it relayed.
TEST(BadValueTest, InAContextIsRelayedToItsSender) {
  std::optional<RawOpener> opener;
  with_pair(stage, [&](ServedPair& pair) {
    opener.emplace(pair);
    opener->say(FrameKind::start, testing::request<&listens>(detail::default_window));
    wait_all_tasks_blocked();
    opener->say(FrameKind::yield, "no string");
    wait_all_tasks_blocked();
    ASSERT_EQ(opener->count(FrameKind::error), 1);
    const BoxedError box = BoxedError::decode(opener->heard.frames.back().second);
    EXPECT_EQ(box.type, "troupe::MsgTypeError");
    EXPECT_EQ(pair.acceptor.session.why(), nullptr);
    pair.connector.session.close_dialog(opener->id);
  });
}

// A type's own load function may refuse a value, too.
TEST(BadValueTest, RefusedByItsOwnTypeIsNoFaultOfTheConnection) {
  const auto open = [](const Portal& portal) {
    portal.open_stream<&pours_even>([](ReceiveStream<Even>& values) { values.receive(); });
  };
  EXPECT_EQ(error_of<std::invalid_argument>({{FrameKind::yield, encode(3)}}, open),
            "an odd number");
}

// MSG-02: a first word that is none is raised at the entry.
TEST(BadValueTest, AsTheFirstWordIsRaisedAtTheEntry) {
  const auto open = [](const Portal& portal) {
    portal.open_context<&idles>([](auto&, int) { ADD_FAILURE() << "entered"; });
  };
  const std::string what = error_of<MsgTypeError>({{FrameKind::started, window(1, 1) + "x"}}, open);
  EXPECT_TRUE(contains(what, "truncated")) << what;
}

// MSG-03: a result that is none names the function.
TEST(BadValueTest, AsTheResultNamesTheFunction) {
  const auto open = [](const Portal& portal) { portal.run<&add>(1, 2); };
  const std::string what = error_of<MsgTypeError>({{FrameKind::ret, "x"}}, open);
  EXPECT_TRUE(contains(what, "add")) << what;
  EXPECT_TRUE(contains(what, "int (int, int)")) << what;
}

}  // namespace
}  // namespace troupe
