// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/cluster.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "troupe/ipc/key_file.h"
#include "troupe/ipc/transport.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/run_directory.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log.h"

namespace troupe {
namespace {

// The value of an option that the environment may override. Who had said something else is warned.
std::string setting(const char* variable, const std::string& of_program) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0' || of_program == text) return of_program;
  log_message(of_program.empty() ? LogLevel::info : LogLevel::warning, "discovery",
              std::string(variable) + "=" + text + " in the environment is used" +
                  (of_program.empty() ? "" : " instead of the program's " + of_program));
  return text;
}

Address parse(const char* what, const std::string& text) {
  try {
    return Address::parse(text);
  } catch (const UsageError& error) {
    throw UsageError(std::string(what) + ": " + error.what());
  }
}

void add_once(std::vector<Address>& addresses, const Address& address) {
  if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
    addresses.push_back(address);
  }
}

std::vector<Address> registry_of(const RunOptions& options) {
  std::vector<Address> registry;
  const std::string arbiter = setting("TROUPE_ARBITER_ADDR", options.arbiter_addr);
  if (!arbiter.empty()) add_once(registry, parse("arbiter_addr (TROUPE_ARBITER_ADDR)", arbiter));
  // The environment names the arbiter, whatever the program would have joined besides.
  if (arbiter != options.arbiter_addr) return registry;
  for (const std::string& text : options.registry_addrs) {
    add_once(registry, parse("registry_addrs", text));
  }
  return registry;
}

std::chrono::milliseconds liveness_of(const RunOptions& options) {
  if (options.liveness < least_liveness || options.liveness > most_liveness) {
    const std::chrono::duration<double> seconds = options.liveness;
    throw UsageError("liveness cannot be " + std::to_string(seconds.count()) +
                     " s; give how long another host may be silent, from 300 ms to one hour");
  }
  return std::chrono::ceil<std::chrono::milliseconds>(options.liveness);
}

bool reaches_beyond(const std::vector<Address>& addresses) {
  return std::any_of(addresses.begin(), addresses.end(),
                     [](const Address& address) { return !address.is_local(); });
}

}  // namespace

Key cluster_key(const ActorConfig& config, const std::vector<Address>& addresses) {
  if (!config.token_file.empty()) return read_key_file(config.token_file);
  if (reaches_beyond(addresses)) {
    throw UsageError("a cluster that reaches beyond this host (" + addresses.front().str() +
                     ") needs a secret that its hosts share: set token_file, or TROUPE_TOKEN_FILE, "
                     "to a file of mode 0600 with the same content on each");
  }
  return user_key(user_runtime_directory());
}

void configure_cluster(ActorConfig& config, const RunOptions& options) {
  if (const std::string fault = name_fault(options.name); !fault.empty()) {
    throw UsageError("the root actor cannot have the name '" + options.name.substr(0, 64) +
                     "': " + fault);
  }
  config.registry = registry_of(options);
  for (const std::string& text : options.bind_addrs) {
    add_once(config.bind, parse("bind_addrs", text));
  }
  config.ensure_registry = options.ensure_registry;
  config.insecure_tcp = options.insecure_tcp;
  config.times.liveness = liveness_of(options);
  config.token_file = setting("TROUPE_TOKEN_FILE", options.token_file);
  if (options.ensure_registry && config.registry.empty()) {
    throw UsageError(
        "ensure_registry needs the address where the registry is to be: set "
        "arbiter_addr, for instance to troupe::default_arbiter");
  }
  for (const auto* addresses : {&config.registry, &config.bind}) {
    for (const Address& address : *addresses) require_allowed(address, config.insecure_tcp);
  }
  config.in_cluster = !config.registry.empty() || !config.token_file.empty();
  if (config.in_cluster) config.key = cluster_key(config, config.registry);
}

bool serves_from_the_start(const ActorConfig& config) {
  return !config.modules.empty() || !config.registry.empty() || !config.bind.empty();
}

}  // namespace troupe
