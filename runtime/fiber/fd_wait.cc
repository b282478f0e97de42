// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/fd_wait.h"

#include "troupe/runtime/fiber/loop.h"

namespace troupe {

void wait_readable(int fd) { Loop::current().poller().wait_for(fd, Poller::Direction::read); }

void wait_writable(int fd) { Loop::current().poller().wait_for(fd, Poller::Direction::write); }

void notify_closing(int fd) { Loop::current().poller().notify_closing(fd); }

}  // namespace troupe
