// SPDX-License-Identifier: Apache-2.0
#include "troupe/tests/rpc/dialog_pair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe::testing {
namespace {

// Who waits for room goes on when less is queued.
constexpr std::size_t room_below = 256 * 1024;

bool says_left(FrameKind kind, BytesView payload) {
  return kind == FrameKind::stop && payload == BytesView("\1", 1);
}

}  // namespace

// ---- Transcript ----

std::string Transcript::add(bool by_opener, FrameKind kind, bool leaves) {
  Speaker& speaker = by_opener ? opener_ : callee_;
  const Speaker& listener = by_opener ? callee_ : opener_;
  if (kind == FrameKind::start) {
    if (!by_opener) return "sent by the callee";
    return std::exchange(begun_, true) ? "a second time" : "";
  }
  if (!begun_) return "before the start";
  if (!by_opener && ended_) return "after the callee's last word";
  switch (kind) {
    case FrameKind::started:
      if (by_opener) return "sent by the opener";
      if (speaker.yielded) return "after values";
      return std::exchange(started_, true) ? "a second time" : "";
    case FrameKind::yield:
      return add_value(by_opener, speaker);
    case FrameKind::stop:
      return add_stop(speaker, leaves);
    case FrameKind::cancel:
      return std::exchange(speaker.cancelled, true) ? "a second time" : "";
    case FrameKind::cancel_ack:
      if (!listener.cancelled) return "without a cancel";
      return std::exchange(speaker.acked, true) ? "a second time" : "";
    case FrameKind::ret:
    case FrameKind::error:
      if (by_opener) return "sent by the opener";
      ended_ = true;
      return "";
    default:
      return kind == FrameKind::credit ? "" : "in a dialog";
  }
}

std::string Transcript::add_stop(Speaker& speaker, bool leaves) {
  if (!started_) return "before started";
  if (speaker.left || (speaker.stopped && !leaves)) return "a second time";
  speaker.stopped = true;
  speaker.left = leaves;
  return "";
}

// One-way streams have no `started`; there the callee alone sends.
std::string Transcript::add_value(bool by_opener, Speaker& speaker) {
  if (speaker.stopped) return "after stop";
  if (by_opener && !started_) return "before started";
  speaker.yielded = true;
  return "";
}

// ---- Side ----

Side::Side(SessionConfig config, Transcripts& transcripts)
    : session(std::move(config), *this), transcripts_(transcripts) {}

std::uint64_t Side::open_dialog(DialogHandler& handler) {
  const std::uint64_t id = session.open_dialog(handler);
  open_.insert(id);
  return id;
}

void Side::close_dialog(std::uint64_t dialog) noexcept {
  open_.erase(dialog);
  session.close_dialog(dialog);
}

void Side::send(FrameKind kind, std::uint64_t dialog, Bytes payload) {
  const bool carried = session.established() && !session.leaving();
  const bool leaves = says_left(kind, payload);
  session.send(kind, dialog, std::move(payload));
  if (carried) note(kind, dialog, leaves);
  network->wake();
}

void Side::send_copy(FrameKind kind, std::uint64_t dialog, BytesView payload) {
  const bool carried = session.established() && !session.leaving();
  session.send_copy(kind, dialog, payload);
  if (carried) note(kind, dialog, says_left(kind, payload));
  network->wake();
}

void Side::send_value(std::uint64_t dialog, BytesView octets) {
  const bool carried = session.established() && !session.leaving();
  session.send_value(dialog, octets);
  if (carried) note(FrameKind::yield, dialog, false);
  network->wake();
}

void Side::note(FrameKind kind, std::uint64_t dialog, bool leaves) {
  ++sent_[static_cast<std::size_t>(kind)];
  if (!transcripts_.watched) return;
  const auto complain = [&](const std::string& what) {
    transcripts_.problems.push_back(self().name + " sent '" + to_string(kind) + "' in dialog " +
                                    std::to_string(dialog) + " " + what);
  };
  // The connector opens the even ones.
  const bool by_opener = (dialog % 2 == 0) == (self().name == connector_config().uid.name);
  const std::string wrong = transcripts_.dialogs[dialog].add(by_opener, kind, leaves);
  if (!wrong.empty()) complain(wrong);
  if (open_.count(dialog) == 0) complain("after its end there");
}

void Side::wait_for_room() {
  if (!session.closed() && session.queued() >= room_below)
    return room_.park("Connection::wait_for_room");
  LoopCore::current().check_cancelled();
  LoopCore::current().spend();
}

void Side::on_room() noexcept {
  if (session.queued() < room_below) room_.unpark_all();
}

