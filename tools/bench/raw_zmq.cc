// SPDX-License-Identifier: Apache-2.0
#include "troupe/tools/bench/raw_zmq.h"

#include <sched.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "troupe/tools/bench/measure.h"

namespace troupe::bench {
namespace {

constexpr const char* peer_mark = "--raw-zmq-peer";

// More than any measurement has under way: a ROUTER drops what goes beyond.
constexpr int queue_length = 10'000;

void set_up(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndhwm, queue_length);
  socket.set(zmq::sockopt::rcvhwm, queue_length);
}

// Sleeps in epoll until a socket may have something, as a loop does.
class SocketWait {
 public:
  explicit SocketWait(zmq::socket_t& socket) : socket_(socket), epoll_(::epoll_create1(0)) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket.get(zmq::sockopt::fd), &event);
  }
  ~SocketWait() { ::close(epoll_); }

  void receive(zmq::message_t& message) {
    while (!socket_.recv(message, zmq::recv_flags::dontwait)) {
      if ((socket_.get(zmq::sockopt::events) & ZMQ_POLLIN) != 0) continue;
      epoll_event event{};
      ::epoll_wait(epoll_, &event, 1, -1);
    }
  }

 private:
  zmq::socket_t& socket_;
  int epoll_;
};

// The other process: a DEALER that echoes, or one that sends `count` values once it is told to.
int echo(zmq::socket_t& socket) {
  SocketWait wait(socket);
  for (zmq::message_t message;;) {
    wait.receive(message);
    if (message.size() == 1) return 0;  // the end
    socket.send(message, zmq::send_flags::none);
  }
}

int produce(zmq::socket_t& socket, long count, std::size_t size) {
  zmq::message_t go;
  static_cast<void>(socket.recv(go));
  const std::vector<char> value(size, 'v');
  for (long i = 0; i < count; ++i) socket.send(zmq::buffer(value), zmq::send_flags::none);
  static_cast<void>(socket.recv(go));
  return 0;
}

// The measuring process: a ROUTER with one peer.
class Router {
 public:
  Router(const char* role, long count, std::size_t size) : socket_(context_, ZMQ_ROUTER) {
    set_up(socket_);
    char folder[] = "/tmp/raw-zmq-XXXXXX";
    folder_ = ::mkdtemp(folder);
    const std::string address = "ipc://" + folder_ + "/s";
    socket_.bind(address);
    const std::string counts = std::to_string(count);
    const std::string sizes = std::to_string(size);
    const char* argv[] = {"raw",          peer_mark,     role,   address.c_str(),
                          counts.c_str(), sizes.c_str(), nullptr};
    ::posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, const_cast<char**>(argv), environ);
    static_cast<void>(socket_.recv(identity_));  // its first message
    zmq::message_t hello;
    static_cast<void>(socket_.recv(hello));
  }
  ~Router() {
    send("e", 1);
    ::waitpid(pid_, nullptr, 0);
    ::unlink((folder_ + "/s").c_str());
    ::rmdir(folder_.c_str());
  }

  void send(const void* data, std::size_t size) {
    socket_.send(zmq::buffer(identity_.data(), identity_.size()), zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(data, size), zmq::send_flags::none);
  }
  void receive(SocketWait& wait, zmq::message_t& message) {
    wait.receive(message);  // the identity; the rest is there with it
    static_cast<void>(socket_.recv(message));
  }
  void receive_blocking(zmq::message_t& message) {
    static_cast<void>(socket_.recv(message));
    static_cast<void>(socket_.recv(message));
  }
  zmq::socket_t& socket() { return socket_; }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::string folder_;
  pid_t pid_ = 0;
  zmq::message_t identity_;
};

}  // namespace

std::optional<int> run_raw_peer(int argc, char** argv) {
  if (argc != 6 || std::strcmp(argv[1], peer_mark) != 0) return std::nullopt;
  zmq::context_t context;
  zmq::socket_t socket(context, ZMQ_DEALER);
  set_up(socket);
  socket.connect(argv[3]);
  socket.send(zmq::str_buffer("hello"), zmq::send_flags::none);
  const bool echoes = std::strcmp(argv[2], "echo") == 0;
  return echoes ? echo(socket)
                : produce(socket, std::atol(argv[4]), static_cast<std::size_t>(std::atol(argv[5])));
}

double raw_round_trip(long count, std::size_t size) {
  Router router("echo", count, size);
  SocketWait wait(router.socket());
  const std::vector<char> value(size, 'v');
  zmq::message_t answer;
  return nanoseconds_each(count, [&] {
    for (long i = 0; i < count; ++i) {
      router.send(value.data(), value.size());
      router.receive(wait, answer);
    }
  });
}

double raw_connect(long count) {
  char folder[] = "/tmp/raw-zmq-XXXXXX";
  const std::string path = std::string(::mkdtemp(folder)) + "/s";
  zmq::context_t there;
  zmq::socket_t router(there, ZMQ_ROUTER);
  router.bind("ipc://" + path);
  std::thread server([&router] {
    for (zmq::message_t id, request;;) {
      static_cast<void>(router.recv(id));
      static_cast<void>(router.recv(request));
      if (request.size() == 1) return;  // the end
      router.send(id, zmq::send_flags::sndmore);
      router.send(request, zmq::send_flags::none);
    }
  });
  zmq::context_t here;
  std::vector<zmq::socket_t> kept;
  const auto connect_and_send = [&](zmq::const_buffer request) -> zmq::socket_t& {
    zmq::socket_t& dealer = kept.emplace_back(here, ZMQ_DEALER);
    set_up(dealer);
    dealer.connect("ipc://" + path);
    dealer.send(request, zmq::send_flags::none);
    return dealer;
  };
  const double each = nanoseconds_each(count, [&] {
    for (zmq::message_t answer; kept.size() < static_cast<std::size_t>(count);) {
      static_cast<void>(connect_and_send(zmq::str_buffer("a request")).recv(answer));
    }
  });
  connect_and_send(zmq::str_buffer("e"));
  server.join();
  ::unlink(path.c_str());
  ::rmdir(folder);
  return each;
}

double raw_calls(long count, std::size_t size, int in_flight) {
  Router router("echo", count, size);
  SocketWait wait(router.socket());
  const std::vector<char> value(size, 'v');
  zmq::message_t answer;
  const double each = nanoseconds_each(count, [&] {
    for (int i = 0; i < in_flight; ++i) router.send(value.data(), value.size());
    for (long i = 0; i < count; ++i) {
      router.receive(wait, answer);
      if (i + in_flight < count) router.send(value.data(), value.size());
    }
  });
  return 1e9 / each;
}

double raw_stream(long count, std::size_t size) {
  Router router("produce", count, size);
  router.send("go", 2);
  zmq::message_t value;
  const double each = nanoseconds_each(count, [&] {
    for (long i = 0; i < count; ++i) router.receive_blocking(value);
  });
  return 1e9 / each;
}

void use_one_cpu(bool one) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu = 0; cpu < (one ? 1 : CPU_SETSIZE); ++cpu) CPU_SET(cpu, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

}  // namespace troupe::bench
