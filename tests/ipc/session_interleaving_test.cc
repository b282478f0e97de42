// SPDX-License-Identifier: Apache-2.0
// Both ends of a connection behave; who moves when, cancels, gives up, leaves or dies is drawn from
// a seed, a hundred thousand times. Every dialog has exactly one outcome at either end, hears
// nothing after it, gets its values in order and without gaps, and is in no table in the end. Seeds
// are printed on failure; TROUPE_FUZZ_SEED and TROUPE_FUZZ_ROUNDS choose others, and how many.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "troupe/ipc/session.h"
#include "troupe/tests/ipc/session_pair.h"

namespace troupe {
namespace {

using Random = std::mt19937_64;
using Reason = TransportClosed::Reason;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// A value: its number in the dialog, and sometimes so much that it travels in pieces.
Bytes value(Random& random, std::uint32_t number) {
  Bytes octets;
  put_u32(octets, number);
  octets.append(random() % 40 == 0 ? 2 * piece_size : random() % 8, 'v');
  return octets;
}

// One end of one dialog.
struct Dialog : DialogHandler {
  Dialog(Session& on, std::uint64_t number) : session(on), id(number) {}

  bool over() const { return outcomes != 0; }
  void send_value(Random& random) { session.send(FrameKind::yield, id, value(random, sent++)); }
  // Has its outcome by its own doing.
  void end() {
    ++outcomes;
    session.close_dialog(id);
  }

  void on_frame(FrameKind kind, BytesView payload) final {
    if (over()) ++heard_too_late;
    ByteReader reader(payload);
    if (kind == FrameKind::yield && reader.u32() != received++) ++out_of_order;
    on_other_frame(kind, reader);
  }
  void on_closed(std::exception_ptr why) final {
    ++outcomes;
    told_why = why != nullptr;
  }
  virtual void on_other_frame(FrameKind kind, ByteReader& payload) = 0;

  Session& session;
  std::uint64_t id;
  std::uint32_t sent = 0;
  std::uint32_t received = 0;
  int outcomes = 0;
  int heard_too_late = 0;
  int out_of_order = 0;
  bool told_why = true;
};

struct Opened final : Dialog {
  using Dialog::Dialog;
  // The answer says how many values came before it.
  void on_other_frame(FrameKind kind, ByteReader& payload) override {
    if (kind != FrameKind::ret && kind != FrameKind::error) return;
    if (payload.u32() != received) ++out_of_order;
    end();
  }
};

struct Served final : Dialog {
  using Dialog::Dialog;
  void on_other_frame(FrameKind kind, ByteReader&) override {
    if (kind == FrameKind::cancel) session.send(FrameKind::cancel_ack, id, {});
  }
  void answer(Random& random) {
    Bytes octets = value(random, sent);
    session.send(random() % 4 == 0 ? FrameKind::error : FrameKind::ret, id, std::move(octets));
    end();
  }
};

// One end of the connection.
struct Side final : SessionEvents {
  explicit Side(SessionConfig config) : session(std::move(config), *this) {}

  void on_established() override {}
  DialogHandler* on_start(std::uint64_t dialog, BytesView) override {
    served.push_back(std::make_unique<Served>(session, dialog));
    return served.back().get();
  }
  void on_session_closed(std::exception_ptr error) override {
    ++closed;
    why = error;
  }

  bool may_open() const { return !dead && session.established() && !session.leaving(); }
  Reason reason() const {
    try {
      std::rethrow_exception(why);
    } catch (const TransportClosed& told) {
      return told.reason();
    }
  }

  std::vector<std::unique_ptr<Opened>> opened;
  std::vector<std::unique_ptr<Served>> served;
  std::deque<Bytes> on_the_way;  // to here
  bool dead = false;
  int closed = 0;
  std::exception_ptr why;
  Session session;
};

template <class Dialogs>
auto* any_of(Random& random, const Dialogs& dialogs) {
  auto* found = dialogs.empty() ? nullptr : dialogs[random() % dialogs.size()].get();
  return found != nullptr && !found->over() ? found : nullptr;
}

class Play {
 public:
  explicit Play(std::uint64_t seed)
      : random_(seed), a_(testing::connector_config()), b_(testing::acceptor_config()) {}

  void run() {
    if (random_() % 8 != 0) settle();  // most of them shake hands in peace
    for (std::uint64_t moves = 10 + random_() % 50; moves-- > 0;) {
      if (random_() % 2 == 0) {
        move(a_, b_);
      } else {
        move(b_, a_);
      }
    }
    finish();
    check(a_);
    check(b_);
  }

