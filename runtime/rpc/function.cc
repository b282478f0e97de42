// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/function.h"

#include <map>
#include <utility>
#include <vector>

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
  for (const FunctionRecord* record = first_function; record; record = record->next) {
    if (*record->tag == tag) return FunctionTable::instance().at(*record).key;
  }
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

namespace {

FunctionEntry make_entry(const detail::FunctionRecord& record) {
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
  return entry;
}

std::string conflict_of(const FunctionEntry& one, const FunctionEntry& other) {
  if (one.key != other.key) {
    return "the functions '" + one.name + "' and '" + other.name +
           "' have the same hash: rename one of them";
  }
  return "two functions are both called '" + one.name + "' with the signature " +
         one.key.substr(one.key.find('|') + 1) + ": one is named in " + one.named_in +
         ", the other in " + other.named_in +
         ". Other processes could not tell them apart: rename one of them, or put it into a "
         "namespace of its own";
}

void check_modules(std::vector<std::string>& conflicts) {
  std::map<std::string_view, const detail::ModuleRecord*> seen;
  for (const auto* module = detail::first_module; module; module = module->next) {
    const auto [at, added] = seen.emplace(module->name, module);
    if (added) continue;
    conflicts.push_back(std::string("two modules are both called '") + module->name +
                        "': one is named in " + at->second->named_in + ", the other in " +
                        module->named_in +
                        ". Give one of them another name, or name all functions in "
                        "one place");
  }
}

}  // namespace

// Every function with its texts.
struct FunctionTable::All {
  All();

  std::map<std::string_view, const FunctionEntry*> by_key;
  std::map<std::uint64_t, const FunctionEntry*> by_id;
  std::vector<std::string> conflicts;
};

FunctionTable::All::All() {
  for (const auto* record = detail::first_function; record; record = record->next) {
    const FunctionEntry& entry = instance().at(*record);
    by_key.emplace(entry.key, &entry);
    const auto [known, added] = by_id.emplace(entry.id, &entry);
    if (!added && known->second->address != entry.address) {
      conflicts.push_back(conflict_of(*known->second, entry));
    }
  }
  check_modules(conflicts);
}

const FunctionTable& FunctionTable::instance() {
  static const FunctionTable table;
  return table;
}

const FunctionTable::All& FunctionTable::all() {
  static const All all;
  return all;
}

const FunctionEntry& FunctionTable::at(const detail::FunctionRecord& record) const {
  if (record.entry == nullptr) record.entry = new FunctionEntry(make_entry(record));
  return *record.entry;  // kept for as long as the program runs
}

const FunctionEntry* FunctionTable::find(std::string_view key) const {
  const auto found = all().by_key.find(key);
  return found == all().by_key.end() ? nullptr : found->second;
}

const FunctionEntry* FunctionTable::find(const FunctionName& name) const {
  for (const auto* record = detail::first_function; record; record = record->next) {
    if (record->tag->name() == name.tag && at(*record).key == name.key) return &at(*record);
  }
  return find(name.key);
}

const FunctionEntry* FunctionTable::find(std::uint64_t id) const {
  const auto found = all().by_id.find(id);
  return found == all().by_id.end() ? nullptr : found->second;
}

void FunctionTable::check() const {
  const std::vector<std::string>& conflicts = all().conflicts;
  if (conflicts.empty()) return;
  std::string text = conflicts.front();
  for (std::size_t i = 1; i < conflicts.size(); ++i) text += "\n" + conflicts[i];
  throw UsageError(text);
}

}  // namespace troupe
