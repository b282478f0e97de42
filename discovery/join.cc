// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/join.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "troupe/discovery/local_directory.h"
#include "troupe/discovery/remote_directory.h"
#include "troupe/ipc/errors.h"
#include "troupe/ipc/locality.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/thread.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using Reason = TransportClosed::Reason;

// An arbiter answers within a millisecond, unless its host has much else to do.
constexpr std::chrono::milliseconds answer_limit{2500};
constexpr int attempts = 2;
// How long an address may be occupied and not answer: whoever has it may just be starting.
constexpr std::chrono::seconds join_limit{5};
constexpr std::chrono::milliseconds first_pause{10};
constexpr std::chrono::milliseconds longest_pause{200};

// What came of asking at one address.
struct Answer {
  std::optional<DirectoryEntry> arbiter;
  std::string why_not = "nobody was asked";
};

// Where to ask for somebody who listens at `address`; empty when only the system knows the port.
Address dialable(const Address& address) {
  if (!address.is_wildcard()) return address;
  if (address.port() == 0) return {};
  return Address::tcp(address.host() == "::" ? "::1" : "127.0.0.1", address.port());
}

// A local address means this host when other hosts are told of it.
DirectoryEntry arbiter_at(const Address& address, Uid uid) {
  return {std::move(uid), {address}, address.is_local() ? this_host() : std::string(), {}};
}

// ---- Asking ----

// Throws when somebody is there with whom there is nothing to talk about.
Answer ask_once(Actor& actor, const Address& address) {
  Answer answer;
  try {
    const auto portal = move_on_after(answer_limit, [&] { return actor.portal_at({address}); });
    if (portal) {
      answer.arbiter = arbiter_at(address, portal->uid());
    } else {
      answer.why_not = "at " + address.str() + " nobody answered in time";
    }
  } catch (const TransportClosed& closed) {
    if (closed.reason() == Reason::refused || closed.reason() == Reason::violation) {
      throw TransportClosed(closed.reason(),
                            "cannot join the cluster at " + address.str() + ": " + closed.what());
    }
    answer.why_not = closed.what();
  }
  return answer;
}

Answer ask(Actor& actor, const Address& wanted) {
  const Address address = dialable(wanted);
  if (address.empty()) return {};
  Answer answer;
  for (int i = 0; i < attempts; ++i) {
    const TimePoint begin = current_time();
    answer = ask_once(actor, address);
    // A handshake may have been stalled; an error that came at once will come again.
    if (answer.arbiter || current_time() - begin < answer_limit) break;
  }
  return answer;
}

std::vector<Answer> ask_all(Actor& actor, const std::vector<Address>& addresses) {
  std::vector<Answer> answers(addresses.size());
  open_task_nursery([&](TaskNursery& n) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      n.start_soon("ask at " + addresses[i].str(),
                   [&actor, &answer = answers[i], &address = addresses[i]] {
                     answer = ask(actor, address);
                   });
    }
  });
  return answers;
}

// ---- Joining ----

// Other hosts must be able to connect to whoever joins an arbiter that is on one.
void listen_for_other_hosts(Actor& actor, const Address& arbiter) {
  if (arbiter.is_local() || !actor.uses_default_addresses()) return;
  const std::string host = to_thread_run([arbiter] { return interface_towards(arbiter); });
  if (!host.empty()) actor.listen_publicly(host);
}

std::unique_ptr<Directory> join(Actor& actor, const std::vector<Answer>& answers) {
  for (const Address& address : actor.config().bind) {
    if (actor.is_for_arbiter(address)) actor.listen_at(address);  // and be told that it is taken
  }
  std::vector<DirectoryEntry> arbiters;
  const std::vector<Address>& wanted = actor.config().registry;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Address address = dialable(wanted[i]);
    if (answers[i].arbiter) {
      arbiters.push_back(*answers[i].arbiter);
      listen_for_other_hosts(actor, address);
    } else if (!address.empty()) {
      arbiters.push_back(arbiter_at(address, {}));  // it may come up later
    }
  }
  // Those that answer are asked first.
  std::stable_partition(arbiters.begin(), arbiters.end(),
                        [](const DirectoryEntry& arbiter) { return !arbiter.uid.uuid.empty(); });
  return std::make_unique<RemoteDirectory>(actor, arbiters);
}

// ---- Becoming the arbiter ----

std::string reasons(const std::vector<Answer>& answers) {
  std::string text;
  for (const Answer& answer : answers) text += (text.empty() ? "" : "; ") + answer.why_not;
  return text;
}

// Takes the addresses, all or none, in an order that all programs have in common. Returns where it
// listens now, in the order of `wanted`; nothing when somebody else has one of them.
std::vector<Address> take_addresses(Actor& actor, const std::vector<Address>& wanted) {
  std::vector<std::size_t> order(wanted.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return wanted[a] < wanted[b]; });
  std::vector<Address> taken(wanted.size());
  try {
    for (const std::size_t i : order) taken[i] = actor.listen_at(wanted[i]);
  } catch (const TransportClosed& closed) {
    for (const Address& address : taken) {
      if (!address.empty()) actor.unlisten(address);
    }
    if (closed.reason() != Reason::in_use) throw;
    return {};
  }
  return taken;
}

// Null when somebody else has been quicker. Does not wait, so that nobody finds an arbiter which is
// none yet.
std::unique_ptr<Directory> become_arbiter(Actor& actor, const std::vector<Answer>& answers) {
  const std::vector<Address>& wanted = actor.config().registry;
  std::vector<Address> taken;
  try {
    taken = take_addresses(actor, wanted);
  } catch (const TransportClosed& closed) {
    throw TransportClosed(closed.reason(),
                          "no arbiter answers (" + reasons(answers) +
                              "), and this program cannot become one: " + closed.what());
  }
  if (taken.empty()) return nullptr;
  std::for_each(taken.rbegin(), taken.rend(), [&](const Address& each) { actor.put_first(each); });
  const auto open = std::find_if(wanted.begin(), wanted.end(),
                                 [](const Address& address) { return !address.is_local(); });
  if (open != wanted.end()) actor.set_public_host(open->host());
  return std::make_unique<LocalDirectory>(actor);
}

[[noreturn]] void throw_occupied(const Actor& actor, const std::vector<Answer>& answers) {
  if (actor.config().ensure_registry) {
    throw TransportClosed(Reason::in_use,
                          "with ensure_registry this program is to be the arbiter, but another "
                          "one listens at " +
                              actor.config().registry.front().str() +
                              " already; end that one, or leave ensure_registry out to join it");
  }
  throw TransportClosed(Reason::in_use,
                        actor.config().registry.front().str() +
                            " is occupied, but what listens there does not answer as an arbiter "
                            "does; end it, or choose another arbiter_addr (" +
                            reasons(answers) + ")");
}

}  // namespace

std::unique_ptr<Directory> join_cluster(Actor& actor) {
  const ActorConfig& config = actor.config();
  const TimePoint deadline = current_time() + join_limit;
  for (auto pause = first_pause;; pause = std::min(2 * pause, longest_pause)) {
    std::vector<Answer> answers(config.registry.size());
    if (!config.ensure_registry) answers = ask_all(actor, config.registry);
    const bool answered = std::any_of(answers.begin(), answers.end(),
                                      [](const Answer& answer) { return answer.arbiter; });
    if (answered) return join(actor, answers);
    if (auto directory = become_arbiter(actor, answers)) return directory;
    if (config.ensure_registry || current_time() >= deadline) throw_occupied(actor, answers);
    sleep(pause);
  }
}

}  // namespace troupe
