// SPDX-License-Identifier: Apache-2.0

// What a root makes of its options and its environment, and of what it finds at the addresses they
// name; one program at a time. Several programs meet in cluster_test.cc.

#include "troupe/discovery/join.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/base/unique_fd.h"
#include "troupe/troupe.h"

namespace {

namespace fs = std::filesystem;
using Reason = troupe::TransportClosed::Reason;

std::string own_address() { return troupe::current_actor().address().str(); }
std::string name_of_root() { return troupe::get_root().run<&own_address>(); }
std::chrono::milliseconds own_liveness() { return troupe::Actor::booted().config().times.liveness; }
inline const auto& questions =
    troupe::module<"questions", &own_address, &name_of_root, &own_liveness>;

// The program has a runtime directory of its own, and nothing in its environment that says where an
// arbiter is.
struct JoinTest : ::testing::Test {
  JoinTest() {
    char name[] = "/tmp/trp-XXXXXX";
    home = ::mkdtemp(name);
    ::setenv("TROUPE_RUNTIME_DIR", (home / "run").c_str(), 1);
    ::unsetenv("TROUPE_ARBITER_ADDR");
    ::unsetenv("TROUPE_TOKEN_FILE");
  }
  ~JoinTest() override {
    ::unsetenv("TROUPE_RUNTIME_DIR");
    ::unsetenv("TROUPE_ARBITER_ADDR");
    ::unsetenv("TROUPE_TOKEN_FILE");
    fs::remove_all(home);
  }

  std::string ipc(const std::string& file) const { return "ipc://" + (home / file).string(); }
  static std::vector<std::string> addresses() {
    std::vector<std::string> texts;
    for (const troupe::Address& address : troupe::Actor::booted().entry().addresses) {
      texts.push_back(address.str());
    }
    return texts;
  }
  static std::string failure_of(troupe::RunOptions options) {
    try {
      troupe::open_root_actor(std::move(options), [] { troupe::get_arbiter(); });
    } catch (const troupe::Error& error) {
      return error.what();
    }
    return "no error";
  }
  static bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  // A Unix socket on which nobody ever says a word.
  troupe::UniqueFd foreign_listener(const std::string& file) const {
    troupe::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    (home / file).string().copy(name.sun_path, sizeof name.sun_path - 1);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    EXPECT_EQ(::listen(fd.get(), 8), 0);
    return fd;
  }

