// SPDX-License-Identifier: Apache-2.0
#pragma once

// A web server and a client, as small as an example can have them: HTTP/1.0 on this host, no
// headers, no errors. For two examples; not for use.

#include <string>

namespace small_web {

/// A socket that is closed at the end. Resource.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  int fd() const { return fd_; }

 private:
  int fd_;
};

/// Listens at a free port of this host.
class Server {
 public:
  Server();

  /// Where the page of that name is: "http://127.0.0.1:<port>/<page>".
  std::string url(const std::string& page) const;
  /// Answers who asks: "<page> 1" to the first that asks for a page, "<page> 2" to the next. Until
  /// cancelled. Checkpoint.
  [[noreturn]] void serve() const;

 private:
  Socket listener_;
  int port_ = 0;
};

/// What a `Server` says at `url`. Checkpoint.
std::string get(const std::string& url);

}  // namespace small_web
