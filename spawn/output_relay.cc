// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/output_relay.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <utility>

#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/fd_wait.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/pipe.h"
#include "troupe/runtime/fiber/system_task.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/outputs.h"

namespace troupe::detail {

namespace {

// Between two looks at an output that takes nothing. It cannot be waited for: it may be a file, and
// several relays write to it.
constexpr auto clogged_pause = std::chrono::milliseconds(10);
// How long the last of it may hold up the end of the run.
constexpr int last_flush_limit_ms = 1000;
constexpr std::size_t max_line = 64 * 1024;
// A pipe holds 64 KiB; more can only come from a process that the dead child has left behind.
constexpr int max_reads_at_death = 64;

bool is_writable(int fd, int timeout_ms) {
  pollfd look{fd, POLLOUT, 0};
  return ::poll(&look, 1, timeout_ms) == 1;
}

// What a pipe that is writable takes without blocking; cut after a line where there is one, so that
// the lines of several processes do not mix.
std::string_view next_chunk(std::string_view text) {
  if (text.size() <= PIPE_BUF) return text;
  text = text.substr(0, PIPE_BUF);
  const std::size_t end = text.rfind('\n');
  return end == std::string_view::npos ? text : text.substr(0, end + 1);
}

}  // namespace

OutputRelay::OutputRelay(UniqueFd pipe, int target, std::string prefix)
    : pipe_(std::move(pipe)),
      target_(target),
      prefix_(std::move(prefix)),
      passes_on_(is_meant_for_children(target)) {
  ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
}

OutputRelay::~OutputRelay() { close(); }

void OutputRelay::start(std::string task_name) {
  start_system_task(std::move(task_name), [self = shared_from_this()] { self->carry(); });
}

void OutputRelay::carry() {
  try {
    for (;;) {
      while (!flush()) sleep(clogged_pause);
      if (!pipe_) return;
      if (take()) {
        checkpoint();
      } else if (pending_.empty()) {
        wait_for_more();
      }
    }
  } catch (const Cancelled&) {
    flush_rest();
    throw;
  } catch (const std::exception& error) {  // an error of a system task would end the run
    log_message(LogLevel::warning, "spawn",
                std::string("the output of an actor is no longer passed on: ") + error.what());
    close();
  }
}

void OutputRelay::drain() noexcept {
  try {
    for (int i = 0; i < max_reads_at_death && pipe_ && take(); ++i) {
    }
    flush();
  } catch (const std::exception&) {  // no memory: the task tries again
  }
}

// Returns false when there is nothing to be read at present.
bool OutputRelay::take() {
  char buffer[4096];
  ssize_t got;
  do {
    got = ::read(pipe_.get(), buffer, sizeof buffer);
  } while (got < 0 && errno == EINTR);
  more_follows_ = got == sizeof buffer;
  if (got < 0 && errno == EAGAIN) return false;
  if (got > 0) {
    accept({buffer, static_cast<std::size_t>(got)});
  } else {
    if (!line_.empty()) emit_line();
    close();
  }
  return true;
}

void OutputRelay::accept(std::string_view octets) {
  tail_.add(octets);
  if (!passes_on_) return;
  if (prefix_.empty()) {
    pending_ += octets;
    return;
  }
  for (std::size_t end; (end = octets.find('\n')) != std::string_view::npos;) {
    line_ += octets.substr(0, end);
    octets.remove_prefix(end + 1);
    emit_line();
  }
  line_ += octets;
  if (line_.size() >= max_line) emit_line();
}

void OutputRelay::emit_line() {
  pending_ += prefix_;
  pending_ += line_;
  pending_ += '\n';
  line_.clear();
}

// What is due: not the beginning of a line whose end comes with the next look, or the lines of
// other actors could come between.
std::string_view OutputRelay::due() const {
  const std::string_view all = pending_;
  if (!more_follows_ || all.size() >= max_line) return all;
  return all.substr(0, all.rfind('\n') + 1);  // nothing, where there is none
}

// Writes what can be written at once; returns whether that was all that is due.
bool OutputRelay::flush() {
  std::string_view rest = due();
  const std::size_t kept = pending_.size() - rest.size();
  while (!rest.empty() && is_writable(target_, 0)) {
    const std::string_view chunk = next_chunk(rest);
    const ssize_t written = write_quietly(target_, chunk.data(), chunk.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      give_up(errno);
      rest = {};
    }
  }
  pending_.erase(0, pending_.size() - kept - rest.size());
  return rest.empty();
}

// A full disk may have room again; a pipe that nobody reads stays so.
void OutputRelay::give_up(int error) {
  passes_on_ = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO;
  if (!passes_on_ || std::exchange(said_what_is_lost_, true)) return;
  log_message(LogLevel::warning, "spawn",
              "some of the output of actors is lost: " + errno_text(error));
}

void OutputRelay::flush_rest() noexcept {
  while (!flush() && is_writable(target_, last_flush_limit_ms)) {
  }
}

void OutputRelay::wait_for_more() {
  const BackgroundWait background;
  try {
    wait_readable(pipe_.get());
  } catch (const UsageError&) {
    if (pipe_) throw;  // else `drain` has met the end and closed it
  }
}

// The loop remembers descriptors by their numbers, which are given out again.
void OutputRelay::close() noexcept {
  more_follows_ = false;
  if (pipe_ && Loop::try_current() != nullptr) notify_closing(pipe_.get());
  pipe_.reset();
}

}  // namespace troupe::detail
