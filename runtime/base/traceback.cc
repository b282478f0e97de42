// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/traceback.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "troupe/runtime/base/throw_trace.h"

namespace troupe {
namespace {

// Instantiated templates have names of kilobytes.
constexpr std::size_t max_function = 240;
constexpr std::size_t max_lines = 32;

template <std::size_t N>
using Names = std::array<std::string_view, N>;

template <std::size_t N>
bool begins_with_any(std::string_view text, const Names<N>& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [text](std::string_view beginning) { return text.starts_with(beginning); });
}

// Some lambdas in templates have names that libstdc++ of GCC 12 cannot read. These stay as the
// compiler wrote them: nesting first, then the outermost namespace.
bool is_mangled_machinery(std::string_view name) {
  static constexpr Names<4> namespaces = {"6troupe", "St", "5boost", "9__gnu_cxx"};
  if (!name.starts_with("_Z")) return false;
  name.remove_prefix(std::min(name.find_first_not_of("ZNK", 2), name.size()));
  return begins_with_any(name, namespaces);
}

// Functions that carry a task or a thread, and never are the point of a trace.
bool is_machinery(const SourceFrame& frame) {
  static constexpr Names<5> namespaces = {
      "troupe::", "std::", "boost::", "__gnu_cxx::", "__libc_start"};
  static constexpr Names<6> functions = {"_start",  "start_thread", "clone",
                                         "__clone", "__clone3",     "make_fcontext"};
  if (frame.function.starts_with("??")) return true;
  const std::string_view name = qualified_name(frame.function);
  return begins_with_any(name, namespaces) || is_mangled_machinery(name) ||
         std::find(functions.begin(), functions.end(), name) != functions.end();
}

// How libstdc++ throws for `at()`, `throw_with_nested()` and the like.
bool is_way_of_throwing(const SourceFrame& frame) {
  static constexpr Names<3> names = {"std::__throw_", "std::throw_with_nested", "__cxa_"};
  return begins_with_any(qualified_name(frame.function), names);
}

std::string line_of(SourceFrame frame) {
  if (frame.function.size() > max_function) {
    frame.function.resize(max_function);
    frame.function += "...";
  }
  if (frame.file.empty()) return frame.function;
  return frame.function + " (" + frame.file + ":" + std::to_string(frame.line) + ")";
}

// Brackets of all kinds, which shut off what is in them.
int depth_change(char c) {
  if (c == '<' || c == '(' || c == '{' || c == '[') return 1;
  if (c == '>' || c == ')' || c == '}' || c == ']') return -1;
  return 0;
}

// Whether a bracket after `name` begins the parameters: not so in "decltype(auto) f" and in
// "play::(anonymous namespace)::f()".
bool is_whole(std::string_view name) {
  return !name.empty() && !name.ends_with("::") && name != "decltype";
}

}  // namespace

std::string_view qualified_name(std::string_view function) {
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i < function.size(); ++i) {
    const char c = function[i];
    const std::string_view name = function.substr(start, i - start);
    if (depth == 0 && c == ' ') start = i + 1;  // what stood before was the result
    if (depth == 0 && c == '(' && is_whole(name)) return name;
    if (depth == 0 && c == '<' && name.ends_with("operator")) return name;
    depth = std::max(0, depth + depth_change(c));
  }
  return function.substr(start);
}

std::string traceback_text(std::vector<SourceFrame> frames) {
  while (!frames.empty() && is_machinery(frames.back())) frames.pop_back();
  const auto first = std::find_if_not(frames.begin(), frames.end(), &is_way_of_throwing);
  frames.erase(frames.begin(), first);
  if (frames.size() > max_lines) frames.resize(max_lines);
  std::string text;
  for (SourceFrame& frame : frames) text += line_of(std::move(frame)) + "\n";
  return text;
}

std::string traceback_of(const std::exception_ptr& error) {
  std::vector<SourceFrame> all;
  for (const std::uintptr_t address : throw_trace(error)) {
    for (SourceFrame& frame : source_frames(address)) all.push_back(std::move(frame));
  }
  return traceback_text(std::move(all));
}

}  // namespace troupe
