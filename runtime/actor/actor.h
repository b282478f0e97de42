// SPDX-License-Identifier: Apache-2.0
#pragma once

// This process as an actor: its identity, its transport and dispatcher, its peers and children. One
// object a process, made at the start and booted when something needs it: a program that only uses
// tasks makes no socket.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "troupe/ipc/address.h"
#include "troupe/ipc/auth.h"
#include "troupe/ipc/transport.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/child_link.h"
#include "troupe/runtime/actor/directory.h"
#include "troupe/runtime/actor/remote_peer.h"
#include "troupe/runtime/actor/run_directory.h"
#include "troupe/runtime/actor/start_method_choice.h"
#include "troupe/runtime/actor/statespace.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/rpc/dispatcher.h"
#include "troupe/runtime/rpc/module.h"
#include "troupe/runtime/rpc/portal.h"

namespace troupe {

class Forkserver;
class LifeLine;
class TaskNursery;

/// Who an actor is, and what it needs to boot.
struct ActorConfig {
  Uid uid;                                ///< Who it is.
  std::optional<Uid> parent;              ///< Who started it; none for the root.
  Address parent_address;                 ///< Where the parent listens.
  std::optional<DirectoryEntry> arbiter;  ///< Who keeps the names; none: this actor does.
  std::string run_directory;    ///< Where the tree's sockets lie; empty: make one at the boot.
  std::vector<Address> bind;    ///< Where to listen; empty: a socket in the run directory.
  std::optional<Key> key;       ///< The tree's secret; none: draw one at the boot.
  std::vector<Module> modules;  ///< What is exposed.
  std::vector<std::string> functions;       ///< Keys of further functions that are exposed.
  std::chrono::nanoseconds cancel_grace{};  ///< The program's default grace.
  std::vector<StateEntry> statespace;       ///< What its table begins with.
  StartMethodChoice start_method;           ///< How children are made.
  DirectoryFactory directory = nullptr;     ///< How to reach the names.
};

/// The actor that this process is.
class Actor final : public TransportHandler {
 public:
  /// This process' actor. Throws `UsageError` outside of a run.
  static Actor& current();
  /// The same, booted: with a transport and a directory. Checkpoint when it has to boot.
  static Actor& booted();
  /// This process' actor, or null.
  static Actor* try_current() noexcept;

  /// `runtime` runs the actor's own tasks and `calls` those of its callers; both must outlive it.
  Actor(ActorConfig config, TaskNursery& runtime, TaskNursery& calls);
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;
  ~Actor();

  /// Binds, serves, and announces itself. Checkpoint. Does nothing the second time.
  void boot();
  /// Leaves the directory and takes leave of all peers, for a bounded time. Checkpoint.
  void shut_down() noexcept;

  /// How it was set up; the boot fills in what was left open.
  const ActorConfig& config() const noexcept { return config_; }
  /// Who it is.
  const Uid& uid() const noexcept { return config_.uid; }
  /// Where it listens first; empty before the boot.
  Address address() const { return addresses_.empty() ? Address() : addresses_.front(); }
  /// Its entry in the directory.
  DirectoryEntry entry() const { return {uid(), addresses_}; }
  /// Whether it has no parent.
  bool is_root() const noexcept { return !config_.parent.has_value(); }
  /// Its connections. Only after the boot.
  Transport& transport() { return *transport_; }
  /// What serves its callers. Only after the boot.
  Dispatcher& dispatcher() { return *dispatcher_; }
  /// The names. Only after the boot.
  Directory& directory() { return *directory_; }
  /// The table that its tasks share.
  StateSpace& statespace() noexcept { return statespace_; }

  /// The peer of that uid, which listens at `address`; one object per uid.
  std::shared_ptr<RemotePeer> peer(const Uid& uid, const Address& address);
  /// A portal to it; to a child, one that leads to its successors, too.
  Portal portal(const Uid& uid, const Address& address);

  /// Expects a child, which `link` will tell of.
  void add_child(std::shared_ptr<ChildLink> link);
  /// A child's process is gone.
  void remove_child(const ChildLink& link);
  /// Kills every child, without waiting for anything.
  void kill_children() const noexcept;
  /// A child says that it serves, or why not.
  void on_child_ready(const std::string& uuid, const std::string& why_not);
  /// A free address in the run directory, for a child.
  Address child_address(const std::string& uuid) const;

  /// Asks this actor to end within `grace`, after which it may be killed; `canceller` is who asks,
  /// if anyone does. Of several requests the tightest counts. Never waits.
  void request_cancel(std::chrono::nanoseconds grace, const std::optional<Uid>& canceller = {});
  /// Set once the actor was asked to end.
  Event& cancel_requested() noexcept { return cancel_requested_; }
  /// How long a child may take to end that should be given `grace`: no more than 80 % of the time
  /// that this actor has itself, so that nobody is killed who still ends its own children.
  std::chrono::nanoseconds grace_for_child(std::chrono::nanoseconds grace) const;

  /// Calls `fn` at the actor's end; see `CurrentActor::on_exit`.
  void on_exit(UniqueFunction<void()> fn) { exit_callbacks_.push_back(std::move(fn)); }
  /// Takes no more calls, and calls what `on_exit` was given, the last first. Their errors are
  /// logged.
  void run_exit_callbacks() noexcept;

  /// Forks children; made on its first use.
  std::unique_ptr<Forkserver> forkserver;
  /// The watch on the parent's life; null in a root.
  LifeLine* lifeline = nullptr;
  /// Whether the parent has died before this actor was asked to end.
  bool orphaned = false;

  // What the transport tells.
  DialogHandler* on_start(Connection& connection, std::uint64_t dialog, BytesView payload) override;
  void on_connected(Connection& connection) override;
  void on_disconnected(Connection& connection, std::exception_ptr why) override;

 private:
  void expose_all();
  void bind_all();

  ActorConfig config_;
  StateSpace statespace_;
  TaskNursery& runtime_;
  TaskNursery& calls_;
  bool booting_ = false;
  Event boot_ended_;
  std::exception_ptr boot_error_;
  std::optional<RunDirectory> run_directory_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Directory> directory_;
  std::vector<Address> addresses_;
  std::unordered_map<std::string, std::shared_ptr<RemotePeer>> peers_;    // by uuid
  std::unordered_map<std::string, std::shared_ptr<ChildLink>> children_;  // by uuid
  Event cancel_requested_;
  TimePoint cancel_deadline_ = never;
  std::vector<UniqueFunction<void()>> exit_callbacks_;
  bool takes_no_calls_ = false;
};

}  // namespace troupe