void Side::say_bye() {
  session.say_bye();
  network->wake();
}

DialogHandler* Side::on_start(std::uint64_t dialog, BytesView payload) {
  open_.insert(dialog);
  DialogHandler* handler = on_raw_start             ? on_raw_start(dialog)
                           : dispatcher_ != nullptr ? dispatcher_->on_start(*this, dialog, payload)
                                                    : nullptr;
  if (handler == nullptr) open_.erase(dialog);
  return handler;
}

void Side::on_session_closed(std::exception_ptr) {
  open_.clear();
  room_.unpark_all();
}

// ---- Network ----

Network::Network(Side& connector, Side& acceptor) : ends_{&connector, &acceptor} {
  for (Side* end : ends_) end->network = this;
}

bool Network::idle() const noexcept {
  if (broken_) return true;
  for (int i : {0, 1}) {
    if (!wires_[i].empty() || ends_[i]->session.has_output()) return false;
  }
  return true;
}

void Network::pick_up(int from) {
  Side& side = *ends_[from];
  if (broken_ || !side.session.has_output()) return;
  Bytes message(side.session.batch_size(), '\0');
  side.session.take_batch(message.data());
  wires_[from].push_back(std::move(message));
  side.on_room();
}

void Network::deliver(int from) {
  if (broken_ || wires_[from].empty()) return;
  const Bytes message = std::move(wires_[from].front());
  wires_[from].pop_front();
  ends_[1 - from]->session.receive(message);
}

void Network::carry() {
  while (!idle()) {
    for (int from : {0, 1}) {
      pick_up(from);
      deliver(from);
    }
  }
}

void Network::run() {
  for (;;) {
    if (held_ || idle()) news_.park("network");
    checkpoint();
    if (!held_) carry();
  }
}

void Network::run_at_random(std::mt19937_64& random) {
  for (;;) {
    if (idle()) news_.park("network");
    step(random);
    const std::uint64_t pause = random() % 16;
    if (pause < 8) checkpoint();
    if (pause == 8) sleep(std::chrono::milliseconds(random() % 4));
  }
}

void Network::step(std::mt19937_64& random) {
  const std::uint64_t move = random() % 4;
  if (move < 2) {
    pick_up(static_cast<int>(move));
  } else {
    deliver(static_cast<int>(move - 2));
  }
}

void Network::hold(bool held) noexcept {
  held_ = held;
  wake();
}

void Network::cut(Side& side) {
  broken_ = true;
  for (auto& wire : wires_) wire.clear();
  side.session.disconnected(TransportClosed::Reason::lost, "the network was cut by the test");
}

// ---- Pairs ----

std::shared_ptr<DialogPort> PairPeer::connect() {
  checkpoint();
  return {std::shared_ptr<void>(), &side_};
}

DialogPair::DialogPair()
    : connector(connector_config(), transcripts),
      acceptor(acceptor_config(), transcripts),
      network(connector, acceptor),
      to_acceptor(std::make_shared<PairPeer>(connector)),
      to_connector(std::make_shared<PairPeer>(acceptor)) {
  network.carry();
}

void DialogPair::cut() {
  network.cut(acceptor);
  network.cut(connector);
}

std::vector<std::string> problems_at_end(DialogPair& pair) {
  std::vector<std::string> problems = pair.transcripts.problems;
  for (Side* side : {&pair.connector, &pair.acceptor}) {
    const std::size_t left = side->session.statistics().open_dialogs;
    if (left != 0) problems.push_back(side->self().name + " has dialogs left");
  }
  if (pair.connector.session.closed() || pair.acceptor.session.closed()) return problems;
  for (const auto& [id, transcript] : pair.transcripts.dialogs) {
    if (!transcript.ended()) problems.push_back("dialog " + std::to_string(id) + " has no end");
  }
  return problems;
}

void with_pair(const Module& module, const std::function<void(ServedPair&)>& body) {
  VirtualClock clock;
  FiberOptions options;
  options.clock = &clock;
  const auto main = [&] {
    std::optional<ServedPair> pair;
    open_task_nursery([&](TaskNursery& background) {
      pair.emplace(background);
      pair->dispatcher.expose(module);
      background.start_soon("network", [&] { pair->network.run(); });
      body(*pair);
      wait_all_tasks_blocked();
      EXPECT_EQ(pair->dispatcher.calls(), 0u);
      background.cancel();
    });
    EXPECT_THAT(problems_at_end(*pair), ::testing::IsEmpty());
  };
  run(main, options);
}

}  // namespace troupe::testing
