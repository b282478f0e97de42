// SPDX-License-Identifier: Apache-2.0
#pragma once

// A tree of actors in the form in which people see it: each actor on a line, its tasks and then its
// children below it, indented.

#include <string>
#include <vector>

#include "troupe/runtime/actor/tree_report.h"

namespace troupe::detail {

/// How it is shown.
struct ReportStyle {
  bool runtime_tasks = false;  ///< Whether troupe's own tasks are in it.
  const char* name = "";       ///< Begins an actor's name: a colour, for instance.
  const char* warning = "";    ///< Begins a remark on an actor that has not answered.
  const char* plain = "";      ///< Ends either.
};

/// The tree as text, one line for each actor and task.
std::string text_of(const std::vector<TreeEntry>& tree, const ReportStyle& style);

/// "does not answer", "has gone"; empty for `given`.
const char* remark_on(Answer answer);

}  // namespace troupe::detail
