// SPDX-License-Identifier: Apache-2.0
#pragma once

// A doubly linked list whose links lie in its elements: no allocation, constant-time removal from
// the middle. The scheduler's queues, cancel scopes and wait queues are made of it. Elements unlink
// themselves when they die.

#include <cstddef>
#include <utility>

namespace troupe {

/// A link in an `IntrusiveList`. An element inherits one hook (with a `Tag` of its own) for each
/// list it may be in.
template <class Tag>
class ListHook {
 public:
  ListHook() noexcept = default;
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;
  ~ListHook() { unlink(); }

  /// Whether the element is in a list.
  bool linked() const noexcept { return next_ != nullptr; }

  /// Leaves the list; nothing happens when in none.
  void unlink() noexcept {
    if (next_ == nullptr) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  template <class T, class OtherTag>
  friend class IntrusiveList;

  ListHook* next_ = nullptr;
  ListHook* previous_ = nullptr;
};

/// A list of `T`, each of which inherits `ListHook<Tag>`. Owns nothing.
template <class T, class Tag>
class IntrusiveList {
 public:
  IntrusiveList() noexcept { head_.next_ = head_.previous_ = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    while (!empty()) pop_front();
    head_.next_ = head_.previous_ = nullptr;
  }

  /// Whether there is no element.
  bool empty() const noexcept { return head_.next_ == &head_; }

  /// Appends an element, which must be in no list with the same tag.
  void push_back(T& element) noexcept { insert_before(head_, element); }
  /// Prepends an element, which must be in no list with the same tag.
  void push_front(T& element) noexcept { insert_before(*head_.next_, element); }

  /// The first element; the list must not be empty.
  T& front() noexcept { return of(*head_.next_); }

  /// Removes and returns the first element; the list must not be empty.
  T& pop_front() noexcept {
    T& first = front();
    static_cast<Hook&>(first).unlink();
    return first;
  }

  /// The element after `element`, or null at the end.
  T* next(T& element) noexcept {
    Hook* following = static_cast<Hook&>(element).next_;
    return following == &head_ ? nullptr : &of(*following);
  }

  /// The first element, or null.
  T* first() noexcept { return empty() ? nullptr : &front(); }

  /// Calls `fn` with each element; `fn` may remove the element it is given, and no other.
  template <class Fn>
  void for_each(Fn&& fn) {
    for (Hook* at = head_.next_; at != &head_;) {
      Hook* following = at->next_;
      fn(of(*at));
      at = following;
    }
  }

  /// Moves every element of `other` to the end of this list, in constant time.
  void splice_back(IntrusiveList& other) noexcept {
    if (other.empty()) return;
    other.head_.next_->previous_ = head_.previous_;
    head_.previous_->next_ = other.head_.next_;
    other.head_.previous_->next_ = &head_;
    head_.previous_ = other.head_.previous_;
    other.head_.next_ = other.head_.previous_ = &other.head_;
  }

  /// Counts the elements, one by one.
  std::size_t size() const noexcept {
    std::size_t count = 0;
    for (const Hook* at = head_.next_; at != &head_; at = at->next_) ++count;
    return count;
  }

 private:
  using Hook = ListHook<Tag>;

  static T& of(Hook& hook) noexcept { return static_cast<T&>(hook); }

  void insert_before(Hook& position, T& element) noexcept {
    Hook& hook = element;
    hook.next_ = &position;
    hook.previous_ = position.previous_;
    position.previous_->next_ = &hook;
    position.previous_ = &hook;
  }

  Hook head_;
};

}  // namespace troupe