  fs::path home;
};

// ---- Private trees ----

// Without an arbiter_addr the root is the arbiter of its own tree, at a socket in its own folder;
// no key file is made.
TEST_F(JoinTest, ATreeIsPrivateUnlessToldOtherwise) {
  troupe::open_root_actor({}, [&] {
    EXPECT_TRUE(troupe::current_actor().is_arbiter());
    const troupe::Address address = troupe::current_actor().address();
    EXPECT_EQ(address.kind(), troupe::Address::Kind::ipc);
    EXPECT_TRUE(address.path().starts_with((home / "run" / "run-").string())) << address;
    EXPECT_EQ(addresses().size(), 1u);
  });
  EXPECT_TRUE(fs::is_empty(home / "run"));
}

// A program that only uses tasks pays nothing.
TEST_F(JoinTest, WithoutNeedNothingIsBooted) {
  troupe::open_root_actor({}, [] {});
  EXPECT_FALSE(fs::exists(home / "run"));
}

// ---- Becoming the arbiter ----

// DSC-19: nobody answers, so the root binds the address and is the arbiter; before main starts.
// IPC-05: the folder of the address is made.
TEST_F(JoinTest, WhoComesFirstIsTheArbiter) {
  troupe::open_root_actor({.arbiter_addr = ipc("new/arbiter")}, [&] {
    EXPECT_TRUE(fs::is_socket(home / "new" / "arbiter")) << "before anybody asked for it";
    EXPECT_TRUE(troupe::current_actor().is_arbiter());
    EXPECT_EQ(troupe::current_actor().address().str(), ipc("new/arbiter"));
    EXPECT_EQ(troupe::get_arbiter(ipc("new/arbiter")).uid(), troupe::current_actor().uid());
    troupe::open_nursery([](troupe::ActorNursery& n) {
      const troupe::Portal child = n.start_actor("child", {.enable_modules = {questions}});
      EXPECT_EQ(troupe::wait_for_actor("child"), child);
      n.cancel();
    });
  });
  EXPECT_TRUE(fs::is_empty(home / "new")) << "socket and lock are removed";
  EXPECT_EQ(fs::status(home / "run" / "key").permissions(), fs::perms(0600));
}

TEST_F(JoinTest, APortOfTheSystemsChoiceIsTold) {
  troupe::open_root_actor({.arbiter_addr = "tcp://127.0.0.1:0"}, [] {
    const troupe::Address address = troupe::current_actor().address();
    EXPECT_TRUE(troupe::current_actor().is_arbiter());
    EXPECT_EQ(address.host(), "127.0.0.1");
    EXPECT_NE(address.port(), 0);
    EXPECT_EQ(troupe::get_arbiter(address.str()).uid(), troupe::current_actor().uid());
  });
}

TEST_F(JoinTest, SeveralAddressesAreTakenAtOnce) {
  troupe::RunOptions options;
  options.arbiter_addr = ipc("b");
  options.registry_addrs = {ipc("a"), "tcp://127.0.0.1:0", ipc("b")};
  troupe::open_root_actor(std::move(options), [&] {
    const std::vector<std::string> found = addresses();
    ASSERT_EQ(found.size(), 4u) << "the private one stays, for the tree";
    EXPECT_EQ(found[0], ipc("b"));
    EXPECT_EQ(found[1], ipc("a"));
    EXPECT_TRUE(found[2].starts_with("tcp://127.0.0.1:")) << found[2];
  });
}

// What an arbiter that was killed has left behind is taken over.
TEST_F(JoinTest, AnAbandonedAddressIsTakenOver) {
  { const troupe::UniqueFd gone = foreign_listener("arbiter"); }
  std::ofstream(home / "arbiter.lock") << "";
  troupe::open_root_actor({.arbiter_addr = ipc("arbiter")},
                          [] { EXPECT_TRUE(troupe::current_actor().is_arbiter()); });
}

// DSC-21, DSC-23: an arbiter with addresses of its own listens at all of both: the same, some of
// them, others.
TEST_F(JoinTest, AnArbiterListensAtItsOwnAddressesToo) {
  const auto listening = [&](std::vector<std::string> bind_addrs) {
    troupe::RunOptions options;
    options.registry_addrs = {ipc("a"), ipc("b")};
    options.bind_addrs = std::move(bind_addrs);
    std::vector<std::string> found;
    troupe::open_root_actor(std::move(options), [&] {
      EXPECT_TRUE(troupe::current_actor().is_arbiter());
      found = addresses();
    });
    std::sort(found.begin(), found.end());
    return found;
  };
  EXPECT_EQ(listening({ipc("a"), ipc("b")}), (std::vector{ipc("a"), ipc("b")}));
  EXPECT_EQ(listening({ipc("b")}), (std::vector{ipc("a"), ipc("b")}));
  EXPECT_EQ(listening({ipc("c")}), (std::vector{ipc("a"), ipc("b"), ipc("c")}));
}

TEST_F(JoinTest, ToEnsureARegistryItsAddressIsNeeded) {
  EXPECT_TRUE(contains(failure_of({.ensure_registry = true}), "arbiter_addr"));
}

// DSC-20: who must be the arbiter does not join another.
TEST_F(JoinTest, WhoMustBeTheArbiterDoesNotJoin) {
  const troupe::UniqueFd other = foreign_listener("arbiter");
  const std::string text = failure_of({.arbiter_addr = ipc("arbiter"), .ensure_registry = true});
  EXPECT_TRUE(contains(text, "ensure_registry")) << text;
  EXPECT_TRUE(contains(text, ipc("arbiter"))) << text;
  troupe::open_root_actor({.arbiter_addr = ipc("free"), .ensure_registry = true},
                          [] { EXPECT_TRUE(troupe::current_actor().is_arbiter()); });
}

// ---- What is there and is no arbiter ----

// DSC-17: an address at which a foreign program listens is neither adopted nor bound over; it is
// told within seconds.
TEST_F(JoinTest, AnAddressThatDoesNotAnswerIsNotTakenOver) {
  const troupe::UniqueFd other = foreign_listener("arbiter");
  const std::string text = failure_of({.arbiter_addr = ipc("arbiter")});
  EXPECT_TRUE(contains(text, "is occupied")) << text;
  EXPECT_TRUE(fs::is_socket(home / "arbiter"));
}

TEST_F(JoinTest, AFileAtTheAddressIsLeftAlone) {
  std::ofstream(home / "arbiter") << "precious";
  const std::string text = failure_of({.arbiter_addr = ipc("arbiter")});
  EXPECT_TRUE(contains(text, "no socket")) << text;
  EXPECT_EQ(fs::file_size(home / "arbiter"), 8u);
}

TEST_F(JoinTest, AnAddressOfAnotherHostIsNotBecome) {
  const std::string token = home / "token";
  std::ofstream(token) << "a secret of several hosts";
  ::chmod(token.c_str(), 0600);
  troupe::RunOptions options;
  options.arbiter_addr = "tcp://192.0.2.1:1616";
  options.insecure_tcp = true;
  options.token_file = token;
  const std::string text = failure_of(std::move(options));
  EXPECT_TRUE(contains(text, "cannot become one")) << text;
}

// ---- Refused options ----

// ROOT-07: an address that may not be used fails at once, with a sentence that says why.
TEST_F(JoinTest, TcpBeyondThisHostNeedsTheOption) {
  EXPECT_TRUE(contains(failure_of({.arbiter_addr = "tcp://192.0.2.1:1616"}), "insecure_tcp"));
  for (const auto member : {&troupe::RunOptions::registry_addrs, &troupe::RunOptions::bind_addrs}) {
    troupe::RunOptions options;
    options.*member = {"tcp://0.0.0.0:1616"};
    EXPECT_TRUE(contains(failure_of(std::move(options)), "does not encrypt"));
  }
}

TEST_F(JoinTest, AClusterOfSeveralHostsNeedsATokenFile) {
  troupe::RunOptions options;
  options.arbiter_addr = "tcp://192.0.2.1:1616";
  options.insecure_tcp = true;
  EXPECT_TRUE(contains(failure_of(std::move(options)), "token_file"));
}

TEST_F(JoinTest, BadAddressesNameTheirOption) {
  EXPECT_TRUE(contains(failure_of({.arbiter_addr = "somewhere"}), "arbiter_addr"));
  EXPECT_TRUE(contains(failure_of({.registry_addrs = {"udp://127.0.0.1:5"}}), "registry_addrs"));
  EXPECT_TRUE(contains(failure_of({.bind_addrs = {""}}), "bind_addrs"));
}

TEST_F(JoinTest, ABadTokenFileIsNamed) {
  const std::string path = home / "token";
  EXPECT_TRUE(contains(failure_of({.token_file = path}), path));
  std::ofstream(path) << "a secret that others can read";
  ::chmod(path.c_str(), 0644);
  EXPECT_TRUE(contains(failure_of({.token_file = path}), "chmod 600"));
  ::setenv("TROUPE_TOKEN_FILE", (home / "other").c_str(), 1);
  EXPECT_TRUE(contains(failure_of({.token_file = path}), (home / "other").string()));
}

// ---- The environment ----

TEST_F(JoinTest, TheEnvironmentWins) {
  ::setenv("TROUPE_ARBITER_ADDR", ipc("theirs").c_str(), 1);
  troupe::open_root_actor({.arbiter_addr = ipc("mine"), .registry_addrs = {ipc("more")}}, [&] {
    EXPECT_EQ(troupe::current_actor().address().str(), ipc("theirs"));
    EXPECT_FALSE(fs::exists(home / "mine"));
    EXPECT_FALSE(fs::exists(home / "more"));
  });
  ::setenv("TROUPE_ARBITER_ADDR", "nonsense", 1);
  EXPECT_TRUE(contains(failure_of({}), "TROUPE_ARBITER_ADDR"));
}

// ---- Where actors listen ----

// ROOT-06: one actor may have several transports. DSC-22: port 0 becomes a real one.
TEST_F(JoinTest, ARootListensWhereItIsTold) {
  troupe::open_root_actor({.bind_addrs = {"tcp://127.0.0.1:0", ipc("root")}}, [&] {
    EXPECT_TRUE(fs::is_socket(home / "root")) << "before anybody asked for it";
    EXPECT_NE(troupe::current_actor().address().port(), 0);
    EXPECT_EQ(addresses().size(), 2u);
    EXPECT_EQ(troupe::query_actor("root")->str(), ipc("root")) << "the nearest";
  });
}

TEST_F(JoinTest, AChildListensWhereItIsTold) {
  troupe::open_root_actor({}, [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      troupe::ActorOptions options;
      options.enable_modules = {questions};
      options.bind_addrs = {"tcp://127.0.0.1:0", ipc("child")};
      const troupe::Portal child = n.start_actor("child", std::move(options));
      EXPECT_EQ(child.run<&own_address>(), child.address().str());
      EXPECT_EQ(child.address().kind(), troupe::Address::Kind::tcp);
      EXPECT_NE(child.address().port(), 0);
      EXPECT_EQ(troupe::query_actor("child")->str(), ipc("child"));
      n.cancel();
    });
    EXPECT_FALSE(fs::exists(home / "child"));
    EXPECT_FALSE(fs::exists(home / "child.lock"));
  });
}

