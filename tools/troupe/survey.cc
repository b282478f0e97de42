// SPDX-License-Identifier: Apache-2.0
#include "troupe/tools/troupe/survey.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "troupe/discovery/cluster.h"
#include "troupe/discovery/registry_calls.h"
#include "troupe/ipc/errors.h"
#include "troupe/ipc/key_file.h"
#include "troupe/ipc/locality.h"
#include "troupe/ipc/transport.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/run_directory.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe::tool {
namespace {

using detail::Answer;

// A socket's name in a run directory is the beginning of its actor's uuid.
constexpr std::size_t id_size = 16;

class Survey {
 public:
  Survey(TaskNursery& nursery, const SurveyOptions& options)
      : nursery_(nursery), options_(options) {}

  // Notes what is known of an actor, and asks it unless that was done. Empty fields: not known.
  void meet(const detail::ActorReport& known, const std::vector<Address>& addresses,
            const Key& key) {
    const std::string id = known.uid.uuid.substr(0, id_size);
    const auto [place, is_new] = sightings_.try_emplace(id);
    Sighting& sighting = place->second;
    if (sighting.answer != Answer::given) complete(sighting.report, known);
    if (!is_new || addresses.empty()) return;
    sighting.addresses = addresses;
    sighting.key = key;
    nursery_.start_soon("ask " + id, [this, &sighting] { ask(sighting); });
  }

  std::vector<Sighting> take() {
    std::vector<Sighting> all;
    for (auto& [id, sighting] : sightings_) {
      // What a killed actor leaves, and nobody knows of.
      if (sighting.answer == Answer::gone && sighting.report.uid.name.empty()) continue;
      all.push_back(std::move(sighting));
    }
    return all;
  }

 private:
  static void complete(detail::ActorReport& report, const detail::ActorReport& known) {
    if (report.uid.name.empty()) report.uid = known.uid;
    if (report.pid == 0) report.pid = known.pid;
    if (report.parent.uuid.empty()) report.parent = known.parent;
    if (report.addresses.empty()) report.addresses = known.addresses;
  }

  void ask(Sighting& sighting) {
    const TimePoint begin = current_time();
    try {
      move_on_after(options_.timeout, [&] {
        Portal portal = Actor::booted().portal_at(sighting.addresses, &*sighting.key);
        sighting.report = portal.run<&detail::report_actor>(options_.tasks);
        sighting.portal = std::move(portal);
        sighting.answer = Answer::given;
      });
    } catch (const Error&) {
      // Who hangs lets a handshake wait until that gives up by itself.
      const bool at_once = current_time() - begin < TransportOptions{}.times.handshake;
      sighting.answer = at_once ? Answer::gone : Answer::none;
    }
    if (sighting.answer == Answer::given) meet_family(sighting);
  }

  void meet_family(const Sighting& sighting) {
    const detail::ActorReport report = sighting.report;
    const Key key = *sighting.key;
    for (const detail::ChildReport& child : report.children) {
      detail::ActorReport known;
      known.uid = child.uid;
      known.pid = child.pid;
      known.parent = report.uid;
      std::vector<Address> addresses;
      if (!child.address.empty()) {  // else it is about to be given one
        known.addresses = {child.address};
        addresses.push_back(Address::parse(child.address));
      }
      meet(known, addresses, key);
    }
    const auto parent = sightings_.find(report.parent.uuid.substr(0, id_size));
    if (parent == sightings_.end() || parent->second.answer == Answer::given) return;
    detail::ActorReport known;
    known.uid = report.parent;
    complete(parent->second.report, known);
  }

  TaskNursery& nursery_;
  const SurveyOptions& options_;
  std::map<std::string, Sighting>
      sightings_;  // by the beginning of the uuid; it stays in its place
};

detail::ActorReport known_of(const DirectoryEntry& entry) {
  detail::ActorReport known;
  known.uid = entry.uid;
  known.parent.uuid = entry.parent;
  for (const Address& address : entry.addresses) known.addresses.push_back(address.str());
  return known;
}

Key key_of_run(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "key";
  std::error_code missing;
  if (std::filesystem::exists(file, missing)) return read_key_file(file.string());
  return cluster_key(Actor::booted().config(), {});  // it has joined others
}

void meet_run(Survey& survey, const std::filesystem::path& directory) {
  std::error_code gone;  // it may end at any moment
  const auto files = std::filesystem::directory_iterator(directory, gone);
  if (gone) return;
  const Key key = key_of_run(directory);
  for (const auto& file : files) {
    if (!file.is_socket(gone)) continue;
    detail::ActorReport known;
    known.uid.uuid = file.path().filename().string();
    known.addresses = {"ipc://" + file.path().string()};
    survey.meet(known, {Address::parse(known.addresses.front())}, key);
  }
}

}  // namespace

std::vector<Sighting> survey_arbiter(const Address& arbiter, const SurveyOptions& options) {
  Actor& self = Actor::booted();
  const Key key = cluster_key(self.config(), {arbiter});
  std::vector<detail::RegistryRecord> records;
  const auto answered = move_on_after(options.timeout, [&] {
    const Portal portal = self.portal_at({arbiter}, &key);
    records = options.name.empty() ? portal.run<&detail::registry_list>()
                                   : portal.run<&detail::registry_find>(options.name);
  });
  if (!answered) {
    throw TransportClosed(TransportClosed::Reason::unreachable,
                          "what listens at " + arbiter.str() + " does not answer in time");
  }
  std::vector<Sighting> seen;
  open_task_nursery([&](TaskNursery& n) {
    Survey survey(n, options);
    for (const detail::RegistryRecord& record : records) {
      const DirectoryEntry entry = record.entry();
      survey.meet(known_of(entry), nearest_first(entry.addresses, entry.host), key);
    }
    n.wait_all();
    seen = survey.take();
  });
  return seen;
}

std::vector<Sighting> survey_own_trees(const SurveyOptions& options) {
  const std::string own = Actor::booted().config().run_directory;
  std::vector<Sighting> seen;
  open_task_nursery([&](TaskNursery& n) {
    Survey survey(n, options);
    for (const auto& entry : std::filesystem::directory_iterator(user_runtime_directory())) {
      const std::filesystem::path& path = entry.path();
      if (!path.filename().string().starts_with("run-") || path == own) continue;
      try {
        meet_run(survey, path);
      } catch (const UsageError&) {  // its key went with it
      }
    }
    n.wait_all();
    seen = survey.take();
  });
  return seen;
}

}  // namespace troupe::tool
