// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/symbols.h"

#include <backtrace.h>
#include <dlfcn.h>

#include <array>
#include <cstdio>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "troupe/runtime/base/demangle.h"

namespace troupe {
namespace {

// Bounds what is remembered; a program has few places that throw.
constexpr std::size_t max_remembered = 4096;

bool is_mangled(std::string_view name) { return name.starts_with("_Z"); }

// Compilers split functions and say so in their names: "f() [clone .cold]".
std::string readable(const char* name) {
  if (name == nullptr) return {};
  std::string text = is_mangled(name) ? demangle(name) : name;
  if (const std::size_t at = text.find(" [clone "); at != std::string::npos) text.erase(at);
  return text;
}

// Bazel compiles in folders that are gone afterwards: what counts is the path from the root of the
// sources.
std::string source_path(std::string_view path) {
  constexpr std::string_view build_root = "/execroot/";
  if (const std::size_t at = path.rfind(build_root); at != path.npos) {
    const std::size_t workspace_end = path.find('/', at + build_root.size());
    if (workspace_end != path.npos) path.remove_prefix(workspace_end + 1);
  }
  constexpr std::string_view build_folder = "/proc/self/cwd/";
  if (path.starts_with(build_folder)) path.remove_prefix(build_folder.size());
  while (path.starts_with("./")) path.remove_prefix(2);
  return std::string(path);
}

// ---- Callbacks of libbacktrace; called through C, so they cannot throw

int take_frame(void* frames, std::uintptr_t, const char* file, int line,
               const char* function) noexcept {
  if (file == nullptr && function == nullptr) return 0;
  static_cast<std::vector<SourceFrame>*>(frames)->push_back(
      {readable(function), file == nullptr ? std::string() : source_path(file), line});
  return 0;
}

void take_symbol(void* function, std::uintptr_t, const char* name, std::uintptr_t,
                 std::uintptr_t) noexcept {
  *static_cast<std::string*>(function) = readable(name);
}

// What it cannot tell is left out.
void ignore_error(void*, const char*, int) noexcept {}

std::string module_offset(std::uintptr_t address) {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(address), &info) == 0 || info.dli_fname == nullptr) {
    return "??";
  }
  std::string_view module = info.dli_fname;
  module.remove_prefix(module.rfind('/') + 1);
  std::array<char, 32> offset;
  std::snprintf(
      offset.data(), offset.size(), "+0x%zx",
      static_cast<std::size_t>(address - reinterpret_cast<std::uintptr_t>(info.dli_fbase)));
  return "?? in " + std::string(module) + offset.data();
}

// Reads what the process was made of once, and never frees it: libbacktrace has no way to.
backtrace_state* state() {
  static backtrace_state* const made = backtrace_create_state(nullptr, 0, &ignore_error, nullptr);
  return made;
}

std::vector<SourceFrame> look_up(std::uintptr_t address) {
  std::vector<SourceFrame> frames;
  std::string symbol;
  if (state() != nullptr) {
    backtrace_pcinfo(state(), address, &take_frame, &ignore_error, &frames);
    backtrace_syminfo(state(), address, &take_symbol, &ignore_error, &symbol);
  }
  if (frames.empty()) frames.emplace_back();
  // The symbol has the whole name of the function that was not inlined.
  std::string& function = frames.back().function;
  if (!symbol.empty()) function = std::move(symbol);
  if (function.empty()) function = module_offset(address);
  return frames;
}

}  // namespace

std::vector<SourceFrame> source_frames(std::uintptr_t return_address) {
  // Never destroyed: errors are reported until the very end of a process.
  static std::mutex* const mutex = new std::mutex();
  static auto* const known = new std::unordered_map<std::uintptr_t, std::vector<SourceFrame>>();
  const std::lock_guard lock(*mutex);  // for libbacktrace's state, too
  const auto found = known->find(return_address);
  if (found != known->end()) return found->second;
  if (known->size() >= max_remembered) known->clear();
  // The call stands before the address to which it returns, which may be another function's.
  return known->emplace(return_address, look_up(return_address - 1)).first->second;
}

}  // namespace troupe
