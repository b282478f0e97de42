// SPDX-License-Identifier: Apache-2.0
#pragma once

// The whole story of an error, for people or for programs: what it was, in which actor, which way
// it came, where it was thrown, what caused it; groups as branches. `run` prints it for an error
// that nobody caught. As text (what nobody can tell is left out):
//
//     std::out_of_range: there are only three acts
//       in actor gretchen@1f3a9c02 (pid 4242)
//       relayed gretchen@1f3a9c02 -> donny@2b6e0d17 -> root
//       at play::act(int) (play.cc:12)

#include <exception>
#include <string>

#include "troupe/ipc/uid.h"

namespace troupe {

struct BoxedError;

/// How a report is written.
enum class ReportFormat {
  text,      ///< For people.
  coloured,  ///< For people at a terminal.
  json,      ///< One line: type, message, actor, relay_path, trace, cause, errors.
};

/// The report of a caught error, seen from the actor `self`. Cancellations among the members of a
/// group are left out beside other errors. Never waits, but reads the program's symbols.
std::string error_report(const std::exception_ptr& error, const Uid& self,
                         ReportFormat format = ReportFormat::text);

/// The same of an error in the form in which it travels.
std::string error_report(const BoxedError& error, ReportFormat format = ReportFormat::text);

/// How to write on the descriptor `fd`: `TROUPE_ERROR_FORMAT=json` or `text` decides; else colours
/// on a terminal, unless the environment has `NO_COLOR`.
ReportFormat report_format(int fd);

}  // namespace troupe
