// SPDX-License-Identifier: Apache-2.0
#pragma once

// Several receiving ends as one: their values in the order in which they arrived, whichever end
// they came by. For one stream per task use a nursery and a channel that all tasks send into.

#include <concepts>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "troupe/runtime/fiber/conflict_detector.h"
#include "troupe/runtime/fiber/loop_core.h"
#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/receive_iterator.h"

namespace troupe {

/// What `merge` needs of a receiving end. Streams of other kinds implement it, and overload
/// `merge_source` for themselves.
template <class T>
class MergeSource {
 public:
  using value_type = T;
  virtual ~MergeSource() = default;
  /// Whether `take` would not wait.
  virtual bool has_value() const = 0;
  /// The number (see `detail::last_arrival`) of the value that `take` gives.
  virtual std::uint64_t first_arrival() const = 0;
  /// Takes a value that is there.
  virtual T take() = 0;
  /// Whether nothing will come any more, when `has_value()` is false.
  virtual bool at_end() const = 0;
  /// Has `watcher` told whenever `has_value` or `at_end` may have become true, until it is
  /// unlinked.
  virtual void watch(detail::ArrivalWatcher& watcher) = 0;
};

namespace detail {

template <class T>
class ChannelMergeSource final : public MergeSource<T> {
 public:
  explicit ChannelMergeSource(MemoryReceiveChannel<T> channel) : channel_(std::move(channel)) {}
  bool has_value() const override { return channel_.state().has_value(); }
  std::uint64_t first_arrival() const override { return channel_.state().first_arrival(); }
  T take() override { return channel_.state().take(); }
  bool at_end() const override { return channel_.state().at_end(); }
  void watch(ArrivalWatcher& watcher) override { channel_.state().watch(watcher); }

 private:
  MemoryReceiveChannel<T> channel_;
};

}  // namespace detail

/// The receiving end of a memory channel as a source of `merge`. Throws `BrokenChannel` when it is
/// closed.
template <class T>
std::unique_ptr<MergeSource<T>> merge_source(const MemoryReceiveChannel<T>& end) {
  return std::make_unique<detail::ChannelMergeSource<T>>(end.clone());
}
/// The same, taking it over.
template <class T>
std::unique_ptr<MergeSource<T>> merge_source(MemoryReceiveChannel<T>&& end) {
  if (end.closed()) detail::ChannelCore::throw_closed(detail::ChannelSide::receive);
  return std::make_unique<detail::ChannelMergeSource<T>>(std::move(end));
}

namespace detail {

/// A task that waits for any of several sources. Tells one from the other no more than that.
class MergeWait : public Wait {
 public:
  MergeWait();
  void notify() noexcept;

 private:
  bool notified_ = false;
};

class MergeWatcher final : public ArrivalWatcher {
 public:
  void on_arrival() noexcept override { wait->notify(); }
  MergeWait* wait = nullptr;
};

[[noreturn]] void throw_merge_closed();
[[noreturn]] void throw_merge_end();
[[noreturn]] void throw_merge_empty();
extern const char* const merge_conflict;

/// The sources of a merged end.
template <class T>
class MergeState {
 public:
  void add(std::unique_ptr<MergeSource<T>> source) { sources_.push_back(std::move(source)); }

  /// Empty at the end.
  std::optional<T> next() {
    LoopCore& loop = LoopCore::current();
    loop.check_cancelled();
    const ConflictDetector::Use use = conflict_.enter();
    std::optional<T> value;
    for (bool ended = take_first(value); !value && !ended; ended = take_first(value)) wait(loop);
    loop.spend();
    return value;
  }
  /// Takes the value that arrived first, if there is one; returns whether the end has come.
  bool take_first(std::optional<T>& value) {
    MergeSource<T>* first = nullptr;
    bool ended = true;
    for (const auto& source : sources_) {
      if (source->has_value()) {
        if (first == nullptr || source->first_arrival() < first->first_arrival())
          first = source.get();
      } else {
        ended &= source->at_end();
      }
    }
    if (first != nullptr) value.emplace(first->take());
    return first == nullptr && ended;
  }
  ConflictDetector& conflict() noexcept { return conflict_; }

