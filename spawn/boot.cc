// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/boot.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "troupe/runtime/base/pidfd.h"
#include "troupe/spawn/boot_record.h"
#include "troupe/spawn/death_signal.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/launched.h"
#include "troupe/spawn/zygote.h"

namespace troupe {

namespace {

constexpr std::chrono::milliseconds last_holder_limit{100};

struct Mark {
  int fd = -1;
  pid_t pid = 0;          // the parent's; of a launched process its own
  std::string_view kind;  // empty: a child
};

bool parse_number(std::string_view text, int& value) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc() && result.ptr == end && value >= 0;
}

// The text up to the next colon, which is taken away.
std::string_view take_field(std::string_view& text) {
  const std::string_view field = text.substr(0, text.find(':'));
  text.remove_prefix(std::min(field.size() + 1, text.size()));
  return field;
}

std::optional<Mark> parse_mark(std::string_view text) {
  Mark mark;
  if (!parse_number(take_field(text), mark.fd) || !parse_number(take_field(text), mark.pid)) {
    return std::nullopt;
  }
  for (const char* kind : {"", detail::zygote_mark, detail::launched_mark}) {
    if (text != kind) continue;
    mark.kind = kind;
    return mark;
  }
  return std::nullopt;
}

std::optional<Mark> take_mark() {
  const char* text = std::getenv(detail::child_mark);
  if (text == nullptr) return std::nullopt;
  const std::optional<Mark> mark = parse_mark(text);
  ::unsetenv(detail::child_mark);
  return mark;
}

// Whether the descriptor is a socket pair that the process of the mark has made: nothing else that
// happens to be open under that number passes.
bool is_lifeline_from(const Mark& mark) {
  ucred creator{};
  socklen_t size = sizeof creator;
  return ::getsockopt(mark.fd, SOL_SOCKET, SO_PEERCRED, &creator, &size) == 0 &&
         creator.pid == mark.pid;
}

// A sibling that is just being executed may hold a dead parent's end for a moment.
bool hangs_up(int fd) {
  pollfd look{fd, POLLRDHUP, 0};
  return ::poll(&look, 1, static_cast<int>(last_holder_limit.count())) == 1;
}

[[noreturn]] void fail(const Mark& mark, const char* what) {
  throw SpawnFailed("this process (pid " + std::to_string(::getpid()) +
                    ") was started as an actor by process " + std::to_string(mark.pid) + ", but " +
                    what);
}

// Its record is there, if the parent has lived to write it.
[[noreturn]] void fail_as_orphan(const Mark& mark, int lifeline, const BootHooks& hooks) {
  if (hooks.orphaned != nullptr && hangs_up(lifeline)) {
    try {
      hooks.orphaned(detail::read_boot_record(lifeline));
    } catch (const std::exception&) {  // little can be told of one that is not whole
    }
  }
  fail(mark, "that has died meanwhile");
}

// A mark that names another parent is either stale, that is inherited through some program in
// between, or it is ours and the parent has died so early that we are an orphan already. Running
// on as a root would start the user's program anew, so an orphan must be told apart: it holds the
// life-line, whose other end is closed.
bool is_for_this_process(const Mark& mark, const BootHooks& hooks) {
  const bool lifeline_is_here = is_lifeline_from(mark);
  if (mark.pid == ::getppid()) {
    if (!lifeline_is_here) {
      fail(mark,
           "its life-line is not there: something in this program closes descriptors that it has "
           "not opened before troupe's `init` or `run`; call these first");
    }
    return true;
  }
  if (lifeline_is_here && hangs_up(mark.fd)) fail_as_orphan(mark, mark.fd, hooks);
  return false;
}

// Returns its pidfd.
UniqueFd die_with_parent(const Mark& mark, int lifeline, const BootHooks& hooks) {
  detail::arm_death_signal();
  UniqueFd parent = detail::open_pidfd(mark.pid);
  // It may have died before the signal was armed, which then never comes.
  if (::getppid() != mark.pid) fail_as_orphan(mark, lifeline, hooks);
  return parent;
}

// From before the program's own initialisers on, which may hang: a child must not outlive its
// parent there either.
[[gnu::constructor(101)]] void die_with_parent_from_the_first() {
  const char* text = std::getenv(detail::child_mark);
  if (text == nullptr) return;
  const std::optional<Mark> mark = parse_mark(text);
  if (!mark || mark->kind == detail::launched_mark) return;
  if (mark->pid != ::getppid() && !(is_lifeline_from(*mark) && hangs_up(mark->fd))) return;
  detail::arm_death_signal();
  if (::getppid() != mark->pid) detail::raise_death_signal();
}

}  // namespace

std::optional<Boot> take_boot_record(const BootHooks& hooks) {
  const std::optional<Mark> mark = take_mark();
  if (mark && mark->kind == detail::launched_mark) {
    if (mark->pid != ::getpid()) return std::nullopt;
    UniqueFd lifeline = detail::take_launched_lifeline(mark->fd);
    Bytes blob = detail::read_boot_record(lifeline.get());
    return Boot{std::move(blob), std::move(lifeline), UniqueFd(), 0};
  }
  if (!mark || !is_for_this_process(*mark, hooks)) return std::nullopt;
  UniqueFd lifeline(mark->fd);
  ::fcntl(lifeline.get(), F_SETFD, FD_CLOEXEC);
  UniqueFd parent = die_with_parent(*mark, lifeline.get(), hooks);
  Bytes blob = detail::read_boot_record(lifeline.get());
  if (mark->kind == detail::zygote_mark) {
    if (hooks.before_forks != nullptr) hooks.before_forks();
    detail::disarm_death_signal();
    lifeline = detail::serve_as_zygote(std::move(lifeline), std::move(parent), [&] {
      if (hooks.orphaned != nullptr) hooks.orphaned(blob);
    });
    parent = die_with_parent(*mark, lifeline.get(), hooks);  // anew, for the child
    blob = detail::read_boot_record(lifeline.get());
  }
  return Boot{std::move(blob), std::move(lifeline), std::move(parent), mark->pid};
}

}  // namespace troupe
