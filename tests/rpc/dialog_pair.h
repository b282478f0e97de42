// SPDX-License-Identifier: Apache-2.0
#pragma once

// Two actors' ends of one connection face to face, for tests of dialogs: at each end a session and
// a dispatcher, peers that portals are made of, and between them a network that is a task. All of
// the layer of calls, streams and contexts runs as in a program, without sockets and processes.
// What the two ends say is held against the grammar of dialogs (ipc/PROTOCOL.md).

#include <array>
#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "troupe/ipc/dialog_port.h"
#include "troupe/ipc/session.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/parking_lot.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/rpc/dispatcher.h"
#include "troupe/runtime/rpc/peer.h"
#include "troupe/runtime/rpc/portal.h"
#include "troupe/tests/ipc/session_pair.h"

namespace troupe::testing {

class Network;

/// What was said in one dialog so far, as its ends sent it.
class Transcript {
 public:
  /// A frame is sent. Returns what is wrong with that; empty when nothing is. `leaves`: it is a
  /// stop that says so.
  std::string add(bool by_opener, FrameKind kind, bool leaves);
  /// Whether the callee has said its last word.
  bool ended() const noexcept { return ended_; }

 private:
  struct Speaker {
    bool yielded = false, stopped = false, left = false, cancelled = false, acked = false;
  };
  std::string add_stop(Speaker& speaker, bool leaves);
  std::string add_value(bool by_opener, Speaker& speaker);

  bool begun_ = false;
  bool started_ = false;
  bool ended_ = false;
  Speaker opener_, callee_;
};

/// The transcripts of all dialogs of one connection, and what was wrong in them.
struct Transcripts {
  bool watched = true;  ///< False where one end speaks by hand.
  std::map<std::uint64_t, Transcript> dialogs;
  std::vector<std::string> problems;
};

/// One end of the connection.
class Side final : public DialogPort, public SessionEvents {
 public:
  Side(SessionConfig config, Transcripts& transcripts);

  /// Serves the peer's dialogs from now on. Lifetime: it must outlive the dialogs.
  void serve(Dispatcher& dispatcher) noexcept { dispatcher_ = &dispatcher; }
  /// In the place of a dispatcher: what handles the dialogs that the peer opens.
  std::function<DialogHandler*(std::uint64_t)> on_raw_start;

  std::uint64_t open_dialog(DialogHandler& handler) override;
  void close_dialog(std::uint64_t dialog) noexcept override;
  void send(FrameKind kind, std::uint64_t dialog, Bytes payload) override;
  void send_copy(FrameKind kind, std::uint64_t dialog, BytesView payload) override;
  void send_value(std::uint64_t dialog, BytesView octets) override;
  std::size_t queued() const noexcept override { return session.queued(); }
  void wait_for_room() override;
  const Uid& peer() const noexcept override { return session.peer().uid; }
  const Uid& self() const noexcept override { return session.self(); }

  /// Takes leave in order.
  void say_bye();
  /// The network has taken or lost something.
  void on_room() noexcept;
  /// How many frames of a kind were sent in dialogs; of `yield`: how many values, also those that
  /// have shared a frame.
  int sent(FrameKind kind) const noexcept { return sent_[static_cast<std::size_t>(kind)]; }

  Session session;
  Network* network = nullptr;

 private:
  void on_established() override {}
  DialogHandler* on_start(std::uint64_t dialog, BytesView payload) override;
  void on_session_closed(std::exception_ptr why) override;
  void note(FrameKind kind, std::uint64_t dialog, bool leaves);

  Transcripts& transcripts_;
  Dispatcher* dispatcher_ = nullptr;
  std::set<std::uint64_t> open_;
  ParkingLot room_;
  std::array<int, 32> sent_{};
};

/// Carries the messages of two sides, in order for each. Resource.
class Network {
 public:
  Network(Side& connector, Side& acceptor);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Carries everything as soon as no task is ready, until cancelled.
  void run();
  /// Carries messages one by one, each in its own time, until cancelled.
  void run_at_random(std::mt19937_64& random);
  /// Carries everything at once.
  void carry();
  /// Whether there is nothing to carry.
  bool idle() const noexcept;
  /// Stops and goes on.
  void hold(bool held) noexcept;
  /// Loses what is under way and what will come, and tells one side.
  void cut(Side& side);
  /// Tells `run` that there may be something to do.
  void wake() noexcept { news_.unpark_all(); }

 private:
  void step(std::mt19937_64& random);
  void pick_up(int from);
  void deliver(int from);

  Side* ends_[2];
  std::deque<Bytes> wires_[2];
  bool held_ = false;
  bool broken_ = false;
  ParkingLot news_;
};

/// The actor at the other end, for portals.
class PairPeer final : public Peer {
 public:
  explicit PairPeer(Side& side) noexcept : side_(side) {}

  const Uid& uid() const noexcept override { return side_.peer(); }
  const Address& address() const noexcept override { return address_; }
  std::shared_ptr<DialogPort> connect() override;
  bool connected() const noexcept override { return side_.session.established(); }
  std::exception_ptr explain(std::exception_ptr closed) override {
    return on_explain ? on_explain(std::move(closed)) : closed;
  }
  bool cancel_actor(std::chrono::nanoseconds) override { return false; }
  std::chrono::nanoseconds cancel_grace() const noexcept override { return grace; }

  std::function<std::exception_ptr(std::exception_ptr)> on_explain;
  std::chrono::nanoseconds grace = std::chrono::seconds(5);

 private:
  Side& side_;
  Address address_;
};

/// Two sides that have shaken hands, and their network, which a task must still run.
struct DialogPair {
  DialogPair();
  /// The connection is lost, and both ends know at once.
  void cut();

  Transcripts transcripts;
  Side connector, acceptor;
  Network network;
  std::shared_ptr<PairPeer> to_acceptor, to_connector;
};

/// A pair whose acceptor serves what `dispatcher` exposes, for tests with one caller.
struct ServedPair : DialogPair {
  explicit ServedPair(TaskNursery& calls) : dispatcher(acceptor.self(), calls) {
    acceptor.serve(dispatcher);
  }
  /// A portal to the acceptor.
  Portal portal() const { return Portal(to_acceptor); }

  Dispatcher dispatcher;
};

/// Runs `body(pair)`, with a `ServedPair&` that exposes `module`, in virtual time, where a deadlock
/// is an error. Afterwards no dialog may be left, and the grammar must have been kept.
void with_pair(const Module& module, const std::function<void(ServedPair&)>& body);

/// The payload of the `start` that calls `F`.
template <auto F, class... Args>
Bytes request(std::optional<troupe::detail::Window> window, Args&&... args) {
  Bytes out;
  troupe::detail::encode_start<F>(out, window, std::forward<Args>(args)...);
  return out;
}

/// What is still to be said against a connection at its end.
std::vector<std::string> problems_at_end(DialogPair& pair);

}  // namespace troupe::testing
