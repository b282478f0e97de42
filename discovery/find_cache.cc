// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/find_cache.h"

#include <exception>
#include <utility>

#include "troupe/discovery/registry_calls.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/fiber/nursery.h"

namespace troupe {

using detail::RegistryNews;

std::optional<DirectoryEntry> FindCache::find(const std::string& name) const {
  const auto known = names_.find(name);
  if (known == names_.end() || !known->second.complete || known->second.entries.empty())
    return std::nullopt;
  return known->second.entries.front();
}

void FindCache::keep(const std::string& name) {
  if (names_.size() >= max_names || !names_.try_emplace(name).second) return;
  try {
    actor_.runtime().start_soon("watch '" + name + "'", [this, name] { watch(name); });
  } catch (const std::exception&) {  // this actor has ended itself
    names_.erase(name);
  }
}

void FindCache::watch(const std::string& name) {
  struct Forget {
    FindCache& cache;
    const std::string& name;
    ~Forget() { cache.names_.erase(name); }
  } const forget{*this, name};
  try {
    link_.portal().open_stream<&detail::registry_watch>(name,
                                                        [&](ReceiveStream<RegistryNews>& stream) {
                                                          for (const RegistryNews& news : stream)
                                                            apply(names_.at(name), name, news);
                                                        });
  } catch (const std::exception& error) {
    log_line(LogLevel::runtime, "discovery", "no longer keeps who is '", name, "': ", error.what());
  }
}

void FindCache::apply(Name& known, const std::string& name, const RegistryNews& news) {
  if (news.kind == RegistryNews::Kind::those_are_in) {
    known.complete = true;
    return;
  }
  if (news.record.name != name) return;  // it only begins with it
  DirectoryEntry entry = news.record.entry();
  std::erase_if(known.entries, [&](const DirectoryEntry& each) { return each.uid == entry.uid; });
  if (news.kind == RegistryNews::Kind::left) return;
  // Those who were in come the last first.
  known.entries.insert(known.complete ? known.entries.begin() : known.entries.end(),
                       std::move(entry));
}

}  // namespace troupe
