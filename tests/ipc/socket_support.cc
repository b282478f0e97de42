// SPDX-License-Identifier: Apache-2.0
#include "troupe/tests/ipc/socket_support.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe::testing {

using namespace std::chrono_literals;

// ---- Directory ----

SocketDirectory::SocketDirectory() {
  char name[] = "/tmp/trp-XXXXXX";
  if (::mkdtemp(name) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

SocketDirectory::~SocketDirectory() {
  if (DIR* directory = ::opendir(path_.c_str())) {
    while (const dirent* entry = ::readdir(directory)) ::unlink(path(entry->d_name).c_str());
    ::closedir(directory);
  }
  ::rmdir(path_.c_str());
}

void SocketDirectory::give_go() const {
  if (const int fd = ::creat(path("go").c_str(), 0600); fd >= 0) ::close(fd);
}

void SocketDirectory::await_go() const {
  while (::access(path("go").c_str(), F_OK) != 0) ::usleep(1000);
}

TransportOptions options_for(const std::string& name) {
  TransportOptions options;
  options.uid = {name, make_uuid()};
  options.key = Key::from_bytes(Bytes(Key::size, 'k'));
  options.build_id = "test";
  return options;
}

// ---- Echo ----

struct Echo::Silent final : DialogHandler {
  Silent(Echo& owner, Connection& on, std::uint64_t dialog)
      : echo(owner), connection(on), id(dialog) {}
  void on_frame(FrameKind kind, BytesView) override {
    if (kind != FrameKind::cancel) return;
    connection.send(FrameKind::ret, id, "cancelled");
    connection.close_dialog(id);
    delete this;
  }
  void on_closed(std::exception_ptr) override {
    ++echo.dialogs_closed;
    delete this;
  }
  Echo& echo;
  Connection& connection;
  std::uint64_t id;
};

DialogHandler* Echo::on_start(Connection& connection, std::uint64_t dialog, BytesView payload) {
  ++starts;
  if (payload == "silent") return new Silent(*this, connection, dialog);
  if (payload.starts_with("count:")) {
    const int count = std::stoi(std::string(payload.substr(6)));
    for (int i = 0; i < count; ++i) {
      connection.send(FrameKind::yield, dialog, std::to_string(i));
    }
  }
  connection.send(FrameKind::ret, dialog, Bytes(payload.substr(payload.find(':') + 1)));
  return nullptr;
}

void Echo::on_connected(Connection& connection) {
  ++connected;
  peers.push_back(connection.peer().name);
  if (when_connected) when_connected(connection);
}

void Echo::on_disconnected(Connection&, std::exception_ptr why) {
  ++disconnected;
  reasons.push_back(message_of(why));
}

// ---- Call ----

Call::Call(std::shared_ptr<Connection> connection, Bytes start)
    : connection_(std::move(connection)), id_(connection_->open_dialog(*this)) {
  connection_->send(FrameKind::start, id_, std::move(start));
}

Call::~Call() { connection_->close_dialog(id_); }

void Call::on_frame(FrameKind kind, BytesView payload) {
  if (kind == FrameKind::yield) values.emplace_back(payload);
  if (kind != FrameKind::ret) return;
  result_ = payload;
  ended_.set();
}

void Call::on_closed(std::exception_ptr why) {
  ++closed;
  why_ = why;
  ended_.set();
}

Bytes Call::result() {
  ended_.wait();
  if (why_ != nullptr) std::rethrow_exception(why_);
  return std::move(result_);
}

Bytes echo(const std::shared_ptr<Connection>& connection, const Bytes& text) {
  return Call(connection, "echo:" + text).result();
}

// ---- Running ----

void serve_while(std::vector<Transport*> transports, const std::function<void()>& body) {
  fail_after(60s, [&] {
    open_task_nursery([&](TaskNursery& nursery) {
      for (Transport* transport : transports) {
        nursery.start_soon("serve", [transport] { transport->serve(); });
      }
      body();
      nursery.cancel();
    });
  });
}

void wait_until(const std::function<bool()>& condition) {
  while (!condition()) sleep(std::chrono::milliseconds(1));
}

std::string failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string message_of(const std::exception_ptr& error) {
  if (error == nullptr) return {};
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& caught) {
    return caught.what();
  }
}

// ---- Processes ----

ForkedProcess::ForkedProcess(const std::function<void(const std::function<void()>&)>& main) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::close(ends[0]);
    int status = 1;
    try {
      main([&] { static_cast<void>(!::write(ends[1], "r", 1)); });
      status = 0;
    } catch (const std::exception& error) {
      ::dprintf(2, "the forked process failed: %s\n", error.what());
    }
    ::_exit(status);
  }
  ::close(ends[1]);
  ready_.reset(ends[0]);
}

ForkedProcess::~ForkedProcess() { kill(); }

void ForkedProcess::wait_ready() {
  char octet;
  if (::read(ready_.get(), &octet, 1) != 1) throw std::runtime_error("the process is not ready");
}

void ForkedProcess::signal(int number) { ::kill(pid_, number); }

void ForkedProcess::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

int ForkedProcess::wait() {
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  return status;
}

int event_descriptors() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    count += std::filesystem::read_symlink(entry, gone) == "anon_inode:[eventfd]";
  }
  return count;
}

UniqueFd unix_socket(const std::string& path, bool listens) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  const int status =
      listens ? ::bind(fd.get(), address, sizeof name) : ::connect(fd.get(), address, sizeof name);
  if (status != 0 || (listens && ::listen(fd.get(), 8) != 0)) throw Error("no socket at " + path);
  return fd;
}

int open_descriptors() {
  int count = 0;
  if (DIR* directory = ::opendir("/proc/self/fd")) {
    while (::readdir(directory) != nullptr) ++count;
    ::closedir(directory);
  }
  return count;
}

}  // namespace troupe::testing
