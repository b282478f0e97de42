// SPDX-License-Identifier: Apache-2.0
#pragma once

// The iterator of everything that is received until it ends: channels, broadcasts, streams. It
// fetches a value only when somebody looks (compares with the end, or dereferences), never ahead:
// `receive | std::views::take(3)` takes three. (`std::views::filter` does look ahead: followed by
// `take`, it waits for one match more than it gives.)

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>

namespace troupe {

/// Receives by `source.next()`, which returns an empty optional at the end. An input iterator.
template <class Source>
class ReceiveIterator {
 public:
  using value_type = typename Source::value_type;
  using difference_type = std::ptrdiff_t;
  using reference = value_type&;
  using pointer = value_type*;
  using iterator_category = std::input_iterator_tag;
  using iterator_concept = std::input_iterator_tag;

  ReceiveIterator() = default;
  /// Lifetime: `source` outlives the iterator.
  explicit ReceiveIterator(Source& source) noexcept : source_(&source) {}

  /// The value received. Checkpoint, the first time.
  reference operator*() const {
    fetch();
    return *value_;
  }
  /// Member access to the value received.
  pointer operator->() const { return &**this; }
  /// Goes on to the next value, without waiting for it.
  ReceiveIterator& operator++() {
    fetch();
    fetched_ = false;
    return *this;
  }
  void operator++(int) { ++*this; }

  /// Whether the end has come. Checkpoint, the first time.
  friend bool operator==(const ReceiveIterator& at, std::default_sentinel_t) {
    at.fetch();
    return !at.value_.has_value();
  }

 private:
  void fetch() const {
    if (fetched_) return;
    value_.reset();
    // Emplaced, so that values that cannot be assigned may be iterated over, too.
    if (auto value = source_->next()) value_.emplace(*std::move(value));
    fetched_ = true;
  }

  Source* source_ = nullptr;
  mutable std::optional<value_type> value_;
  mutable bool fetched_ = false;
};

}  // namespace troupe