 private:
  void wait(LoopCore& loop) {
    MergeWait wait;
    if (watchers_.empty()) watchers_ = std::vector<MergeWatcher>(sources_.size());
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      watchers_[i].wait = &wait;
      if (!sources_[i]->at_end()) sources_[i]->watch(watchers_[i]);
    }
    struct Unlink {
      std::vector<MergeWatcher>& watchers;
      ~Unlink() {
        for (MergeWatcher& watcher : watchers) watcher.unlink();
      }
    } const unlink{watchers_};
    loop.park(wait);
  }

  std::vector<std::unique_ptr<MergeSource<T>>> sources_;
  std::vector<MergeWatcher> watchers_;  // one per source, linked during a wait
  ConflictDetector conflict_{merge_conflict};
};

}  // namespace detail

/// Several receiving ends as one; an input range of what comes. Moved, not copied. Used by one task
/// at a time. Made by `merge`.
template <class T>
class MergedReceive {
 public:
  using value_type = T;
  using Iterator = ReceiveIterator<const MergedReceive>;

  /// Receives the next value. Checkpoint. Throws `EndOfChannel` when all ends have come to theirs,
  /// `BrokenChannel` when this one is closed, `UsageError` when another task receives from it.
  T receive() const {
    std::optional<T> value = next();
    if (!value) detail::throw_merge_end();
    return *std::move(value);
  }
  /// Receives the next value; empty at the end. Checkpoint. Throws else as `receive`.
  std::optional<T> next() const { return state().next(); }
  /// Receives a value that is there. Never waits for one; where a stream ended with its actor's
  /// connection, for a moment until it is known how. Throws `WouldBlock` if there is none; else as
  /// `receive`.
  T receive_nowait() const {
    std::optional<T> value;
    if (take_first(value)) detail::throw_merge_end();
    if (!value) detail::throw_merge_empty();
    return *std::move(value);
  }
  /// Receives a value that is there; empty if there is none, at the end too. Waits, and throws, as
  /// `receive_nowait` at the end of a stream.
  std::optional<T> try_receive() const {
    std::optional<T> value;
    take_first(value);
    return value;
  }
  /// Lets go of the ends. Throws `UsageError` while a task receives. Never waits.
  void close() {
    if (state_ == nullptr) return;
    static_cast<void>(state_->conflict().enter());
    state_.reset();
  }
  /// Iterates over what comes, up to the end.
  Iterator begin() const noexcept { return Iterator(*this); }
  /// The end.
  std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

  /// For `merge`.
  explicit MergedReceive(std::unique_ptr<detail::MergeState<T>> state) : state_(std::move(state)) {}

 private:
  detail::MergeState<T>& state() const {
    if (state_ == nullptr) detail::throw_merge_closed();
    return *state_;
  }
  bool take_first(std::optional<T>& value) const {
    const ConflictDetector::Use use = state().conflict().enter();
    return state().take_first(value);
  }

  std::unique_ptr<detail::MergeState<T>> state_;
};

/// Makes one receiving end of several of the same value type. An end given as an lvalue stays
/// usable (it is cloned: each value goes to one of the two), an rvalue is taken over. Never waits.
/// Throws `BrokenChannel` when an end is closed.
///
///     for (int value : merge(left, right)) …
template <class First, class... Others>
auto merge(First&& first, Others&&... others) {
  using T = typename decltype(merge_source(std::forward<First>(first)))::element_type::value_type;
  auto state = std::make_unique<detail::MergeState<T>>();
  state->add(merge_source(std::forward<First>(first)));
  (state->add(merge_source(std::forward<Others>(others))), ...);
  return MergedReceive<T>(std::move(state));
}

}  // namespace troupe
