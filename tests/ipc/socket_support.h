// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the transport need: a directory for sockets, an actor that answers calls, and
// processes of the test's own that can be killed.

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "troupe/ipc/transport.h"
#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/fiber/event.h"

namespace troupe::testing {

/// A directory of 0700 with a short name, removed at the end. (Bazel's own are too long for
/// sockets.)
class SocketDirectory {
 public:
  SocketDirectory();
  SocketDirectory(const SocketDirectory&) = delete;
  SocketDirectory& operator=(const SocketDirectory&) = delete;
  ~SocketDirectory();

  Address address(const std::string& name = "a") const {
    return Address::parse("ipc://" + path(name));
  }
  std::string path(const std::string& name) const { return path_ + "/" + name; }

  /// Lets another process go on that waits for it. (That a socket's file is there says too little:
  /// it is made before it listens.)
  void give_go() const;
  /// Waits for `give_go`; blocks the thread.
  void await_go() const;

 private:
  std::string path_;
};

/// The options of a test actor.
TransportOptions options_for(const std::string& name);

/// Answers every dialog: a start "echo:x" with a return "x"; "silent" with nothing, until it is
/// cancelled; "count:n" with n values and a return. Counts what it is told.
class Echo final : public TransportHandler {
 public:
  DialogHandler* on_start(Connection& connection, std::uint64_t dialog, BytesView payload) override;
  void on_connected(Connection& connection) override;
  void on_disconnected(Connection& connection, std::exception_ptr why) override;

  int connected = 0;
  int disconnected = 0;
  int starts = 0;
  int dialogs_closed = 0;
  std::vector<std::string> reasons;
  std::vector<std::string> peers;
  std::function<void(Connection&)> when_connected;

 private:
  struct Silent;
};

/// The caller's end of one dialog: collects what comes and can be waited for.
class Call final : public DialogHandler {
 public:
  Call(std::shared_ptr<Connection> connection, Bytes start);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();

  void on_frame(FrameKind kind, BytesView payload) override;
  void on_closed(std::exception_ptr why) override;

  /// Waits for the return and gives it; throws what ended the dialog otherwise.
  Bytes result();

  std::vector<Bytes> values;
  int closed = 0;

 private:
  std::shared_ptr<Connection> connection_;
  std::uint64_t id_;
  Bytes result_;
  std::exception_ptr why_;
  Event ended_;
};

/// Calls "echo:" with `text` and returns what comes back.
Bytes echo(const std::shared_ptr<Connection>& connection, const Bytes& text);

/// Runs `body` beside the serving tasks of `transports`, under a time limit that no sound test
/// meets.
void serve_while(std::vector<Transport*> transports, const std::function<void()>& body);

/// Waits for something to become true: for what nobody tells of.
void wait_until(const std::function<bool()>& condition);

/// What `action` fails with, or "no error".
std::string failure_of(const std::function<void()>& action);
bool contains(const std::string& text, const std::string& part);

/// What an error says.
std::string message_of(const std::exception_ptr& error);

/// How many event descriptors the process has: one a ZeroMQ socket, and the loop's.
int event_descriptors();

/// A Unix socket, listening or connected. Throws `Error`.
UniqueFd unix_socket(const std::string& path, bool listens);

/// A forked process that runs `main` and ends by `_exit`; killed at the latest when it is
/// forgotten. Only to be made while no ZeroMQ context and no loop exist. The process says that it
/// is ready by the function that `main` is given.
class ForkedProcess {
 public:
  explicit ForkedProcess(const std::function<void(const std::function<void()>& ready)>& main);
  ForkedProcess(const ForkedProcess&) = delete;
  ForkedProcess& operator=(const ForkedProcess&) = delete;
  ~ForkedProcess();

  /// Blocks until the process has said that it is ready.
  void wait_ready();
  void signal(int number);
  /// Kills and reaps it.
  void kill();
  /// Waits for its end; returns the status as waitpid gives it.
  int wait();

 private:
  pid_t pid_ = -1;
  UniqueFd ready_;
};

/// How many descriptors this process has open.
int open_descriptors();

}  // namespace troupe::testing
