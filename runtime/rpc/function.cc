// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/function.h"

#include <cstring>
#include <utility>

#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/rpc/function_name.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {
namespace detail {
namespace {

// Constant-initialised, so that it is there whichever file's static initialisation comes first.
constinit FunctionRecord* first_function = nullptr;
constinit ModuleRecord* first_module = nullptr;

std::string key_of(const std::string& name, const std::string& signature) {
  return name + "|" + signature;
}

}  // namespace

bool link_function(FunctionRecord& record, const void* address) noexcept {
  record.address = address;
  record.next = std::exchange(first_function, &record);
  return true;
}

bool link_module(ModuleRecord& record) noexcept {
  record.next = std::exchange(first_module, &record);
  return true;
}

const ModuleRecord* all_modules() noexcept { return first_module; }

std::string signature_text(const std::type_info& type) { return tidy_type(demangle(type.name())); }

std::string make_key(const std::type_info& tag, const std::type_info& type) {
  return key_of(function_name(demangle(tag.name())), signature_text(type));
}

void throw_bad_arguments(const std::type_info& tag, const std::type_info& type, const char* why) {
  throw MsgTypeError("the arguments for '" + function_name(demangle(tag.name())) + "', which is " +
                     signature_text(type) + ", cannot be decoded: " + why +
                     "; caller and callee must be built from the same declaration");
}

void throw_bad_result(const std::type_info& tag, const std::type_info& type, const char* why) {
  throw MsgTypeError("the result of '" + function_name(demangle(tag.name())) + "', which is " +
                     signature_text(type) + ", cannot be decoded: " + why +
                     "; caller and callee must be built from the same declaration");
}

void throw_bad_value(const std::type_info& type, const char* why) {
  throw MsgTypeError("a value of type " + tidy_type(demangle(type.name())) +
                     " cannot be decoded: " + why + "; both ends must name the same type");
}

}  // namespace detail

const FunctionTable& FunctionTable::instance() {
  static const FunctionTable table;
  return table;
}

FunctionTable::FunctionTable() {
  for (const auto* record = detail::first_function; record; record = record->next) add(*record);
  check_modules();
}

void FunctionTable::add(const detail::FunctionRecord& record) {
  const std::string signature = detail::signature_text(*record.type);
  FunctionEntry entry;
  entry.name = detail::function_name(demangle(record.tag->name()));
  entry.key = detail::key_of(entry.name, signature);
  entry.id = function_id(entry.key);
  entry.unqualified = detail::unqualified_name(entry.name);
  entry.wire_signature =
      *record.wire_type == *record.type ? signature : detail::signature_text(*record.wire_type);
  entry.kind = record.kind;
  entry.thunk = record.thunk;
  entry.dialog_thunk = record.dialog_thunk;
  entry.address = record.address;
  entry.named_in = record.named_in;
  const std::string key = entry.key;
  const auto [at, added] = entries_.emplace(key, std::move(entry));
  by_record_.emplace(&record, &at->second);
  if (!added && at->second.address != record.address) {
    conflicts_.push_back(
        "two functions are both called '" + at->second.name + "' with the signature " + signature +
        ": one is named in " + at->second.named_in + ", the other in " + record.named_in +
        ". Other processes could not tell them apart: rename one of them, or put it "
        "into a namespace of its own");
    return;
  }
  const auto [by_id, unique] = by_id_.emplace(at->second.id, &at->second);
  if (!unique && by_id->second->key != key) {
    conflicts_.push_back("the functions '" + by_id->second->name + "' and '" + at->second.name +
                         "' have the same hash: rename one of them");
  }
}

void FunctionTable::check_modules() {
  std::map<std::string_view, const detail::ModuleRecord*> seen;
  for (const auto* module = detail::first_module; module; module = module->next) {
    const auto [at, added] = seen.emplace(module->name, module);
    if (added) continue;
    conflicts_.push_back(std::string("two modules are both called '") + module->name +
                         "': one is named in " + at->second->named_in + ", the other in " +
                         module->named_in +
                         ". Give one of them another name, or name all functions in "
                         "one place");
  }
}

const FunctionEntry* FunctionTable::find(std::string_view key) const {
  const auto at = entries_.find(key);
  return at == entries_.end() ? nullptr : &at->second;
}

const FunctionEntry& FunctionTable::at(const detail::FunctionRecord& record) const {
  const auto found = by_record_.find(&record);
  if (found != by_record_.end()) return *found->second;
  throw UsageError("the function named in " + std::string(record.named_in) +
                   " came into the program after its start (by dlopen), which is too late for "
                   "other processes to know it; link its library");
}

const FunctionEntry* FunctionTable::find(std::uint64_t id) const {
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : at->second;
}

void FunctionTable::check() const {
  if (conflicts_.empty()) return;
  std::string all = conflicts_.front();
  for (std::size_t i = 1; i < conflicts_.size(); ++i) all += "\n" + conflicts_[i];
  throw UsageError(all);
}

}  // namespace troupe
