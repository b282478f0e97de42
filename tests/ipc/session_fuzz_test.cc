// SPDX-License-Identifier: Apache-2.0
// Hostile and random traffic against sessions: nothing may crash, grow or be told twice. Seeds are
// printed on failure; TROUPE_FUZZ_SEED and TROUPE_FUZZ_ROUNDS choose others and more.

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "troupe/ipc/session.h"
#include "troupe/tests/ipc/session_pair.h"

namespace troupe {
namespace {

using testing::End;
using testing::established_pair;
using testing::Pair;
using testing::RecordingHandler;
using Random = std::mt19937_64;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::uint64_t first_seed() { return from_environment("TROUPE_FUZZ_SEED", 1); }
std::uint64_t rounds(std::uint64_t otherwise) {
  return from_environment("TROUPE_FUZZ_ROUNDS", otherwise);
}

Bytes random_octets(Random& random, std::size_t max) {
  Bytes octets(random() % (max + 1), '\0');
  for (char& c : octets) c = static_cast<char>(random());
  return octets;
}

Bytes random_frames(Random& random) {
  Bytes message;
  for (std::uint64_t count = random() % 4; count-- > 0;) {
    const auto kind = static_cast<FrameKind>(random() % 19);
    const std::uint64_t dialog = random() % 20 == 0 ? random() : random() % 12;
    append_frame(message, kind, dialog, random_octets(random, 40));
    if (random() % 8 == 0) {
      Bytes piece(frame_header_size + piece_header_size + 5, '\0');
      write_piece(piece.data(), kind, dialog, {5 + random() % 10, random() % 3, "abcde"});
      message += piece;
    }
  }
  return message;
}

// A good message made bad: octets changed, cut off or added.
void damage(Random& random, Bytes& message) {
  switch (random() % 4) {
    case 0:
      for (int i = 0; i < 3 && !message.empty(); ++i)
        message[random() % message.size()] = static_cast<char>(random());
      break;
    case 1:
      message.resize(random() % (message.size() + 1));
      break;
    case 2:
      message += random_octets(random, 30);
      break;
    case 3:
      message.insert(random() % (message.size() + 1), random_octets(random, 30));
      break;
  }
}

Bytes hostile_message(Random& random, End& honest_twin) {
  switch (random() % 4) {
    case 0:
      return random_octets(random, 100);
    case 1:
      return random_frames(random);
    default: {
      Bytes message = honest_twin.session.has_output() ? honest_twin.take() : random_frames(random);
      if (random() % 2 == 0) damage(random, message);
      return message;
    }
  }
}

void check_ends(const End& end, const RecordingHandler& handler, bool opened) {
  ASSERT_LE(end.closed, 1);
  ASSERT_EQ(end.session.closed(), end.closed == 1);
  if (opened && end.session.closed()) {
    ASSERT_EQ(handler.closed, 1);
  }
  for (const auto& [id, given] : end.handlers) ASSERT_LE(given->closed, 1);
  if (end.session.closed()) {
    ASSERT_EQ(end.session.statistics().open_dialogs, 0u);
    ASSERT_EQ(end.session.statistics().partial_payloads, 0u);
  }
}

TEST(SessionFuzzTest, HostileMessagesEndTheConnectionAtMost) {
  std::uint64_t messages = 0;
  const std::uint64_t target = rounds(150'000);
  for (std::uint64_t seed = first_seed(); messages < target; ++seed) {
    SCOPED_TRACE("TROUPE_FUZZ_SEED=" + std::to_string(seed));
    Random random(seed);
    Pair pair;
    if (random() % 3 != 0) pair.settle();
    const bool attack_connector = random() % 2 == 0;
    End& victim = attack_connector ? pair.connector : pair.acceptor;
    End& twin = attack_connector ? pair.acceptor : pair.connector;
    RecordingHandler handler;
    const bool opened = victim.session.established();
    if (opened) victim.session.send(FrameKind::start, victim.session.open_dialog(handler), "x");
    for (int i = 0; i < 20 && !victim.session.closed(); ++i, ++messages) {
      victim.session.receive(hostile_message(random, twin));
      if (victim.session.has_output()) twin.session.receive(victim.take());
      ASSERT_LT(victim.session.queued(), 4u << 20);
      check_ends(victim, handler, opened);
    }
    ++messages;
    victim.session.disconnected(TransportClosed::Reason::lost, "end of the test");
    check_ends(victim, handler, opened);
  }
}

TEST(SessionFuzzTest, ReorderedRepeatedAndDroppedMessagesEndTheConnectionAtMost) {
  std::uint64_t messages = 0;
  const std::uint64_t target = rounds(100'000);
  for (std::uint64_t seed = first_seed(); messages < target; ++seed) {
    SCOPED_TRACE("TROUPE_FUZZ_SEED=" + std::to_string(seed));
    Random random(seed);
    Pair pair;
    RecordingHandler handler;
    std::vector<Bytes> to_acceptor, to_connector;
    bool opened = false;
    for (int i = 0; i < 30; ++i, ++messages) {
      if (pair.connector.session.has_output()) to_acceptor.push_back(pair.connector.take());
      if (pair.acceptor.session.has_output()) to_connector.push_back(pair.acceptor.take());
      if (!opened && pair.connector.session.established()) {
        opened = true;
        const std::uint64_t id = pair.connector.session.open_dialog(handler);
        pair.connector.session.send(FrameKind::start, id,
                                    Bytes(random() % 2 == 0 ? 10 : 200'000, 's'));
        pair.connector.session.send(FrameKind::yield, id, "y");
      }
      auto& queue = random() % 2 == 0 ? to_acceptor : to_connector;
      End& target_end = &queue == &to_acceptor ? pair.acceptor : pair.connector;
      if (queue.empty()) continue;
      const std::size_t pick = random() % 4 == 0 ? random() % queue.size() : 0;
      const Bytes message = queue[pick];
      if (random() % 8 != 0) queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(pick));
      if (random() % 16 != 0) target_end.session.receive(message);
    }
    check_ends(pair.connector, handler, opened);
    pair.connector.session.disconnected(TransportClosed::Reason::lost, "end of the test");
    check_ends(pair.connector, handler, opened);
  }
}

// Both ends behave; which moves when is random. Every dialog that was started is answered exactly
// once or closed exactly once, and nothing is left in any table.
struct Caller final : DialogHandler {
  void on_frame(FrameKind kind, BytesView) override {
    if (kind == FrameKind::ret) {
      ++ended;
      session->close_dialog(id);
    }
  }
  void on_closed(std::exception_ptr) override { ++ended; }
  Session* session = nullptr;
  std::uint64_t id = 0;
  int ended = 0;
};

void random_move(Random& random, End& self, End& other,
                 std::vector<std::unique_ptr<Caller>>& callers) {
  switch (random() % 6) {
    case 0: {
      if (!self.session.established() || self.session.leaving()) return;
      auto& caller = callers.emplace_back(std::make_unique<Caller>());
      caller->session = &self.session;
      caller->id = self.session.open_dialog(*caller);
      self.session.send(FrameKind::start, caller->id, Bytes(random() % 5 == 0 ? 100'000 : 5, 'x'));
      return;
    }
    case 1: {
      if (self.handlers.empty()) return;
      const std::uint64_t id = self.handlers.begin()->first;
      self.session.send(FrameKind::ret, id, Bytes(random() % 5 == 0 ? 100'000 : 5, 'r'));
      self.session.close_dialog(id);
      self.handlers.erase(id);
      return;
    }
    case 2:
      if (self.session.established() && random() % 400 == 0) self.session.say_bye();
      return;
    default:
      if (self.session.has_output()) other.session.receive(self.take());
  }
}

TEST(SessionFuzzTest, HonestEndsLoseNothingWhateverTheOrder) {
  const std::uint64_t last = first_seed() + rounds(3000) / 10;
  for (std::uint64_t seed = first_seed(); seed < last; ++seed) {
    SCOPED_TRACE("TROUPE_FUZZ_SEED=" + std::to_string(seed));
    Random random(seed);
    Pair pair;
    std::vector<std::unique_ptr<Caller>> callers;
    for (int i = 0; i < 400; ++i) {
      const bool connector_moves = random() % 2 == 0;
      random_move(random, connector_moves ? pair.connector : pair.acceptor,
                  connector_moves ? pair.acceptor : pair.connector, callers);
    }
    pair.connector.session.say_bye();
    pair.settle();
    ASSERT_EQ(pair.connector.reason(), TransportClosed::Reason::left) << pair.connector.why();
    ASSERT_EQ(pair.acceptor.reason(), TransportClosed::Reason::left) << pair.acceptor.why();
    for (const auto& caller : callers) ASSERT_EQ(caller->ended, 1);
    ASSERT_EQ(pair.connector.session.statistics().open_dialogs, 0u);
    ASSERT_EQ(pair.acceptor.session.statistics().open_dialogs, 0u);
  }
}

}  // namespace
}  // namespace troupe
