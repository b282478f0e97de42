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
#include "troupe/ipc/early_connection.h"
#include "troupe/ipc/transport.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/child_link.h"
#include "troupe/runtime/actor/directory.h"
#include "troupe/runtime/actor/remote_peer.h"
#include "troupe/runtime/actor/run_directory.h"
#include "troupe/runtime/actor/start_method_choice.h"
#include "troupe/runtime/actor/statespace.h"
#include "troupe/runtime/actor/task_settings.h"
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
  Uid uid;                                        ///< Who it is.
  std::optional<Uid> parent;                      ///< Who started it; none for the root.
  Address parent_address;                         ///< Where the parent listens.
  std::optional<EarlyConnection> towards_parent;  ///< If a connection to there is begun.
  std::optional<DirectoryEntry> root;             ///< The tree's root; none for the root.
  std::vector<DirectoryEntry> arbiters;           ///< Who keep the names; none: see `registry`.
  bool entered_by_parent = false;  ///< Whether its parent enters it there when it serves.
  std::vector<Address> registry;   ///< A root's: where arbiters are to be; none: it is its own.
  bool ensure_registry = false;    ///< Whether it must become the arbiter there.
  std::string run_directory;       ///< Where the tree's sockets lie; empty: make one at the boot.
  std::vector<Address> bind;       ///< Where to listen; empty: a socket in the run directory.
  std::string public_host;         ///< Where actors listen for other hosts, too; empty: not at all.
  std::optional<Key> key;  ///< The tree's secret; none: the boot leaves one in the run's directory.
  bool in_cluster = false;              ///< Whether other trees have that key, too.
  std::string token_file;               ///< Where the key of a cluster is; empty: the user's own.
  bool insecure_tcp = false;            ///< Whether tcp beyond this host may be used.
  bool dump_on_sigusr1 = false;         ///< Whether SIGUSR1 prints the tree of actors from here on.
  bool debug_mode = false;              ///< Whether its children stop in gdb, by default.
  std::vector<Module> modules;          ///< What is exposed.
  std::vector<FunctionName> functions;  ///< Further functions that are exposed.
  std::chrono::nanoseconds cancel_grace{};  ///< The program's default grace.
  TimeLimits times;                         ///< How long peers are waited for.
  std::vector<StateEntry> statespace;       ///< What its table begins with.
  StartMethodChoice start_method;           ///< How children are made.
  TaskSettings tasks;                       ///< How tasks run, here and in its children.
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
  /// After that, in a process that exits now: leaves its sockets to the exit. Never waits.
  void leave_sockets_to_exit() noexcept;
  /// Leaves the directory and takes leave of all but parent and children, for a bounded time; if it
  /// has neither it listens no more. Checkpoint.
  void stop_serving() noexcept;

  /// Listens at one more address, which other programs may want as well. Never waits. Throws
  /// `TransportClosed` when it cannot be had.
  Address listen_at(const Address& address);
  /// Makes an address, at which it listens, the first.
  void put_first(const Address& address);
  /// Takes a `listen_at` back. Never waits.
  void unlisten(const Address& address) noexcept;
  /// Also listens at `host`, where other hosts can connect; its children will, too.
  void listen_publicly(const std::string& host);
  /// Its children listen at `host`, too, because it does.
  void set_public_host(const std::string& host);
  /// Whether only an arbiter may listen at `address`: the boot leaves it to the directory.
  bool is_for_arbiter(const Address& address) const;
  /// Whether nobody has said where it listens.
  bool uses_default_addresses() const noexcept { return default_addresses_; }

  /// How it was set up; the boot fills in what was left open.
  const ActorConfig& config() const noexcept { return config_; }
  /// Who it is.
  const Uid& uid() const noexcept { return config_.uid; }
  /// Where it listens first; empty before the boot.
  Address address() const { return addresses_.empty() ? Address() : addresses_.front(); }
  /// Its entry in the directory.
  DirectoryEntry entry() const;
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
  /// Since when it is there.
  std::chrono::system_clock::time_point since() const noexcept { return since_; }
  /// Where the actor's own tasks run.
  TaskNursery& runtime() noexcept { return runtime_; }

  /// The peer of that uid, which listens at `addresses`, the nearest first; one object per uid.
  std::shared_ptr<RemotePeer> peer(const Uid& uid, std::vector<Address> addresses);
  std::shared_ptr<RemotePeer> peer(const Uid& uid, const Address& address);
  /// A portal to it; to a child, one that leads to its successors, too.
  Portal portal(const Uid& uid, const Address& address);
  /// A portal to the actor of a directory's entry.
  Portal portal(const DirectoryEntry& entry);
  /// A portal to whoever listens at one of `addresses`, connected. Checkpoint. `key`: of the
  /// cluster it belongs to, if that is another one. Throws `TransportClosed`.
  Portal portal_at(const std::vector<Address>& addresses, const Key* key = nullptr);
  /// Whether a connection to that peer stands. Never waits.
  bool connected_to(const Uid& uid) const;

  /// Expects a child, which `link` will tell of.
  void add_child(std::shared_ptr<ChildLink> link);
  /// A child has ended: it is taken out of the directory, within a bounded time. Checkpoint.
  void child_left(const ChildLink& link) noexcept;
  /// A child's process is gone.
  void remove_child(const ChildLink& link);
  /// Whether that is a child of this actor, and has not ended.
  bool has_child(const std::string& uuid) const;
  /// Its children, in no order.
  std::vector<std::shared_ptr<ChildLink>> children() const;
  /// Kills every child, without waiting for anything.
  void kill_children() const noexcept;
  /// A child says that it serves, or why not. Checkpoint.
  void on_child_ready(DirectoryEntry entry, const std::string& why_not);
  /// Whether an address lies in the run directory, so that nobody else can want it.
  bool owns(const Address& address) const;
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

  // What the transport tells.
  DialogHandler* on_start(Connection& connection, std::uint64_t dialog, BytesView payload) override;
  void on_connected(Connection& connection) override;
  void on_disconnected(Connection& connection, std::exception_ptr why) override;

 private:
  std::shared_ptr<Peer> followed(const Uid& uid) const;
  void expose_all();
  void bind_all();
  bool is_family(const Uid& uid) const;

  ActorConfig config_;
  const std::chrono::system_clock::time_point since_ = std::chrono::system_clock::now();
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
  std::vector<Address> addresses_;  // where it listens, as told
  bool default_addresses_ = false;
  std::unordered_map<std::string, std::shared_ptr<RemotePeer>> peers_;    // by uuid
  std::unordered_map<std::string, std::shared_ptr<ChildLink>> children_;  // by uuid
  Event cancel_requested_;
  TimePoint cancel_deadline_ = never;
  std::vector<UniqueFunction<void()>> exit_callbacks_;
  bool takes_no_calls_ = false;
};

}  // namespace troupe
