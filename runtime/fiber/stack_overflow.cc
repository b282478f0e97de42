// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/stack_overflow.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string_view>

#include "troupe/runtime/fiber/loop.h"

namespace troupe::detail {
namespace {

constexpr std::size_t handler_stack_size = 64 * 1024;
constexpr int faults[] = {SIGSEGV, SIGBUS};

// Shared by the loops of all threads, as handlers are.
struct Handlers {
  std::mutex mutex;
  int users = 0;
  struct sigaction old_action[NSIG];
};
Handlers handlers;

// Text in a fixed buffer: in the handler nothing may allocate.
class Message {
 public:
  Message& operator<<(std::string_view text) {
    const std::size_t count = std::min(text.size(), sizeof text_ - length_);
    std::memcpy(text_ + length_, text.data(), count);
    length_ += count;
    return *this;
  }
  Message& operator<<(std::size_t number) {
    char digits[20];
    std::size_t at = sizeof digits;
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number > 0);
    return *this << std::string_view(digits + at, sizeof digits - at);
  }
  void write() const {
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text_, length_);
  }

 private:
  char text_[1024];
  std::size_t length_ = 0;
};

std::string_view name_of(const Task& task) {
  if (!task.name.empty()) return task.name;
  return task.closure != nullptr ? task.closure->name() : "task";
}

void report(const Loop& loop, const char* stack_top) {
  const Task& task = Loop::task_of_stack(stack_top);
  Message message;
  message << "troupe: task '" << name_of(task) << "' (started at " << task.start.file_name() << ":"
          << task.start.line() << ") overflowed its stack of " << loop.stacks().stack_size() / 1024
          << " KiB; keep large things off the stack, recurse less deeply, or set a larger "
             "`stack_size` in the options of the run\n";
  message.write();
}

void end_by(int signal) {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  ::raise(signal);  // blocked here; comes when the handler returns
}

void pass_on(int signal, siginfo_t* info, void* context) {
  const struct sigaction& old = handlers.old_action[signal];
  if ((old.sa_flags & SA_SIGINFO) != 0) return old.sa_sigaction(signal, info, context);
  if (old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN) return end_by(signal);
  old.sa_handler(signal);
}

void on_fault(int signal, siginfo_t* info, void* context) {
  const Loop* const loop = Loop::try_current();
  // A signal that was sent, instead of caused, has no address.
  const char* const stack_top =
      loop != nullptr && info->si_code > 0 ? loop->stacks().stack_of_guard(info->si_addr) : nullptr;
  if (stack_top == nullptr) return pass_on(signal, info, context);
  report(*loop, stack_top);
  end_by(signal);
}

void install() {
  struct sigaction action {};
  action.sa_sigaction = &on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int fault : faults) ::sigaction(fault, &action, &handlers.old_action[fault]);
}

void restore() {
  for (const int fault : faults) {
    struct sigaction present {};
    ::sigaction(fault, nullptr, &present);
    if ((present.sa_flags & SA_SIGINFO) != 0 && present.sa_sigaction == &on_fault)
      ::sigaction(fault, &handlers.old_action[fault], nullptr);
  }
}

}  // namespace

StackOverflowReporter::StackOverflowReporter() {
  stack_t present{};
  ::sigaltstack(nullptr, &present);
  if ((present.ss_flags & SS_DISABLE) != 0) {
    own_stack_.reset(new char[handler_stack_size]);
    stack_t stack{};
    stack.ss_sp = own_stack_.get();
    stack.ss_size = handler_stack_size;
    ::sigaltstack(&stack, nullptr);
  }
  const std::lock_guard lock(handlers.mutex);
  if (handlers.users++ == 0) install();
}

StackOverflowReporter::~StackOverflowReporter() {
  {
    const std::lock_guard lock(handlers.mutex);
    if (--handlers.users == 0) restore();
  }
  stack_t present{};
  ::sigaltstack(nullptr, &present);
  if (own_stack_ == nullptr || present.ss_sp != own_stack_.get()) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
}

}  // namespace troupe::detail
