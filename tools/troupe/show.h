// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tool prints: tables and trees for people, JSON for programs.

#include <string>
#include <vector>

#include "troupe/runtime/actor/report_text.h"
#include "troupe/tools/troupe/survey.h"

namespace troupe::tool {

/// The actors in the order of their trees, each parent before its children.
std::vector<detail::TreeEntry> in_tree_order(const std::vector<Sighting>& seen);

/// A table, one line for each.
std::string table_of(const std::vector<detail::TreeEntry>& actors,
                     const detail::ReportStyle& style);

/// One line of JSON: `{"actors":[...]}`, each with its "parent".
std::string json_of(const std::vector<detail::TreeEntry>& actors, bool with_tasks);

/// With colours if `fd` is a terminal and NO_COLOR is not set.
detail::ReportStyle style_for(int fd);

}  // namespace troupe::tool
