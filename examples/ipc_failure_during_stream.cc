// SPDX-License-Identifier: Apache-2.0

// The network fails in the middle of a stream: here the child cuts its own connections. Both sides
// get TransportClosed, the receiver behind the last value that came. A new call makes a new
// connection, and Ctrl-C leaves nothing behind. Prints:
//
//   values come
//   the connection is lost
//   the sender has heard of it, too
//   Ctrl-C: exit code 130

#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <string>

#include "troupe/troupe.h"

using namespace std::chrono_literals;

// Ends all connections that lead to a socket file.
void cut_connections() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    sockaddr_un peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (size > sizeof(sa_family_t)) ::shutdown(fd, SHUT_RDWR);
  }
}

troupe::Event sender_has_heard;  // in the child

void fragile(troupe::Sink<int> out) {
  try {
    for (int i = 0;; ++i) {
      out.send(i);
      i < 50 ? troupe::sleep(1ms) : cut_connections();
    }
  } catch (const troupe::TransportClosed&) {
    sender_has_heard.set();
    throw;
  }
}

void wait_for_sender() { sender_has_heard.wait(); }

inline const auto& streams = troupe::module<"streams", &fragile, &wait_for_sender>;

void listen(const troupe::Portal& child) {
  try {
    child.open_stream<&fragile>([](troupe::ReceiveStream<int>& values) {
      if (values.receive() == 0) std::cout << "values come" << std::endl;
      for (;;) values.receive();
    });
  } catch (const troupe::TransportClosed& closed) {
    if (closed.reason() != troupe::TransportClosed::Reason::lost) throw;
    std::cout << "the connection is lost" << std::endl;
  }
}

int main(int argc, char** argv) {
  const int code = troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      const troupe::Portal child = n.start_actor("child", {.enable_modules = {streams}});
      listen(child);
      child.run<&wait_for_sender>();
      std::cout << "the sender has heard of it, too" << std::endl;
      std::raise(SIGINT);
      troupe::sleep_forever();
    });
  });
  std::cout << "Ctrl-C: exit code " << code << std::endl;
  return code == 130 ? 0 : 1;
}
