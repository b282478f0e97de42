// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/zygote.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

#include "troupe/runtime/base/pidfd.h"
#include "troupe/runtime/base/posix_spawn.h"
#include "troupe/spawn/sibling.h"
#include "troupe/spawn/zygote_protocol.h"

namespace troupe::detail {

namespace {

// As ps shows it: not as an actor.
constexpr const char* zygote_name = "troupe-zygote";

// What a zygote changes of its process, and its children have again. No signal reaches it: Ctrl-C
// is for the root, and handlers of the program's own are for its actors.
class Disguise {
 public:
  Disguise() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &mask_);
    ::prctl(PR_GET_NAME, name_, 0, 0, 0);
    ::prctl(PR_SET_NAME, zygote_name, 0, 0, 0);
  }
  void drop() const {
    ::prctl(PR_SET_NAME, name_, 0, 0, 0);
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }

 private:
  sigset_t mask_;
  char name_[16];
};

constexpr std::chrono::milliseconds last_close_limit{20};
constexpr timeval request_limit{30, 0};

// Ends the process without anything of the program's exit: it has not run as far as that.
[[noreturn]] void end_with_owner(int owner, UniqueFunction<void()>& orphaned) noexcept {
  if (ends_within(owner, last_close_limit)) {
    try {
      orphaned();
    } catch (const std::exception&) {  // nobody is there to hear of it
    }
  }
  ::_exit(0);
}

ZygoteRequest next_request(int control, int owner, UniqueFunction<void()>& orphaned) noexcept {
  // A fork of the owner may keep the socket open.
  pollfd watched[] = {{control, POLLIN, 0}, {owner, POLLIN, 0}};  // -1 is passed over
  while (::poll(watched, 2, -1) < 0) {
  }
  try {
    if (watched[1].revents == 0) {
      if (std::optional<ZygoteRequest> request = receive_request(control)) {
        return *std::move(request);
      }
    }
  } catch (const std::exception&) {  // no memory; the owner finds this zygote ended
  }
  end_with_owner(owner, orphaned);
}

// Returns whether this is the child.
bool fork_for(ZygoteRequest& request, int control) {
  ZygoteAnswer answer;
  answer.id = request.id;
  if (!is_single_threaded()) {
    answer.error = ZygoteAnswer::has_threads;
  } else if (const pid_t pid = fork_sibling(); pid >= 0) {
    answer.pid = pid > 0 ? pid : ::getpid();
    if (pid == 0) {
      answer.from_child = 1;
      send_answer(control, answer);
      return true;
    }
  } else {
    answer.error = errno;
  }
  request.descriptors.clear();  // the next child must not have them
  send_answer(control, answer);
  return false;
}

// Clear of the numbers that are filled next.
UniqueFd out_of_the_way(UniqueFd fd, int control) {
  if (fd.get() > STDERR_FILENO && fd.get() != control) return fd;
  UniqueFd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, control + 1));
  return moved ? std::move(moved) : std::move(fd);
}

// The control socket ends here by being replaced.
UniqueFd place_descriptors(std::vector<UniqueFd> received, UniqueFd control) {
  for (UniqueFd& fd : received) fd = out_of_the_way(std::move(fd), control.get());
  ::dup3(received.at(0).get(), control.get(), O_CLOEXEC);
  ::dup2(received.at(1).get(), STDOUT_FILENO);
  ::dup2(received.at(2).get(), STDERR_FILENO);
  if (received.size() > 3 && ::fchdir(received[3].get()) != 0) {
    // as a program whose directory was taken away: it stays where the zygote is
  }
  return control;
}

// The strings are never freed: handlers at the exit may still ask for variables.
void replace_environment(std::vector<std::string> environment) {
  static std::vector<std::string>* const strings = new std::vector<std::string>;
  static std::vector<char*>* const pointers = new std::vector<char*>;
  *strings = std::move(environment);
  *pointers = pointers_to(*strings);
  ::environ = pointers->data();
}

void draw_seed() {
  unsigned int seed = 0;
  if (::getrandom(&seed, sizeof seed, GRND_NONBLOCK) == static_cast<ssize_t>(sizeof seed)) {
    ::srandom(seed);
  }
}

}  // namespace

UniqueFd serve_as_zygote(UniqueFd control, UniqueFd owner, UniqueFunction<void()> orphaned) {
  // An owner that dies in the middle of a request does not finish it.
  ::setsockopt(control.get(), SOL_SOCKET, SO_RCVTIMEO, &request_limit, sizeof request_limit);
  std::fflush(nullptr);  // or each child would print again what the program has printed so far
  const Disguise disguise;
  for (;;) {
    ZygoteRequest request = next_request(control.get(), owner.get(), orphaned);
    if (!fork_for(request, control.get())) continue;
    UniqueFd lifeline = place_descriptors(std::move(request.descriptors), std::move(control));
    replace_environment(std::move(request.environment));
    draw_seed();
    disguise.drop();
    return lifeline;
  }
}

}  // namespace troupe::detail
