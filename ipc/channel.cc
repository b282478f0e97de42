// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/channel.h"

#include <cerrno>
#include <utility>

#include "troupe/ipc/connection.h"
#include "troupe/ipc/probe.h"
#include "troupe/ipc/zmq_socket.h"

namespace troupe {

namespace {

using Reason = TransportClosed::Reason;

}  // namespace

Channel::Channel(std::unique_ptr<Dial> dial, Pump& pump)
    : dial_(std::move(dial)),
      pump_(pump),
      socket_(dial_->socket),
      monitor_(dial_->events, pump, *this) {}

Channel::~Channel() {
  if (connection_ == nullptr) return;
  pump_.remove(socket_.get(zmq::sockopt::fd));
  connection_->line().detach();
}

void Channel::retire() noexcept {
  pump_.remove(socket_.get(zmq::sockopt::fd));
  monitor_.silence();
  connection_->line().detach();
}

void Channel::start(std::shared_ptr<Connection> connection) {
  pump_.add(socket_.get(zmq::sockopt::fd), *this);
  connection_ = std::move(connection);
  connection_->line().queued();  // the hello
}

bool Channel::finished() const noexcept { return connection_->line().session().closed(); }

void Channel::give_up(const std::string& how) {
  connection_->line().session().disconnected(Reason::unreachable, how);
}

bool Channel::drain() {
  if (monitor_.signalled()) read_monitor();
  const Reading reading = read_messages();
  retry_output();
  // Everything that came before the connection broke has been read by now.
  if (reading == Reading::empty && lost_) {
    Session& session = connection_->line().session();
    if (session.established()) {
      session.disconnected(Reason::lost, "the connection to " + session.peer_text() +
                                             " was lost: it has died, or closed without a word");
    } else {
      give_up("no connection to " + address().str() +
              ": what listens there closed it during the handshake; check that it is a troupe "
              "actor");
    }
  }
  if (breaking_ && !lost_) check_pipe();
  return reading == Reading::more;
}

// The monitor tells that the connection broke a moment before the last messages get into the pipe,
// and after that, that it could be tried again.
void Channel::read_monitor() {
  for (Monitor::Event event; monitor_.next(event);) {
    switch (event.what) {
      case ZMQ_EVENT_DISCONNECTED:
        breaking_ = true;
        break;
      case ZMQ_EVENT_CONNECT_RETRIED:
      case ZMQ_EVENT_CLOSED:
        if (breaking_) {
          lost_ = true;
        } else {
          on_connect_failed();
        }
        break;
      default:
        lost_ = true;
    }
  }
}

// A peer that breaks ZeroMQ's own protocol is not tried again; its pipe ends instead.
void Channel::check_pipe() {
  if ((look_at(socket_) & ZMQ_POLLOUT) == 0) lost_ = true;
  pump_.mark_touched(*this);  // an edge may have been swallowed
  if (lost_) pump_.mark_ready(*this);
}

void Channel::on_connect_failed() {
  if (finished()) return;
  const Fault fault = why_unreachable(address());
  may_retry_ = fault.passing;
  give_up("no connection to " + address().str() + ": " + fault.text);
}

Reading Channel::read_messages() {
  zmq::message_t message;
  std::size_t octets = 0;
  for (int i = 0; i < messages_per_turn && octets < octets_per_turn; ++i) {
    if (!try_receive(socket_, message)) {
      pace_.emptied(i);
      return Reading::empty;
    }
    octets += message.size();
    if (!message.more()) {
      connection_->line().receive(octets_of(message));
      if (breaking_ || lost_ || !pace_.rest()) continue;
      pump_.mark_touched(*this);
      return Reading::resting;
    }
    drop_rest(socket_, message);
    connection_->line().session().reject("a message in several parts");
  }
  return Reading::more;
}

// Whatever is asked of the socket may swallow an edge of the other direction; so both are asked for
// at once, last of all.
bool Channel::look() noexcept {
  for (;;) {
    retry_output();
    const int events = look_at(socket_);
    pace_.looked((events & ZMQ_POLLIN) != 0);
    if (!full_ || (events & ZMQ_POLLOUT) == 0) return (events & ZMQ_POLLIN) != 0;
  }
}

void Channel::retry_output() noexcept {
  if (!full_) return;
  full_ = false;
  connection_->line().flush();
}

bool Channel::try_send(zmq::message_t& message) {
  while (zmq_msg_send(message.handle(), socket_.handle(), ZMQ_DONTWAIT) < 0) {
    // The room may have come with a command that nobody has processed yet.
    const int events = zmq_errno() == EAGAIN || zmq_errno() == EINTR ? look_at(socket_) : 0;
    if ((events & ZMQ_POLLIN) != 0) pump_.mark_ready(*this);
    if ((events & ZMQ_POLLOUT) != 0) continue;
    full_ = true;
    return false;
  }
  pump_.mark_touched(*this);
  return true;
}

}  // namespace troupe
