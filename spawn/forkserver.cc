// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/forkserver.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <mutex>
#include <utility>
#include <vector>

#include "troupe/runtime/base/log.h"
#include "troupe/runtime/base/posix_spawn.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/spawn/boot.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/exec_backend.h"
#include "troupe/spawn/image.h"
#include "troupe/spawn/newborn.h"
#include "troupe/spawn/outputs.h"
#include "troupe/spawn/self_image.h"
#include "troupe/spawn/zygote_protocol.h"

namespace troupe {

using detail::ZygoteAnswer;
using detail::ZygoteRequest;

namespace {

// A zygote answers within a millisecond once it is there; the program's start may take its time.
constexpr std::chrono::seconds answer_limit{30};
// How long a spawn that is cancelled waits for an answer that is under way.
constexpr std::chrono::milliseconds late_answer_limit{200};
// How long a child that a dead zygote has left behind may take to tell of itself.
constexpr std::chrono::seconds last_words_limit{1};

// It has the first child's record: should its owner die, it can tell by that what to clear up.
std::unique_ptr<Child> start_zygote(const Bytes& blob) {
  SpawnSpec spec;
  spec.name = "zygote";
  spec.blob = blob;
  detail::Newborn newborn(spec);
  detail::Image image;
  image.path = detail::self_image_path();
  image.argv = original_argv();
  image.environment = detail::marked_environment(spec, detail::zygote_mark);
  // Symbols are looked up once, here, and not by each child anew. (These do not see the variable:
  // each gets an environment of its own.)
  detail::set_variable(image.environment, "LD_BIND_NOW", "1");
  return newborn.adopt(detail::start_image(spec, newborn, image));
}

// What a child is to have beside its life-line: outputs, and the working directory of now. (That
// may be one which cannot be opened.)
class Belongings {
 public:
  explicit Belongings(const detail::Newborn& newborn)
      : descriptors_{newborn.lifeline(), output(newborn.out(), STDOUT_FILENO),
                     output(newborn.err(), STDERR_FILENO)},
        directory_(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    if (directory_) descriptors_.push_back(directory_.get());
  }
  std::span<const int> descriptors() const { return descriptors_; }

 private:
  int output(int pipe, int standard) {
    if (pipe >= 0) return pipe;
    if (detail::is_meant_for_children(standard)) return standard;
    if (!null_) null_.reset(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    return null_.get();
  }

  UniqueFd null_;
  std::vector<int> descriptors_;
  UniqueFd directory_;
};

std::string reason(const ZygoteAnswer& answer) {
  if (answer.error == 0) {
    return "its process ended, or did not answer; does this program reach troupe's `init` or `run` "
           "when it is started anew?";
  }
  if (answer.error == ZygoteAnswer::has_threads) {
    return "this program starts threads before it reaches troupe's `init` or `run`, and a process "
           "with threads cannot be forked; call these first";
  }
  return "the system does not let it: " + detail::errno_text(answer.error);
}

}  // namespace

Forkserver::Forkserver() = default;

Forkserver::~Forkserver() = default;

pid_t Forkserver::zygote_pid() const { return zygote_ ? zygote_->pid() : 0; }

std::unique_ptr<Child> Forkserver::spawn(const SpawnSpec& spec) {
  if (spec.argv.empty()) {
    detail::Newborn newborn(spec);
    if (const pid_t pid = fork(spec, newborn); pid > 0) return newborn.adopt(pid);
  }
  return spawn_exec(spec);
}

// Returns 0 when there is no child.
pid_t Forkserver::fork(const SpawnSpec& spec, const detail::Newborn& newborn) {
  const std::lock_guard turn(turn_);
  ensure_zygote(spec);
  ZygoteRequest request;
  request.id = ++last_id_;
  request.environment = detail::environment_with(spec.env);
  const Belongings belongings(newborn);
  const ZygoteAnswer answer = ask(request, belongings.descriptors());
  if (answer.pid == 0) warn(reason(answer));
  return answer.pid;
}

void Forkserver::ensure_zygote(const SpawnSpec& first) {
  if (zygote_ && zygote_->wait_nowait()) zygote_.reset();
  if (!zygote_) zygote_ = start_zygote(first.blob);
}

// The zygote's answer, or that of a child which it has made before it ended.
ZygoteAnswer Forkserver::ask(const ZygoteRequest& request, std::span<const int> descriptors) {
  ZygoteAnswer answer;
  answer.id = request.id;
  bool sent = false;
  bool answered = false;
  try {
    move_on_after(answer_limit, [&] {
      const int control = zygote_->lifeline_fd();
      sent = detail::send_request(control, request, descriptors);
      answered = sent && detail::receive_answer(control, answer);
    });
  } catch (...) {
    settle(answer, sent);
    if (answer.pid != 0) detail::kill_and_reap(answer.pid);
    throw;
  }
  if (!answered) settle(answer, sent);
  return answer;
}

// After a request that came to nothing: there must be neither an answer on its way, nor a child
// that nobody knows. A zygote that does not answer is ended; its child, if it has made one, answers
// for itself.
void Forkserver::settle(ZygoteAnswer& answer, bool sent) {
  bool answered = false;
  const auto receive = [&] { answered = detail::receive_answer(zygote_->lifeline_fd(), answer); };
  CancelScope shield({.shield = true});
  shield.run([&] {
    if (sent) move_on_after(late_answer_limit, receive);
    if (answered) return;
    zygote_->send_signal(SIGKILL);
    zygote_->wait();
    if (sent) move_on_after(last_words_limit, receive);
    zygote_.reset();
  });
}

void Forkserver::warn(const std::string& why) {
  if (std::exchange(warned_, true)) return;
  log_message(LogLevel::warning, "spawn",
              "process " + std::to_string(::getpid()) +
                  " cannot fork its actors from a zygote and executes them instead: " + why);
}

}  // namespace troupe
