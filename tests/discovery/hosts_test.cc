// SPDX-License-Identifier: Apache-2.0

// Programs on two hosts. A host is a network namespace with files of its own below the runtime
// directory; a cable joins the two. The programs are ":guests".

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "troupe/tests/support/program.h"

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using troupe::testing::Outcome;
using troupe::testing::Program;

bool works(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

void must_work(const std::string& command) { ASSERT_TRUE(works(command)) << command; }

// Namespaces outlive whoever made them: those of tests that have crashed are removed by the next.
void sweep_namespaces() {
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator("/run/netns", missing)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("trp-")) continue;
    const std::string pid = name.substr(4, name.find('-', 4) - 4);
    if (!fs::exists("/proc/" + pid)) works("ip netns delete " + name);
  }
}

class HostsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    sweep_namespaces();
    if (!works("ip netns add " + a)) {
      GTEST_SKIP() << "network namespaces cannot be made here (that takes root and iproute2)";
    }
    must_work("ip netns add " + b);
    must_work("ip link add cable netns " + a + " type veth peer name cable netns " + b);
    for (const auto& [host, number] : {std::pair(a, "1"), std::pair(b, "2")}) {
      must_work("ip -n " + host + " address add 10.77.0." + number + "/24 dev cable");
      must_work("ip -n " + host + " link set lo up");
      plug_in(host);
    }
    char name[] = "/tmp/trp-XXXXXX";
    home = ::mkdtemp(name);
    make_host("a", a, "b");
    make_host("b", b, "a");
    std::ofstream(home / "token") << "the secret of two hosts";
    ::chmod((home / "token").c_str(), 0600);
    std::ofstream(home / "other") << "the secret of somebody else";
    ::chmod((home / "other").c_str(), 0600);
  }
  void TearDown() override {
    works("ip netns delete " + a);
    works("ip netns delete " + b);
    if (!home.empty()) fs::remove_all(home);
  }

  // A command that runs another one on a host, where the other host's files are not seen. (A host
  // that is entered from the other one has its own files hidden at first.)
  void make_host(const std::string& name, const std::string& space, const std::string& other) {
    for (const std::string& directory : {name, other}) {
      fs::create_directory(home / directory);
      fs::permissions(home / directory, fs::perms::owner_all);
    }
    std::ofstream(on(name)) << "#!/bin/sh\nexport TROUPE_RUNTIME_DIR=" << (home / name).string()
                            << "\nexec ip netns exec " << space
                            << " sh -c 'umount \"$TROUPE_RUNTIME_DIR\" 2>/dev/null; "
                            << "mount -t tmpfs none \"$0\" && exec \"$@\"' "
                            << (home / other).string() << " \"$@\"\n";
    ::chmod(on(name).c_str(), 0700);
  }
  std::string on(const std::string& host) const { return home / ("on_" + host); }

  std::unique_ptr<Program> start(const std::string& host, std::vector<std::string> arguments,
                                 const std::string& token = "token") {
    arguments.insert(arguments.begin(), "tests/discovery/guests");
    std::vector<std::pair<std::string, std::string>> environment;
    if (!token.empty()) environment.emplace_back("TROUPE_TOKEN_FILE", (home / token).string());
    return std::make_unique<Program>(on(host), std::move(arguments), std::move(environment));
  }
  std::string output_of(const std::string& host, std::vector<std::string> arguments) {
    const Outcome outcome = start(host, std::move(arguments))->wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    return outcome.output;
  }
  std::unique_ptr<Program> start_arbiter() {
    auto program = start("a", {"attend", arbiter, "host"});
    EXPECT_TRUE(program->wait_for_output("arbiter at " + arbiter + "\n")) << program->wait().errors;
    return program;
  }
  static void plug_in(const std::string& host) {
    must_work("ip -n " + host + " link set cable up");
  }
  static void end(Program& program) {
    program.send_signal(SIGTERM);
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.exit_code, 143) << outcome.errors;
  }

  const std::string a = "trp-" + std::to_string(::getpid()) + "-a";
  const std::string b = "trp-" + std::to_string(::getpid()) + "-b";
  const std::string arbiter = "tcp://10.77.0.1:1616";
  fs::path home;
};

// ---- Programs that meet ----

// DSC-19: who comes later joins, also from another host; each host's actors call the other's, and
// their children, by name.
TEST_F(HostsTest, CallsGoBothWays) {
  const auto host = start_arbiter();
  const auto guest = start("b", {"attend_with_child", arbiter, "guest"});
  ASSERT_TRUE(guest->wait_for_output("guest\n")) << guest->wait().errors;
  EXPECT_EQ(output_of("a", {"visit", arbiter, "guest"}), "to the health of guest\n");
  EXPECT_EQ(output_of("a", {"visit", arbiter, "child"}), "to the health of child\n");
  EXPECT_EQ(output_of("b", {"visit", arbiter, "host"}), "to the health of host\n");
  EXPECT_EQ(output_of("b", {"visit_by_child", arbiter, "host"}), "to the health of host\n");
  end(*guest);
  EXPECT_EQ(output_of("a", {"look_for", arbiter, "guest"}), "0 of that name\nnobody\n");
  end(*host);
}

