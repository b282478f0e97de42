// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/connection.h"

#include <utility>

#include "troupe/ipc/line.h"

namespace troupe {

Connection::Connection(std::unique_ptr<detail::Line> line) : line_(std::move(line)) {
  line_->attach(*this);
}

Connection::~Connection() = default;

const Uid& Connection::peer() const noexcept { return line_->session().peer().uid; }

Address Connection::peer_address() const {
  const std::string& address = line_->session().peer().address;
  return address.empty() ? Address() : Address::parse(address);
}

int Connection::peer_pid() const noexcept { return static_cast<int>(line_->session().peer().pid); }

const std::string& Connection::build_id() const noexcept {
  return line_->session().peer().build_id;
}

std::string Connection::peer_text() const { return line_->session().peer_text(); }

bool Connection::open() const noexcept {
  return line_->session().established() && !line_->session().leaving();
}

std::exception_ptr Connection::why() const noexcept { return line_->session().why(); }

std::uint64_t Connection::open_dialog(DialogHandler& handler) {
  return line_->session().open_dialog(handler);
}

void Connection::close_dialog(std::uint64_t dialog) noexcept {
  line_->session().close_dialog(dialog);
}

void Connection::send(FrameKind kind, std::uint64_t dialog, Bytes payload) {
  line_->session().send(kind, dialog, std::move(payload));
  line_->queued();
}

void Connection::send_copy(FrameKind kind, std::uint64_t dialog, BytesView payload) {
  line_->session().send_copy(kind, dialog, payload);
  line_->queued();
}

void Connection::send_value(std::uint64_t dialog, BytesView octets) {
  line_->session().send_value(dialog, octets);
  line_->queued();
}

void Connection::wait_for_room() { line_->wait_for_room(); }

const Uid& Connection::self() const noexcept { return line_->session().self(); }

void Connection::flush() noexcept { line_->flush(); }

std::size_t Connection::queued() const noexcept { return line_->session().queued(); }

void Connection::say_bye() {
  line_->session().say_bye();
  line_->queued();
}

void Connection::wait_closed() { line_->ended.wait(); }

ConnectionStatistics Connection::statistics() const {
  const SessionStatistics session = line_->session().statistics();
  ConnectionStatistics counts;
  counts.open_dialogs = session.open_dialogs;
  counts.partial_payloads = session.partial_payloads;
  counts.queued_octets = session.queued_octets;
  counts.frames_received = session.frames_received;
  counts.frames_sent = session.frames_sent;
  counts.late_frames = session.late_frames;
  return counts;
}

}  // namespace troupe
