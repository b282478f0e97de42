// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/zmq_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "troupe/ipc/limits.h"
#include "troupe/ipc/unread_messages.h"
#include "troupe/runtime/base/error.h"

namespace troupe {

namespace {

// Each possible one costs every actor memory at its start.
constexpr int max_sockets = 1020;
// A channel or a listener has three: its own, its monitor's and the monitor's reader. Some of those
// that were closed a moment ago are not gone yet.
constexpr long users_per_context = max_sockets / 3 - 40;
// Messages that may wait in a pipe, each way: enough to keep the I/O thread busy, few enough that
// what is queued behind a large value is not far behind.
constexpr int pipe_messages = 24;
// Of a connection between hosts: with some to spare.
constexpr int remote_pipe_messages = UnreadMessages::most_messages + 32;
// How far libzmq's limit of a handshake is behind ours, which can say why it ended.
constexpr std::chrono::seconds behind_ours{1};

struct Context {
  std::unique_ptr<zmq::context_t> context = std::make_unique<zmq::context_t>(1, max_sockets);
  pid_t owner = ::getpid();

  ~Context() {
    // After a fork its threads are the parent's alone: ending it here would wait for them for ever.
    if (owner != ::getpid()) static_cast<void>(context.release());
  }
};

}  // namespace

std::shared_ptr<zmq::context_t> shared_context() {
  static std::mutex mutex;
  static std::vector<std::weak_ptr<Context>> contexts;
  const std::lock_guard lock(mutex);
  std::erase_if(contexts, [](const auto& context) { return context.expired(); });
  for (const std::weak_ptr<Context>& each : contexts) {
    const std::shared_ptr<Context> context = each.lock();
    const bool has_room = context != nullptr && context.use_count() <= users_per_context;
    if (has_room && context->owner == ::getpid()) return {context, context->context.get()};
  }
  const auto context = std::make_shared<Context>();
  contexts.push_back(context);
  return {context, context->context.get()};
}

zmq::socket_t make_socket(zmq::context_t& context, zmq::socket_type type) {
  try {
    zmq::socket_t socket(context, type);
    socket.set(zmq::sockopt::linger, 0);
    return socket;
  } catch (const zmq::error_t& error) {
    throw Error(std::string("no further ZeroMQ socket can be made: ") + error.what() +
                "; raise the limit of open files (ulimit -n), or have fewer connections at once");
  }
}

void limit_socket(zmq::socket_t& socket, std::chrono::milliseconds handshake_timeout) {
  socket.set(zmq::sockopt::maxmsgsize, static_cast<int64_t>(max_message_size));
  socket.set(zmq::sockopt::sndhwm, pipe_messages);
  socket.set(zmq::sockopt::rcvhwm, pipe_messages);
  const std::chrono::milliseconds limit = handshake_timeout + behind_ours;
  socket.set(zmq::sockopt::handshake_ivl, static_cast<int>(limit.count()));
}

void hold_many_messages(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::rcvhwm, remote_pipe_messages);
}

void hold_few_messages(zmq::socket_t& socket) { socket.set(zmq::sockopt::rcvhwm, pipe_messages); }

bool try_receive(zmq::socket_t& socket, zmq::message_t& message) {
  while (zmq_msg_recv(message.handle(), socket.handle(), ZMQ_DONTWAIT) < 0) {
    if (zmq_errno() == EAGAIN) return false;
    if (zmq_errno() != EINTR) throw zmq::error_t();
  }
  return true;
}

void drop_rest(zmq::socket_t& socket, zmq::message_t& message) {
  while (message.more() && try_receive(socket, message)) {
  }
}

sockaddr_un unix_name(const std::string& path) noexcept {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  return name;
}

int look_at(zmq::socket_t& socket) noexcept {
  int events = 0;
  std::size_t size = sizeof events;
  while (zmq_getsockopt(socket.handle(), ZMQ_EVENTS, &events, &size) != 0) {
    if (zmq_errno() != EINTR) return 0;
  }
  return events;
}

}  // namespace troupe
