// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/fd_watch.h"

#include "troupe/runtime/fiber/loop.h"

namespace troupe {

FdWatch::FdWatch(int fd) : loop_(Loop::current()), fd_(fd) { loop_.poller().add_watch(fd, *this); }

FdWatch::~FdWatch() { loop_.poller().remove_watch(fd_); }

}  // namespace troupe