TEST_F(JoinTest, AChildWithABadAddressCannotBeStarted) {
  troupe::open_root_actor({}, [&] {
    troupe::open_nursery([&](troupe::ActorNursery& n) {
      EXPECT_THROW(n.start_actor("child", {.bind_addrs = {"somewhere"}}), troupe::UsageError);
      EXPECT_THROW(n.start_actor("child", {.bind_addrs = {ipc("missing/\x01")}}),
                   troupe::UsageError);
      EXPECT_THROW(n.start_actor("child", {.bind_addrs = {"tcp://0.0.0.0:0"}}), troupe::UsageError);
      const troupe::UniqueFd other = foreign_listener("taken");
      EXPECT_THROW(n.start_actor("child", {.bind_addrs = {ipc("taken")}}), troupe::SpawnFailed);
    });
  });
}

TEST_F(JoinTest, TheLivenessTimeIsTheWholeTreesAndBounded) {
  using namespace std::chrono_literals;
  troupe::open_root_actor({.enable_modules = {questions}, .liveness = 1500ms}, [] {
    EXPECT_EQ(own_liveness(), 1500ms);
    EXPECT_EQ(troupe::to_actor<&own_liveness>(), 1500ms);
  });
  for (const std::chrono::nanoseconds wrong :
       {0ns, std::chrono::nanoseconds(299ms), -1ns, std::chrono::nanoseconds::max()}) {
    EXPECT_TRUE(contains(failure_of({.liveness = wrong}), "300 ms to one hour")) << wrong.count();
  }
}

