// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/doors.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "troupe/ipc/zmq_socket.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {

namespace {

// Who has stood for this time is likely to be there for longer.
constexpr std::chrono::milliseconds patience{50};

bool somebody_knocks(const UniqueFd& fd) noexcept {
  pollfd look{fd.get(), POLLIN, 0};
  return ::poll(&look, 1, 0) > 0;
}

// Returns the error, 0 for none.
int listen_at(const std::string& path, UniqueFd& fd) noexcept {
  fd.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno;
  const sockaddr_un name = unix_name(path);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) return errno;
  return ::listen(fd.get(), accept_backlog) == 0 ? 0 : errno;
}

}  // namespace

Doors::Doors(Pump& pump, Pollable& owner)
    : pump_(pump), owner_(owner), deadlines_(Loop::current().deadlines()) {
  patience_.doors = this;
  patience_.fire = [](DeadlineEntry& entry) noexcept {
    static_cast<Patience&>(entry).doors->wait_no_longer();
  };
  deadlines_.add(patience_, current_time() + patience);
}

Doors::~Doors() {
  deadlines_.remove(patience_);
  for (const Door& door : doors_) pump_.remove(door.fd.get());
}

int Doors::open(const Address& address) {
  UniqueFd fd;
  if (const int error = listen_at(address.path(), fd); error != 0) return error;
  pump_.add(fd.get(), owner_);
  doors_.push_back({address, std::move(fd)});
  return 0;
}

void Doors::wait_no_longer() noexcept {
  all_due_ = true;
  pump_.mark_ready(owner_);
}

bool Doors::close(const Address& address) noexcept {
  const auto found = std::ranges::find(doors_, address, &Door::address);
  if (found == doors_.end()) return false;
  pump_.remove(found->fd.get());
  doors_.erase(found);
  return true;
}

const Doors::Door* Doors::due() const noexcept {
  const auto found = std::ranges::find_if(
      doors_, [&](const Door& door) { return all_due_ || somebody_knocks(door.fd); });
  return found == doors_.end() ? nullptr : &*found;
}

void Doors::hand_over(const Door& door) noexcept {
  const auto at = doors_.begin() + (&door - doors_.data());
  pump_.remove(at->fd.get());
  static_cast<void>(at->fd.release());
  doors_.erase(at);
}

}  // namespace troupe