TEST_F(HostsTest, StreamsGoBothWays) {
  const auto host = start_arbiter();
  const auto guest = start("b", {"attend_with_child", arbiter, "guest"});
  ASSERT_TRUE(guest->wait_for_output("guest\n")) << guest->wait().errors;
  const std::string all_came_right = "50000 numbers, 200 of 200 echoes\n";
  EXPECT_EQ(output_of("a", {"converse", arbiter, "guest"}), all_came_right);
  EXPECT_EQ(output_of("a", {"converse", arbiter, "child"}), all_came_right);
  EXPECT_EQ(output_of("b", {"converse", arbiter, "host"}), all_came_right);
  end(*guest);
  end(*host);
}

// Who is busy for longer than another host may be silent is slow, and not dead, however much is
// sent to it meanwhile; whichever of the two has connected.
TEST_F(HostsTest, ABusyActorIsNotTakenForDead) {
  const auto host = start_arbiter();
  const auto guest = start("b", {"attend", arbiter, "guest"});
  ASSERT_TRUE(guest->wait_for_output("guest\n")) << guest->wait().errors;
  EXPECT_EQ(output_of("b", {"pester", arbiter, "host"}), "300 answers\n");
  EXPECT_EQ(output_of("a", {"have_pestered", arbiter, "guest"}), "300 answers\n");
  end(*guest);
  end(*host);
}

TEST_F(HostsTest, WithoutTheTokenNobodyJoins) {
  const auto host = start_arbiter();
  const Outcome keyless = start("b", {"visit", arbiter, "host"}, "")->wait();
  EXPECT_EQ(keyless.exit_code, 1);
  EXPECT_THAT(keyless.errors, HasSubstr("TROUPE_TOKEN_FILE"));
  const Outcome stranger = start("b", {"visit", arbiter, "host"}, "other")->wait();
  EXPECT_EQ(stranger.exit_code, 1);
  EXPECT_THAT(stranger.errors, HasSubstr("another key"));
  ::chmod((home / "token").c_str(), 0644);
  const Outcome careless = start("b", {"visit", arbiter, "host"})->wait();
  EXPECT_EQ(careless.exit_code, 1);
  EXPECT_THAT(careless.errors, HasSubstr("chmod 600"));
  end(*host);
}

// A cut cable is noticed at both ends, by heartbeats: the caller gets its error, the called task is
// cancelled, the names are taken out. The call is not made again when there is a connection again.
TEST_F(HostsTest, ACutCableIsNoticedAtBothEnds) {
  const auto host = start_arbiter();
  const auto guest = start("b", {"stay_and_return", arbiter, "guest"});
  ASSERT_TRUE(host->wait_for_output("a guest stays\n"));
  must_work("ip -n " + b + " link set cable down");
  ASSERT_TRUE(host->wait_for_output("left alone\n"));
  ASSERT_TRUE(guest->wait_for_output("cut off\n"));
  EXPECT_THAT(output_of("a", {"look_for", arbiter, "guest"}), StartsWith("0 of that name\n"));
  plug_in(b);
  ASSERT_TRUE(guest->wait_for_output("stayed 1 time(s)\n"));
  EXPECT_EQ(output_of("a", {"visit", arbiter, "guest"}), "to the health of guest\n");
  end(*guest);
  end(*host);
}

// ---- One tree on two hosts ----

// An actor on another host is called, calls by name, and has children, as one on this host.
TEST_F(HostsTest, AnActorMayBeLaunchedOnTheOtherHost) {
  const auto root = start("a", {"send_abroad", arbiter, on("b")});
  ASSERT_TRUE(root->wait_for_output("to the health of child\n")) << root->wait().errors;
  EXPECT_THAT(root->output_so_far(),
              StartsWith("to the health of envoy\nto the health of visitor\n"));
  end(*root);
  EXPECT_TRUE(root->gone_within(2s));
  EXPECT_TRUE(fs::is_empty(home / "b"));
}

TEST_F(HostsTest, ItEndsWithItsRoot) {
  const auto root = start("a", {"send_abroad", arbiter, on("b")});
  ASSERT_TRUE(root->wait_for_output("to the health of child\n")) << root->wait().errors;
  root->send_signal(SIGKILL);
  EXPECT_EQ(root->wait().signal, SIGKILL);
  EXPECT_TRUE(root->gone_within(2s));
  EXPECT_TRUE(fs::is_empty(home / "b"));
}

TEST_F(HostsTest, ItsDeathIsHeard) {
  const auto root = start("a", {"send_abroad", arbiter, on("b")});
  ASSERT_TRUE(root->wait_for_output("to the health of child\n")) << root->wait().errors;
  for (const pid_t pid : root->processes()) {
    if (pid != root->pid()) ::kill(pid, SIGKILL);
  }
  const Outcome outcome = root->wait();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr("envoy"));
  EXPECT_THAT(outcome.errors, HasSubstr("ActorDied"));
}

// A parent that listens at sockets alone cannot be reached from there, and is told so.
TEST_F(HostsTest, AParentOutOfReachIsTold) {
  const Outcome outcome = start("a", {"send_abroad", "", on("b")}, "")->wait();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr("SpawnFailed"));
  EXPECT_THAT(outcome.errors, HasSubstr("listens at ipc://"));
  EXPECT_THAT(outcome.errors, HasSubstr("bind_addrs"));
}

}  // namespace
