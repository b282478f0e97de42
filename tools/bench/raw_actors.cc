// SPDX-License-Identifier: Apache-2.0
#include "troupe/tools/bench/raw_actors.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <glog/logging.h>
#include <sodium.h>
#include <boost/fiber/fiber.hpp>
#include <zmq.hpp>

#include "troupe/runtime/base/unique_fd.h"

namespace troupe::bench {

namespace {

constexpr const char* hello = "hello";
constexpr const char* request = "request";
constexpr int socket_in_zygote = 3;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

void send_text(zmq::socket_t& socket, const std::string& text) {
  socket.send(zmq::buffer(text), zmq::send_flags::none);
}

std::string receive_text(zmq::socket_t& socket) {
  zmq::message_t message;
  static_cast<void>(socket.recv(message));
  return message.to_string();
}

void wait_for_pid(pid_t pid) {
  if (::waitpid(pid, nullptr, 0) != pid) give_up("waitpid");
}

// A request to the zygote: an address, and a descriptor whose close tells of the child's end.
void send_request(int socket, const std::string& address, int descriptor) {
  iovec octets{const_cast<char*>(address.data()), address.size()};
  alignas(cmsghdr) char buffer[CMSG_SPACE(sizeof descriptor)] = {};
  msghdr message{};
  message.msg_iov = &octets;
  message.msg_iovlen = 1;
  message.msg_control = buffer;
  message.msg_controllen = sizeof buffer;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  if (::sendmsg(socket, &message, 0) < 0) give_up("sendmsg");
}

// Returns an empty address at the end.
std::string receive_request(int socket, UniqueFd& descriptor) {
  char address[256];
  iovec octets{address, sizeof address};
  alignas(cmsghdr) char buffer[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &octets;
  message.msg_iovlen = 1;
  message.msg_control = buffer;
  message.msg_controllen = sizeof buffer;
  const ssize_t got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (got <= 0) return {};
  int fd = -1;
  if (const cmsghdr* const header = CMSG_FIRSTHDR(&message)) {
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  }
  descriptor.reset(fd);
  return std::string(address, static_cast<std::size_t>(got));
}

}  // namespace

struct RawParent::Sockets {
  zmq::context_t context;
  zmq::socket_t router{context, zmq::socket_type::router};
};

RawParent::RawParent(std::string program)
    : program_(std::move(program)), directory_("/tmp/troupe-bench-XXXXXX") {
  if (::mkdtemp(directory_.data()) == nullptr) give_up("mkdtemp");
  address_ = "ipc://" + directory_ + "/parent";
  sockets_ = std::make_unique<Sockets>();
  sockets_->router.set(zmq::sockopt::linger, 0);
  sockets_->router.bind(address_);
}

RawParent::~RawParent() {
  if (zygote_ > 0) {
    ::close(zygote_socket_);
    wait_for_pid(zygote_);
  }
  sockets_.reset();
  ::unlink((directory_ + "/parent").c_str());
  ::rmdir(directory_.c_str());
}

pid_t RawParent::start(const std::vector<std::string>& arguments, int descriptor) {
  std::vector<char*> argv{program_.data()};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (descriptor >= 0) {
    ::posix_spawn_file_actions_adddup2(&actions, descriptor, socket_in_zygote);
  }
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, program_.c_str(), &actions, nullptr, argv.data(), ::environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return pid;
  errno = error;
  give_up(program_.c_str());
}

// Every hello is answered by the request, every answer counts.
void RawParent::exchange(int count) {
  while (count > 0) {
    zmq::message_t sender;
    static_cast<void>(sockets_->router.recv(sender));
    if (receive_text(sockets_->router) != hello) {
      --count;
      continue;
    }
    sockets_->router.send(sender, zmq::send_flags::sndmore);
    send_text(sockets_->router, request);
  }
}

void RawParent::wait_for_hellos(int count) {
  for (; count > 0; --count) {
    receive_text(sockets_->router);
    receive_text(sockets_->router);
  }
}

void RawParent::run_exec(int count) {
  std::vector<pid_t> pids;
  for (int i = 0; i < count; ++i) pids.push_back(start({"leaf", address_}));
  exchange(count);
  for (const pid_t pid : pids) wait_for_pid(pid);
}

void RawParent::start_zygote() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) give_up("socketpair");
  const UniqueFd its(ends[1]);
  zygote_socket_ = ends[0];
  zygote_ = start({"zygote"}, its.get());
}

// Returns a descriptor that is at its end when the child is.
int RawParent::fork_one() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) give_up("pipe2");
  const UniqueFd writer(ends[1]);
  send_request(zygote_socket_, address_, writer.get());
  return ends[0];
}

void RawParent::run_forked(int count) {
  if (zygote_ < 0) start_zygote();
  std::vector<UniqueFd> ends;
  for (int i = 0; i < count; ++i) ends.emplace_back(fork_one());
  exchange(count);
  for (const UniqueFd& end : ends) {
    char octet;
    if (::read(end.get(), &octet, 1) != 0) give_up("read");
  }
}

std::vector<pid_t> RawParent::start_idle(int count) {
  std::vector<pid_t> pids;
  for (int i = 0; i < count; ++i) pids.push_back(start({"idle", address_}));
  wait_for_hellos(count);
  return pids;
}

void RawParent::kill_idle(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) {
    ::kill(pid, SIGKILL);
    wait_for_pid(pid);
  }
}

namespace {

int talk(const std::string& address, bool idle) {
  zmq::context_t context;
  zmq::socket_t dealer(context, zmq::socket_type::dealer);
  dealer.connect(address);
  if (sodium_init() < 0) return 1;
  send_text(dealer, hello);
  if (receive_text(dealer) != request || idle) return 1;
  send_text(dealer, "answer");
  return 0;
}

}  // namespace

int raw_child(const std::string& address, bool idle) {
  int exit_code = 2;
  boost::fibers::fiber([&] { exit_code = talk(address, idle); }).join();
  LOG_IF(ERROR, exit_code == 2) << "the fiber did not run";
  return exit_code;
}

int raw_zygote(int socket) {
  ::signal(SIGCHLD, SIG_IGN);  // nobody asks for exit codes
  for (;;) {
    UniqueFd alive;
    const std::string address = receive_request(socket, alive);
    if (address.empty()) return 0;
    if (::fork() == 0) {
      ::close(socket);
      ::_exit(raw_child(address, false));
    }
  }
}

}  // namespace troupe::bench
