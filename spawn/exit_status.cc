// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/exit_status.h"

#include <csignal>
#include <cstring>

namespace troupe {

namespace {

std::string signal_name(int signal) {
  const char* abbreviation = ::sigabbrev_np(signal);
  if (abbreviation != nullptr) return std::string("SIG") + abbreviation;
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
    return "SIGRTMIN+" + std::to_string(signal - SIGRTMIN);
  }
  return "unknown";
}

}  // namespace

std::string ExitStatus::to_string() const {
  if (signal != 0) return "signal " + std::to_string(signal) + " (" + signal_name(signal) + ")";
  if (code == unknown_code) {
    return "unknown exit status (taken by another part of the program, which calls waitpid(-1))";
  }
  return "exit code " + std::to_string(code);
}

}  // namespace troupe
