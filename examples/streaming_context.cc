// SPDX-License-Identifier: Apache-2.0

// An actor asks a web server for a page, so many times a second, and streams what it gets. The
// server is a task of this very program. Prints "page 1", "page 2" and "page 3", one a line.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <string>

#include "troupe/troupe.h"

struct Socket {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ~Socket() { ::close(fd); }
};

sockaddr_in local_address(int port) {
  return {AF_INET, htons(static_cast<std::uint16_t>(port)), {htonl(INADDR_LOOPBACK)}, {}};
}

std::string read_some(int fd) {
  char text[1024];
  troupe::wait_readable(fd);
  const ssize_t size = ::read(fd, text, sizeof text);
  return size > 0 ? std::string(text, text + size) : std::string();
}

std::string get(const std::string& url) {  // http://127.0.0.1:<port>
  const Socket connection;
  const sockaddr_in address = local_address(std::stoi(url.substr(url.rfind(':') + 1)));
  ::connect(connection.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::send(connection.fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL);
  std::string answer;
  for (std::string part; !(part = read_some(connection.fd)).empty();) answer += part;
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

void streamer(troupe::Sink<std::string> out, const std::string& url, double rate) {
  for (;;) {
    out.send(get(url));
    troupe::sleep(std::chrono::duration<double>(1 / rate));
  }
}

inline const auto& polling = troupe::module<"polling", &streamer>;

void serve_pages(int listener) {
  for (int page = 1;; ++page) {
    troupe::wait_readable(listener);
    const Socket client{::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
    read_some(client.fd);
    const std::string answer = "HTTP/1.0 200 OK\r\n\r\npage " + std::to_string(page);
    ::send(client.fd, answer.data(), answer.size(), MSG_NOSIGNAL);
  }
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    const Socket listener;
    sockaddr_in address = local_address(0);
    socklen_t size = sizeof address;
    ::bind(listener.fd, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener.fd, 16);
    ::getsockname(listener.fd, reinterpret_cast<sockaddr*>(&address), &size);
    const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      n.start_soon("web server", [fd = listener.fd] { serve_pages(fd); });
      troupe::Portal poller = n.start_actor("poller", {.enable_modules = {polling}});
      poller.open_stream<&streamer>(url, 100.0, [](troupe::ReceiveStream<std::string>& pages) {
        for (int i = 0; i < 3; ++i) std::cout << pages.receive() << std::endl;
      });
      n.cancel();
    });
  });
}