 private:
  void move(Side& self, Side& other) {
    switch (random_() % 12) {
      case 0:
      case 1:
        return open(self);
      case 2:
        if (Opened* mine = any_of(random_, self.opened); mine != nullptr && !self.dead) {
          self.session.send(FrameKind::cancel, mine->id, {});
        }
        return;
      case 3:
        if (Opened* mine = any_of(random_, self.opened)) act(*mine);
        return;
      case 4:
        if (Served* theirs = any_of(random_, self.served)) theirs->answer(random_);
        return;
      case 5:
        if (Served* theirs = any_of(random_, self.served)) theirs->send_value(random_);
        return;
      case 6:
        if (random_() % 20 == 0 && self.may_open()) self.session.say_bye();
        if (random_() % 40 == 0) die(self);
        return;
      default:
        hand_over(self, other);
        deliver(random_() % 2 == 0 ? self : other);
    }
  }

  void open(Side& self) {
    if (!self.may_open()) return;
    // The id is known once the dialog is open, which needs the handler.
    auto dialog = std::make_unique<Opened>(self.session, 0);
    dialog->id = self.session.open_dialog(*dialog);
    self.session.send(FrameKind::start, dialog->id, value(random_, 0));
    self.opened.push_back(std::move(dialog));
  }

  void act(Opened& mine) {
    if (random_() % 4 == 0) {
      mine.end();  // gives up
    } else {
      mine.send_value(random_);
    }
  }

  // It does nothing more; what it has sent may arrive yet.
  void die(Side& self) {
    if (a_.dead || b_.dead) return;
    self.session.disconnected(Reason::lost, "it died");
    self.dead = true;
  }

  static void hand_over(Side& from, Side& to) {
    if (from.dead || !from.session.has_output()) return;
    Bytes message(from.session.batch_size(), '\0');
    from.session.take_batch(message.data());
    to.on_the_way.push_back(std::move(message));
  }

  static void deliver(Side& to) {
    if (to.dead || to.on_the_way.empty()) return;
    const Bytes message = std::move(to.on_the_way.front());
    to.on_the_way.pop_front();
    to.session.receive(message);
  }

  bool silent() const {
    for (const Side* side : {&a_, &b_}) {
      if (!side->dead && (side->session.has_output() || !side->on_the_way.empty())) return false;
    }
    return true;
  }

  void settle() {
    while (!silent()) {
      hand_over(a_, b_);
      hand_over(b_, a_);
      deliver(a_);
      deliver(b_);
    }
  }

  void finish() {
    if (a_.dead || b_.dead) {
      Side& survivor = a_.dead ? b_ : a_;
      for (std::uint64_t heard = random_() % 4; heard-- > 0;) deliver(survivor);
      survivor.session.disconnected(Reason::lost, "the other end died");
      EXPECT_TRUE(survivor.reason() == Reason::lost || survivor.reason() == Reason::left);
      return;
    }
    settle();
    a_.session.say_bye();
    settle();
    EXPECT_EQ(a_.reason(), Reason::left);
    EXPECT_EQ(b_.reason(), Reason::left);
  }

  static void check(const Side& side) {
    EXPECT_EQ(side.closed, 1);
    const SessionStatistics counts = side.session.statistics();
    EXPECT_EQ(counts.open_dialogs, 0u);
    EXPECT_EQ(counts.partial_payloads, 0u);
    for (const auto& dialog : side.opened) check(*dialog);
    for (const auto& dialog : side.served) check(*dialog);
  }
  static void check(const Dialog& dialog) {
    EXPECT_EQ(dialog.outcomes, 1);
    EXPECT_EQ(dialog.heard_too_late, 0);
    EXPECT_EQ(dialog.out_of_order, 0);
    EXPECT_TRUE(dialog.told_why);
  }

  Random random_;
  Side a_;
  Side b_;
};

TEST(SessionInterleavingTest, EveryDialogHasOneOutcomeWhateverTheOrder) {
  const std::uint64_t first = from_environment("TROUPE_FUZZ_SEED", 1);
  const std::uint64_t last = first + from_environment("TROUPE_FUZZ_ROUNDS", 100'000);
  for (std::uint64_t seed = first; seed < last && !HasFailure(); ++seed) {
    SCOPED_TRACE("TROUPE_FUZZ_SEED=" + std::to_string(seed));
    Play(seed).run();
  }
}

}  // namespace
}  // namespace troupe
