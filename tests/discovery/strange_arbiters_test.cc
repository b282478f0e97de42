// SPDX-License-Identifier: Apache-2.0

// What else may be at an arbiter's address: another version of troupe, other programs, nobody. A
// clear error within seconds, whichever it is. Unix sockets and files: join_test.cc.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <zmq.hpp>

#include "troupe/ipc/session.h"
#include "troupe/runtime/base/unique_fd.h"
#include "troupe/troupe.h"

namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// An acceptor of other protocol versions, of which nothing but its session is real.
class Newcomer final : private troupe::SessionEvents {
 public:
  explicit Newcomer(const std::string& address)
      : router_(context_, zmq::socket_type::router), session_(config(), *this) {
    router_.set(zmq::sockopt::linger, 1000);
    router_.bind(address);
    thread_ = std::thread([this] { answer_one(); });
  }
  ~Newcomer() { thread_.join(); }

 private:
  static troupe::SessionConfig config() {
    troupe::SessionConfig config;
    config.role = troupe::Role::acceptor;
    config.uid = {"newcomer", troupe::make_uuid()};
    config.nonce = troupe::random_nonce();
    config.versions = {1000, 2000};
    return config;
  }
  void answer_one() {
    zmq::message_t peer, hello;
    static_cast<void>(router_.recv(peer, zmq::recv_flags::none));
    static_cast<void>(router_.recv(hello, zmq::recv_flags::none));
    session_.receive(hello.to_string_view());
    while (session_.has_output()) {
      std::string answer(session_.batch_size(), '\0');
      session_.take_batch(answer.data());
      router_.send(zmq::buffer(peer.to_string()), zmq::send_flags::sndmore);
      router_.send(zmq::buffer(answer), zmq::send_flags::none);
    }
  }
  void on_established() override {}
  troupe::DialogHandler* on_start(std::uint64_t, troupe::BytesView) override { return nullptr; }
  void on_session_closed(std::exception_ptr) override {}

  zmq::context_t context_;
  zmq::socket_t router_;
  troupe::Session session_;
  std::thread thread_;
};

// A port of this host on which somebody else listens.
struct TakenPort {
  TakenPort() : listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    auto* address = reinterpret_cast<sockaddr*>(&name);
    EXPECT_EQ(::bind(listener.get(), address, size), 0);
    EXPECT_EQ(::listen(listener.get(), 8), 0);
    EXPECT_EQ(::getsockname(listener.get(), address, &size), 0);
    address_text = "tcp://127.0.0.1:" + std::to_string(ntohs(name.sin_port));
  }
  troupe::UniqueFd listener;
  std::string address_text;
};

struct StrangeArbitersTest : ::testing::Test {
  StrangeArbitersTest() {
    char name[] = "/tmp/trp-XXXXXX";
    home = ::mkdtemp(name);
    ::setenv("TROUPE_RUNTIME_DIR", (home / "run").c_str(), 1);
    ::unsetenv("TROUPE_ARBITER_ADDR");
    ::unsetenv("TROUPE_TOKEN_FILE");
  }
  ~StrangeArbitersTest() override {
    ::unsetenv("TROUPE_RUNTIME_DIR");
    fs::remove_all(home);
  }

  static std::string failure_of(const std::function<void()>& fn) {
    try {
      fn();
    } catch (const troupe::Error& error) {
      return error.what();
    }
    return "no error";
  }
  // Of a program that is to meet others at `address`.
  static std::string failure_at(const std::string& address) {
    return failure_of(
        [&] { troupe::open_root_actor({.arbiter_addr = address}, [] { troupe::get_arbiter(); }); });
  }

  fs::path home;
};

TEST_F(StrangeArbitersTest, AnotherProtocolVersionIsNamed) {
  const std::string address = "ipc://" + (home / "arbiter").string();
  const Newcomer newcomer(address);
  const std::string text = failure_at(address);
  EXPECT_THAT(text, HasSubstr("cannot join the cluster at " + address));
  EXPECT_THAT(text, HasSubstr("1000 to 2000"));
  EXPECT_THAT(text, HasSubstr("run programs of the same version"));
}

TEST_F(StrangeArbitersTest, AnotherProtocolVersionIsNamedToWhoDropsInToo) {
  const std::string address = "ipc://" + (home / "arbiter").string();
  const Newcomer newcomer(address);
  const std::string text =
      failure_of([&] { troupe::open_root_actor({}, [&] { troupe::get_arbiter(address); }); });
  EXPECT_THAT(text, HasSubstr("1000 to 2000"));
}

// DSC-17, at a port. DSC-16: who never answers nor closes is given up in bounded time.
TEST_F(StrangeArbitersTest, APortWhoseOwnerIsSilentIsNotTakenOver) {
  const TakenPort taken;
  const std::string text = failure_at(taken.address_text);
  EXPECT_THAT(text, HasSubstr(taken.address_text));
  EXPECT_THAT(text, HasSubstr("is occupied"));
}

TEST_F(StrangeArbitersTest, APortWhoseOwnerSpeaksAnotherProtocolIsNotTakenOver) {
  const TakenPort taken;
  std::thread mail([&] {
    for (;;) {
      const troupe::UniqueFd peer(::accept(taken.listener.get(), nullptr, nullptr));
      if (!peer) return;
      const std::string greeting =
          "220 mail.example ESMTP ready, and quite a bit of text after it "
          "so that nobody waits for more\r\n";
      static_cast<void>(!::write(peer.get(), greeting.data(), greeting.size()));
    }
  });
  const std::string text = failure_at(taken.address_text);
  ::shutdown(taken.listener.get(), SHUT_RDWR);
  mail.join();
  EXPECT_THAT(text, HasSubstr(taken.address_text));
  EXPECT_NE(text, "no error");
}

TEST_F(StrangeArbitersTest, APortInUseIsNamedToWhoIsToListenThere) {
  const TakenPort taken;
  const std::string text = failure_of([&] {
    troupe::open_root_actor({.bind_addrs = {taken.address_text}}, [] { troupe::get_arbiter(); });
  });
  EXPECT_THAT(text, HasSubstr(taken.address_text));
}

TEST_F(StrangeArbitersTest, WhatIsNoAddressIsNotDialed) {
  troupe::open_root_actor({}, [] {
    for (const char* text : {"", "somewhere", "udp://127.0.0.1:5", "quic://host:1", "tcp://host",
                             "tcp://host:99999", "tcp://:5", "ipc://relative", "ipc://"}) {
      EXPECT_THROW(troupe::get_arbiter(std::string(text)), troupe::UsageError) << text;
    }
  });
}

}  // namespace
