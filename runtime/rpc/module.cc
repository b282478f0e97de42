// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/module.h"

#include <set>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {

namespace detail {

const ModuleRecord* all_modules() noexcept;

}  // namespace detail

namespace {

// Keeps the few names that programs write, for as long as the program runs, so that Module is
// small.
const char* keep(const std::string& name) {
  static auto* const names = new std::set<std::string>();
  return names->insert(name).first->c_str();
}

Module module_of(const detail::ModuleRecord& record) {
  return Module(record.name, record.functions, record.count);
}

const FunctionEntry& entry_of(const detail::FunctionRecord& record) {
  return FunctionTable::instance().at(record);
}

}  // namespace

Module::Module(const char* name) : name_(keep(name)) {}
Module::Module(const std::string& name) : name_(keep(name)) {}

std::vector<FunctionName> Module::names() const {
  std::vector<FunctionName> names;
  for (std::size_t i = 0; i < count_; ++i) {
    names.push_back({entry_of(*functions_[i]).key, functions_[i]->tag->name()});
  }
  return names;
}

std::vector<const FunctionEntry*> Module::functions() const {
  std::vector<const FunctionEntry*> found;
  for (std::size_t i = 0; i < count_; ++i) found.push_back(&entry_of(*functions_[i]));
  return found;
}

bool Module::contains(std::string_view key) const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (entry_of(*functions_[i]).key == key) return true;
  }
  return false;
}

const FunctionEntry& Module::function(std::string_view unqualified) const {
  const FunctionEntry* found = nullptr;
  for (const FunctionEntry* entry : functions()) {
    if (entry->unqualified != unqualified) continue;
    if (found) {
      throw ModuleNotExposed("module '" + std::string(name_) + "' has more than one function '" +
                             std::string(unqualified) + "': '" + found->key + "' and '" +
                             entry->key + "'; a call by name needs a unique one");
    }
    found = entry;
  }
  if (!found) {
    throw ModuleNotExposed("module '" + std::string(name_) + "' has no function '" +
                           std::string(unqualified) + "'; name it in troupe::module<\"" + name_ +
                           "\", ...>");
  }
  return *found;
}

Module Module::find(const std::string& name) {
  for (const auto* record = detail::all_modules(); record; record = record->next) {
    if (name == record->name) return module_of(*record);
  }
  return Module(name);
}

std::vector<Module> Module::naming(std::string_view key) {
  std::vector<Module> found;
  for (const auto* record = detail::all_modules(); record; record = record->next) {
    const Module found_module = module_of(*record);
    if (found_module.contains(key)) found.push_back(found_module);
  }
  return found;
}

FunctionPath FunctionPath::parse(std::string_view path) {
  const std::size_t dot = path.rfind('.');  // a module's name may have dots, a function's has none
  if (dot == 0 || dot == std::string_view::npos || dot + 1 == path.size()) {
    throw UsageError("'" + std::string(path) +
                     "' is no name of a function: write \"module.function\", as in \"theatre.hi\"");
  }
  return {std::string(path.substr(0, dot)), std::string(path.substr(dot + 1))};
}

}  // namespace troupe
