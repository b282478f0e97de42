// SPDX-License-Identifier: Apache-2.0
#pragma once

// The callee's end of calls: looks the function up among what the actor exposes, runs it in a task
// of its own, and answers with its result or its error. An error of a called function goes to its
// caller and to nobody else.

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "troupe/ipc/dialog_handler.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/rpc/module.h"

namespace troupe {

class Connection;
class TaskNursery;

/// Serves calls from all connections of one actor. Resource.
class Dispatcher {
 public:
  /// Runs called functions as tasks of `nursery`. Lifetime: the nursery must outlive the
  /// dispatcher.
  Dispatcher(Uid self, TaskNursery& nursery);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher();

  /// Makes the functions of `module` callable from now on.
  void expose(const Module& module);
  /// Makes one function callable from now on.
  void expose(const FunctionEntry& function);
  /// As `expose`, for functions that ask for `detail::current_caller()`.
  void expose_with_caller(const Module& module);
  /// A peer opens a dialog: starts the task, or answers why not. Never waits.
  DialogHandler* on_start(Connection& connection, std::uint64_t dialog, BytesView payload);
  /// How many calls are being served.
  std::size_t calls() const noexcept;

 private:
  class ServedCall;

  const FunctionEntry* find(BytesView payload, BytesView& arguments, std::string& asked_for) const;

  Uid self_;
  TaskNursery& nursery_;
  std::unordered_map<std::uint64_t, const FunctionEntry*> exposed_;
  std::unordered_map<std::string, Module> modules_;
  std::unordered_set<std::uint64_t> tells_caller_;  // ids of functions that ask for their caller
  struct InDispatcher;
  std::unique_ptr<IntrusiveList<ServedCall, InDispatcher>> served_;
};

}  // namespace troupe
