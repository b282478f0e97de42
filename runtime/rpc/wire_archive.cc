// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/wire_archive.h"

#include <map>
#include <set>
#include <typeindex>
#include <utility>
#include <vector>

namespace troupe::detail {

std::uint32_t class_version(const std::type_info& type, std::uint32_t seen_here) {
  using Registered = cereal::detail::StaticObject<cereal::detail::Versions>;
  [[maybe_unused]] const auto lock = Registered::lock();
  return Registered::getInstance().find(type.hash_code(), seen_here);
}

struct ArchiveNotes::Notes {
  std::set<std::pair<const void*, std::type_index>> bases;
  std::map<std::type_index, std::uint32_t> versions;
  std::vector<UniqueFunction<void()>> deferred;
};

ArchiveNotes::Notes& ArchiveNotes::notes() {
  if (notes_ == nullptr) notes_ = new Notes();
  return *notes_;
}

void ArchiveNotes::drop() noexcept { delete notes_; }

bool ArchiveNotes::first_visit(const void* base, const std::type_info& type) {
  return notes().bases.emplace(base, type).second;
}

std::optional<std::uint32_t> ArchiveNotes::version(const std::type_info& type) const {
  if (notes_ == nullptr) return std::nullopt;
  const auto found = notes_->versions.find(type);
  if (found == notes_->versions.end()) return std::nullopt;
  return found->second;
}

void ArchiveNotes::set_version(const std::type_info& type, std::uint32_t version) {
  notes().versions.emplace(type, version);
}

void ArchiveNotes::defer(UniqueFunction<void()> work) {
  notes().deferred.push_back(std::move(work));
}

void ArchiveNotes::run_deferred() {
  if (notes_ == nullptr) return;
  // By index, and moved out: what is deferred may itself defer.
  for (std::size_t i = 0; i < notes_->deferred.size(); ++i) {
    UniqueFunction<void()> work = std::move(notes_->deferred[i]);
    work();
  }
  notes_->deferred.clear();
}

}  // namespace troupe::detail
