// SPDX-License-Identifier: Apache-2.0

// Two programs on two hosts: a desk that serves, and a visitor that finds it by name. Without
// arguments it says how to run them, and plays both on this host.

#include <iostream>
#include <string>
#include <utility>

#include "troupe/troupe.h"

constexpr const char* how_to = R"(On two hosts that trust the network between them:
  one$ (umask 077; head -c 32 /dev/urandom >token)
  one$ scp -p token two:        # mode 0600 there, too
  one$ multi_host desk tcp://ONE:1616 token
  two$ multi_host visitor tcp://ONE:1616 token
where ONE is the address of the first, as both see it. Here, on one host:)";

std::string greet(const std::string& who) {
  return "good day, " + who + ", says " + troupe::current_actor().name();
}

std::string visit() {
  return troupe::wait_for_actor("desk").run<&greet>(troupe::current_actor().name());
}

inline const auto& manners = troupe::module<"manners", &greet, &visit>;

void play_both() {
  std::cout << how_to << std::endl;
  troupe::open_nursery([](troupe::ActorNursery& n) {
    const troupe::Portal visitor = n.start_actor(
        "visitor", {.enable_modules = {manners}, .bind_addrs = {"tcp://127.0.0.1:0"}});
    std::cout << visitor.run<&visit>() << std::endl;
    n.cancel();
  });
}

int main(int argc, char** argv) {
  if (argc < 4) {
    return troupe::run(
        argc, argv,
        {.name = "desk", .bind_addrs = {"tcp://127.0.0.1:0"}, .enable_modules = {manners}},
        &play_both);
  }
  troupe::RunOptions options{.name = argv[1], .arbiter_addr = argv[2]};
  options.token_file = argv[3];
  options.insecure_tcp = true;  // nothing is encrypted
  if (options.name == "desk") return troupe::run_daemon(argc, argv, {manners}, std::move(options));
  return troupe::run(argc, argv, std::move(options), [] { std::cout << visit() << std::endl; });
}
