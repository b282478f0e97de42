// SPDX-License-Identifier: Apache-2.0

// The network fails in the middle of a stream: here the child cuts its own connections. Its caller
// gets TransportClosed behind the last value that came, the child's task is cancelled, as nobody is
// there any more to send to, and Ctrl-C leaves nothing behind. Prints:
//
//   values come
//   the connection is lost
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

// Whether a descriptor is one end of a connection to a socket file.
bool is_connection(int fd) {
  sockaddr_un local{}, remote{};
  socklen_t local_size = sizeof local, remote_size = sizeof remote;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &local_size) != 0) return false;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&remote), &remote_size) != 0) return false;
  return local_size > sizeof(sa_family_t) || remote_size > sizeof(sa_family_t);
}

void cut_connections() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    if (fd > 2 && is_connection(fd)) ::shutdown(fd, SHUT_RDWR);
  }
}

void fragile(troupe::Sink<int> out) {
  for (int i = 0;; ++i) {
    out.send(i);
    troupe::sleep(1ms);
    if (i == 50) cut_connections();
  }
}

inline const auto& streams = troupe::module<"streams", &fragile>;

void listen(const troupe::Portal& child) {
  try {
    child.open_stream<&fragile>([](troupe::ReceiveStream<int>& values) {
      if (values.receive() == 0) std::cout << "values come" << std::endl;
      while (values.next()) {
      }
    });
  } catch (const troupe::TransportClosed& closed) {
    if (closed.reason() != troupe::TransportClosed::Reason::lost) throw;
    std::cout << "the connection is lost" << std::endl;
  }
}

int main(int argc, char** argv) {
  const int code = troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      listen(n.start_actor("child", {.enable_modules = {streams}}));
      std::raise(SIGINT);
      troupe::sleep_forever();
    });
  });
  std::cout << "Ctrl-C: exit code " << code << std::endl;
  return code == 130 ? 0 : 1;
}
