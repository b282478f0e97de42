// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an actor has found before: who has a name that it has looked for, kept true by a watch at
// the arbiter, so that looking for it again costs no message. An entry lives as long as its watch.

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "troupe/discovery/arbiter_link.h"
#include "troupe/runtime/actor/directory.h"

namespace troupe {

class Actor;

namespace detail {
struct RegistryNews;
}

/// Names and their actors. Resource; its watches are tasks of the actor's runtime.
class FindCache {
 public:
  /// How many names are kept; the ones looked for first.
  static constexpr std::size_t max_names = 256;

  /// Lifetime: both outlive the actor's runtime.
  FindCache(Actor& actor, ArbiterLink& link) noexcept : actor_(actor), link_(link) {}

  /// The actor of that name that came last; empty when the name is not kept, or nobody has it.
  /// Never waits.
  std::optional<DirectoryEntry> find(const std::string& name) const;
  /// Keeps who has the name from now on, if there is room. Never waits.
  void keep(const std::string& name);

 private:
  struct Name {
    std::vector<DirectoryEntry> entries{};  // the last that came first
    bool complete = false;                  // everybody who was in has been told
  };

  void watch(const std::string& name);
  static void apply(Name& known, const std::string& name, const detail::RegistryNews& news);

  Actor& actor_;
  ArbiterLink& link_;
  std::unordered_map<std::string, Name> names_;
};

}  // namespace troupe
