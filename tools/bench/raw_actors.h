// SPDX-License-Identifier: Apache-2.0
#pragma once

// What spawning is compared with: processes that do by hand what an actor must do at the least. A
// child makes a ZeroMQ context and a fiber loop, connects a DEALER to its parent's ROUTER on a
// socket file, says hello, answers one request, and exits; the parent waits for that. It is linked
// with the libraries that an actor is linked with. No checks, no watch, no names.

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace troupe::bench {

/// The parent of raw children. One at a time; blocks.
class RawParent {
 public:
  /// `program` is the file of raw_actor.
  explicit RawParent(std::string program);
  RawParent(const RawParent&) = delete;
  RawParent& operator=(const RawParent&) = delete;
  ~RawParent();

  /// Starts `count` children by posix_spawn, all at once, and waits for their answers and ends.
  void run_exec(int count);
  /// The same with children that a zygote forks, which is started on the first call.
  void run_forked(int count);
  /// Starts children that say hello and then wait.
  std::vector<pid_t> start_idle(int count);
  /// Ends and reaps those by SIGKILL.
  void kill_idle(const std::vector<pid_t>& pids);

 private:
  struct Sockets;

  pid_t start(const std::vector<std::string>& arguments, int descriptor = -1);
  void start_zygote();
  int fork_one();
  void exchange(int count);
  void wait_for_hellos(int count);

  std::string program_;
  std::string directory_;
  std::string address_;
  std::unique_ptr<Sockets> sockets_;
  pid_t zygote_ = -1;
  int zygote_socket_ = -1;
};

/// The life of a raw child; returns its exit code. `idle`: it waits to be killed instead of
/// answering.
int raw_child(const std::string& address, bool idle);

/// The life of a raw zygote, which takes requests from `socket`.
int raw_zygote(int socket);

}  // namespace troupe::bench
