// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/trace_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "troupe/runtime/base/log.h"
#include "troupe/runtime/base/write_all.h"

namespace troupe {
namespace {

// What one actor keeps of its trace at most, but for the last event.
constexpr std::size_t max_kept = 64 * 1024;
constexpr mode_t mode = 0644;

}  // namespace

TraceFile::TraceFile(std::string path, bool is_first) : path_(std::move(path)) {
  const int create = is_first ? O_CREAT | O_TRUNC : 0;
  fd_ = UniqueFd(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | create, mode));
  if (fd_.get() < 0) {
    give_up(errno);
    return;
  }
  lines_.reserve(max_kept);
  if (!is_first) return;
  lines_ = "[\n";
  flush();  // at once: a child may be quicker to write
}

void TraceFile::add(const std::string& event) {
  if (fd_.get() < 0) return;
  lines_ += event;
  lines_ += ",\n";
  if (lines_.size() >= max_kept) flush();
}

void TraceFile::flush() noexcept {
  if (fd_.get() < 0) return;
  if (const int error = write_all(fd_.get(), lines_); error != 0) give_up(error);
  lines_.clear();
}

void TraceFile::close(const std::string& last_event) {
  if (fd_.get() < 0) return;
  lines_ += last_event + "\n]\n";
  flush();
  fd_.reset();
}

void TraceFile::give_up(int error) noexcept {
  fd_.reset();
  try {
    log_message(LogLevel::warning, "actor",
                "no trace is written to '" + path_ +
                    "' any more (TROUPE_TRACE): " + std::generic_category().message(error));
  } catch (const std::exception&) {  // no memory to say so
  }
}

}  // namespace troupe
