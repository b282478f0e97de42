// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/logger.h"

#include "troupe/runtime/base/log_choice.h"

namespace troupe::log {
namespace {

// A path as the compiler was given it, without its ending; of an absolute one the last two parts,
// since the rest says where somebody keeps his sources.
std::string_view module_of(std::string_view file) {
  const std::size_t slash = file.rfind('/');
  const std::size_t dot = file.rfind('.');
  if (dot != std::string_view::npos && (slash == std::string_view::npos || dot > slash)) {
    file = file.substr(0, dot);
  }
  if (!file.starts_with('/')) return file;
  return file.substr(slash == 0 ? 1 : file.rfind('/', slash - 1) + 1);
}

}  // namespace

Logger get_console_log(std::string_view levels) {
  choose_log_levels(LogLevels::parse(levels).text());
  return Logger("troupe");
}

Logger get_logger(std::string_view name) { return Logger(name); }

Logger get_logger(const SourceLocation& where) { return Logger(module_of(where.file_name())); }

std::string get_loglevel() { return log_levels().text(); }

void set_sink(UniqueFunction<void(const Record&)> sink) { set_log_sink(std::move(sink)); }

}  // namespace troupe::log
