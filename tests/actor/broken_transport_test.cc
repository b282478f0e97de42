// SPDX-License-Identifier: Apache-2.0

// Children that live but whose connections break.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>

#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

using NameOf = int (*)(int, sockaddr*, socklen_t*);

// Whether a descriptor is a socket with a path at that end, as ZeroMQ's are: the life-line and
// pairs have none.
bool has_path(NameOf name_of, int fd) {
  sockaddr_un name{};
  socklen_t size = sizeof name;
  return name_of(fd, reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
         name.sun_family == AF_UNIX && size > sizeof name.sun_family && name.sun_path[0] != '\0';
}

bool listens(int fd) {
  int yes = 0;
  socklen_t size = sizeof yes;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes != 0;
}

void break_connections() {
  for (int fd = 3; fd < 1024; ++fd) {
    if (listens(fd)) continue;
    if (has_path(&::getpeername, fd) || has_path(&::getsockname, fd)) ::shutdown(fd, SHUT_RDWR);
  }
}

std::string own_name() { return troupe::current_actor().name(); }
int own_pid() { return troupe::current_actor().pid(); }

inline const auto& sabotage = troupe::module<"sabotage", &break_connections, &own_name, &own_pid>;

// FLT-04: a child that breaks its own connections is no zombie when its nursery has been left.
TEST(BrokenTransportTest, AChildThatCannotBeReachedIsReaped) {
  int pid = 0;
  troupe::open_root_actor({}, [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      const troupe::Portal child =
          n.start_actor("child", {.enable_modules = {sabotage}, .shutdown = 200ms});
      pid = child.run<&own_pid>();
      EXPECT_THROW(child.run<&break_connections>(), troupe::TransportClosed);
      n.cancel();
    });
  });
  ASSERT_GT(pid, 0);
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

}  // namespace