// DSC-14: a child reaches the root, whatever the root listens at.
TEST_F(JoinTest, EveryActorReachesTheRoot) {
  troupe::open_root_actor({.bind_addrs = {"tcp://127.0.0.1:0"}, .enable_modules = {questions}}, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      const troupe::Portal child = n.start_actor("child", {.enable_modules = {questions}});
      EXPECT_EQ(child.run<&name_of_root>(), troupe::current_actor().address().str());
      n.cancel();
    });
    EXPECT_EQ(troupe::get_root().uid(), troupe::current_actor().uid());
  });
}

// ---- Roots one after the other ----

// ROOT-01: one root at a time.
TEST_F(JoinTest, ARootInARootIsAnError) {
  troupe::open_root_actor({}, [] {
    EXPECT_THROW(troupe::open_root_actor({}, [] {}), troupe::UsageError);
    EXPECT_EQ(troupe::current_actor().name(), "root");
  });
}

// ROOT-04: nothing of a root is left for the next one. ROOT-05: its error leaves as it is.
TEST_F(JoinTest, ARootLeavesNothingToTheNext) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(troupe::open_root_actor({.name = "first", .arbiter_addr = ipc("arbiter")},
                                         [] { throw std::out_of_range("no such act"); }),
                 std::out_of_range);
    troupe::open_root_actor({}, [] {
      EXPECT_EQ(troupe::current_actor().name(), "root");
      EXPECT_EQ(troupe::current_actor().address().kind(), troupe::Address::Kind::ipc);
      EXPECT_FALSE(troupe::find_actor("first"));
    });
  }
  EXPECT_FALSE(fs::exists(home / "arbiter"));
}

TEST_F(JoinTest, ARootsNameMustBeOne) {
  EXPECT_TRUE(contains(failure_of({.name = ""}), "cannot have the name"));
}

}  // namespace
