// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/process.h"

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "troupe/runtime/base/pidfd.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/fd_wait.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/process_impl.h"

namespace troupe {
namespace {

constexpr std::chrono::milliseconds teardown_limit{5000};

std::unique_ptr<PipeReader> reader_of(UniqueFd fd) {
  return fd ? std::make_unique<PipeReader>(std::move(fd)) : nullptr;
}

template <class End>
End& checked(const std::unique_ptr<End>& end, const char* name) {
  if (end) return *end;
  throw UsageError(std::string("the process was not started with `.") + name +
                   " = ProcessIo::pipe`, so there is no pipe to use");
}

}  // namespace

std::string ProcessStatus::to_string() const {
  if (signal != 0) {
    const char* const name = ::sigabbrev_np(signal);
    return "signal " + std::to_string(signal) +
           (name != nullptr ? " (SIG" + std::string(name) + ")" : "");
  }
  if (code < 0) return "an unknown status (something else in this program waited for it)";
  return "exit code " + std::to_string(code);
}

Process::Impl::Impl(std::vector<std::string> its_argv, std::string its_label,
                    detail::SpawnedProcess spawned)
    : argv(std::move(its_argv)),
      label(std::move(its_label)),
      pid(spawned.pid),
      pidfd(std::move(spawned.pidfd)),
      out(reader_of(std::move(spawned.out))),
      err(reader_of(std::move(spawned.err))) {
  if (spawned.in) in = std::make_unique<PipeWriter>(std::move(spawned.in));
  if (!pidfd) set_status({-1, 0});
}

Process::Impl::~Impl() {
  if (!status) kill_and_reap();
  if (pidfd && Loop::try_current() != nullptr) notify_closing(pidfd.get());
}

void Process::Impl::set_status(ProcessStatus final_status) {
  status = final_status;
  ended.set();
}

bool Process::Impl::reap() {
  if (status) return true;
  if (const auto reaped = detail::reap_process(pidfd.get())) set_status(*reaped);
  return status.has_value();
}

void Process::Impl::watch() {
  while (!reap()) wait_readable(pidfd.get());
}

// A process that hangs in the kernel must not hang this one.
void Process::Impl::kill_and_reap() noexcept {
  detail::send_signal_to(pidfd.get(), SIGKILL);
  detail::ends_within(pidfd.get(), teardown_limit);
  detail::reap_process(pidfd.get());
}

Process::Process(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Process::~Process() = default;

pid_t Process::pid() const noexcept { return impl_->pid; }

const std::vector<std::string>& Process::argv() const noexcept { return impl_->argv; }

std::optional<ProcessStatus> Process::status() noexcept {
  impl_->reap();
  return impl_->status;
}

ProcessStatus Process::wait() {
  impl_->ended.wait();
  return *impl_->status;
}

void Process::send_signal(int signal) {
  if (impl_->reap()) return;
  if (detail::send_signal_to(impl_->pidfd.get(), signal) == 0 || errno == ESRCH) return;
  const int error = errno;
  throw Error("cannot send signal " + std::to_string(signal) + " to the process '" + impl_->label +
              "' (pid " + std::to_string(impl_->pid) + "): " + std::strerror(error));
}

void Process::terminate() { send_signal(SIGTERM); }

void Process::kill() { send_signal(SIGKILL); }

PipeWriter& Process::in() { return checked(impl_->in, "in"); }

PipeReader& Process::out() { return checked(impl_->out, "out"); }

PipeReader& Process::err() { return checked(impl_->err, "err"); }

}  // namespace troupe
