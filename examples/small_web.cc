// SPDX-License-Identifier: Apache-2.0
#include "troupe/examples/small_web.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <map>

#include "troupe/troupe.h"

namespace small_web {
namespace {

int open_socket() { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }

sockaddr_in local_address(int port) {
  return {AF_INET, htons(static_cast<std::uint16_t>(port)), {htonl(INADDR_LOOPBACK)}, {}};
}

std::string read_some(const Socket& socket) {
  char text[1024];
  troupe::wait_readable(socket.fd());
  const ssize_t size = ::read(socket.fd(), text, sizeof text);
  return size > 0 ? std::string(text, text + size) : std::string();
}

void write_all(const Socket& socket, const std::string& text) {
  ::send(socket.fd(), text.data(), text.size(), MSG_NOSIGNAL);
}

}  // namespace

Socket::~Socket() { ::close(fd_); }

Server::Server() : listener_(open_socket()) {
  sockaddr_in address = local_address(0);
  socklen_t size = sizeof address;
  ::bind(listener_.fd(), reinterpret_cast<sockaddr*>(&address), size);
  ::listen(listener_.fd(), 16);
  ::getsockname(listener_.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

std::string Server::url(const std::string& page) const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/" + page;
}

void Server::serve() const {
  for (std::map<std::string, int> asked;;) {
    troupe::wait_readable(listener_.fd());
    const Socket client(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::string request = read_some(client);  // GET /page HTTP/1.0
    const std::size_t begin = request.find('/') + 1;
    const std::string page = request.substr(begin, request.find(' ', begin) - begin);
    write_all(client, "HTTP/1.0 200 OK\r\n\r\n" + page + " " + std::to_string(++asked[page]));
  }
}

std::string get(const std::string& url) {
  const std::size_t host = url.find("//") + 2;
  const std::size_t path = url.find('/', host);
  const sockaddr_in address = local_address(std::stoi(url.substr(url.find(':', host) + 1)));
  const Socket connection(open_socket());
  ::connect(connection.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  write_all(connection, "GET " + url.substr(path) + " HTTP/1.0\r\n\r\n");
  std::string answer;
  for (std::string part; !(part = read_some(connection)).empty();) answer += part;
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

}  // namespace small_web
