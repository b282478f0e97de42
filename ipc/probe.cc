// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/probe.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "troupe/ipc/zmq_socket.h"
#include "troupe/runtime/base/unique_fd.h"

namespace troupe {

namespace {

// Connects to a Unix socket and hangs up at once; returns the error number, 0 for success.
int try_connect(const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno;
  const sockaddr_un name = unix_name(path);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 ? 0
                                                                                         : errno;
}

}  // namespace

Fault why_unreachable(const Address& address) {
  if (address.kind() != Address::Kind::ipc) {
    return {"nobody accepts connections there; check that the actor runs, and its address"};
  }
  switch (const int error = try_connect(address.path())) {
    case 0:
    case EAGAIN:
    case EINPROGRESS:
      return {"too many connect at once; try again", true};
    case ENOENT:
      return {"the socket does not exist; the actor has ended, or the address is wrong"};
    case ECONNREFUSED:
      return {"nobody listens at the socket; the actor that made it has died"};
    case EACCES:
      return {"the socket may not be opened; it belongs to another user"};
    default:
      return {std::string(std::strerror(error)) + "; check the address"};
  }
}

Fault why_not_bindable(const Address& address) {
  const std::string path = address.path();
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};  // it is free, or bind says what is wrong
  if (!S_ISSOCK(status.st_mode)) return {"there is a file that is no socket; remove it"};
  // libzmq would replace the file silently, and the first listener would never be found again.
  const int error = try_connect(path);
  if (error == 0 || error == EAGAIN) {
    return {"the address is already in use: another actor listens there; choose another one", false,
            true};
  }
  return {};
}

}  // namespace troupe
