// SPDX-License-Identifier: Apache-2.0
#pragma once

// Serves calls: looks the function up among what the actor exposes, runs it in a task
// of its own, and answers with its result or its error. An error of a called function goes to its
// caller and to nobody else.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "troupe/ipc/dialog_handler.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/rpc/callee_end.h"
#include "troupe/runtime/rpc/module.h"

namespace troupe {

class DialogPort;
class TaskNursery;
struct CallRequest;

/// Serves calls from all connections of one actor. Resource.
class Dispatcher {
 public:
  /// Runs called functions as tasks of `nursery`. Lifetime: the nursery must outlive the
  /// dispatcher. A called function that cancels its caller waits `cancel_grace` for the answer.
  Dispatcher(Uid self, TaskNursery& nursery,
             std::chrono::nanoseconds cancel_grace = std::chrono::seconds(5));
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
  DialogHandler* on_start(DialogPort& port, std::uint64_t dialog, BytesView payload);
  /// Remembers who has asked this actor to end: the first one is who cancels its calls.
  void set_canceller(const Uid& who) {
    if (!host_.canceller) host_.canceller = who;
  }
  /// How many calls are being served.
  std::size_t calls() const noexcept;

 private:
  const FunctionEntry* find(const CallRequest& request, std::string& asked_for) const;
  DialogHandler& serve(const FunctionEntry& function, DialogPort& port, std::uint64_t dialog,
                       const CallRequest& request);

  Uid self_;
  TaskNursery& nursery_;
  std::unordered_map<std::uint64_t, const FunctionEntry*> exposed_;
  std::unordered_map<std::string, Module> modules_;
  detail::CalleeHost host_;
  std::unique_ptr<IntrusiveList<detail::CalleeEnd, detail::InDispatcher>> served_;
  std::unordered_set<std::uint64_t> tells_caller_;  // ids of functions that ask for their caller
};

}  // namespace troupe
