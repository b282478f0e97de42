// SPDX-License-Identifier: Apache-2.0
#pragma once

// A move-only `std::function`: holds closures that own move-only things. (C++23 has
// std::move_only_function.) And one whose copies share them.

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace troupe {

template <class Signature>
class UniqueFunction;

/// Owns any callable of the given signature, a move-only one too. Small callables are stored in
/// place.
template <class R, class... Args>
class UniqueFunction<R(Args...)> {
 public:
  /// Holds nothing; calling it is undefined.
  UniqueFunction() noexcept = default;
  UniqueFunction(std::nullptr_t) noexcept {
  }  // NOLINT(google-explicit-constructor): as std::function

  /// Takes over a callable.
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
      UniqueFunction(F&& callable) {  // NOLINT(google-explicit-constructor): as std::function
    construct<std::decay_t<F>>(std::forward<F>(callable));
  }

  /// Makes a callable of type `Held` in place.
  template <class Held, class... Parts>
  explicit UniqueFunction(std::in_place_type_t<Held>, Parts&&... parts) {
    construct<Held>(std::forward<Parts>(parts)...);
  }

  UniqueFunction(UniqueFunction&& other) noexcept { take(other); }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~UniqueFunction() { reset(); }

  /// Calls the callable.
  R operator()(Args... args) { return vtable_->call(&storage_, std::forward<Args>(args)...); }
  /// Whether there is a callable.
  explicit operator bool() const noexcept { return vtable_ != nullptr; }

  /// The octets of the callable itself, wherever it is stored.
  struct Octets {
    const void* data;
    std::size_t size;
  };
  /// Where the callable lies: what looks for stray pointers needs it. In debug builds octets that
  /// no constructor wrote are zero. There must be a callable.
  Octets octets() const noexcept {
    if (vtable_->in_place) return {&storage_, vtable_->size};
    return {*reinterpret_cast<void* const*>(&storage_), vtable_->size};
  }

 private:
  static constexpr std::size_t capacity = 6 * sizeof(void*);

  struct VTable {
    R (*call)(void*, Args&&...);
    void (*move)(void* from, void* to) noexcept;  // leaves nothing behind in `from`
    void (*destroy)(void*) noexcept;
    std::size_t size;
    bool in_place;
  };

  template <class Held>
  static constexpr bool fits =
      sizeof(Held) <= capacity &&
      alignof(Held) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<Held>;

  template <class Held>
  static Held& held(void* storage) noexcept {
    if constexpr (fits<Held>) {
      return *std::launder(static_cast<Held*>(storage));
    } else {
      return **static_cast<Held**>(storage);
    }
  }

  template <class Held>
  static void* allocate() {
    if constexpr (alignof(Held) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
      return ::operator new (sizeof(Held), std::align_val_t{alignof(Held)});
    } else {
      return ::operator new(sizeof(Held));
    }
  }

  template <class Held>
  static void deallocate(void* memory) noexcept {
    if constexpr (alignof(Held) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
      ::operator delete (memory, std::align_val_t{alignof(Held)});
    } else {
      ::operator delete(memory);
    }
  }

  template <class Held, class... Parts>
  void construct(Parts&&... parts) {
    if constexpr (fits<Held>) {
      clear_storage();
      ::new (static_cast<void*>(&storage_)) Held(std::forward<Parts>(parts)...);
    } else {
      pointer() = make_on_heap<Held>(std::forward<Parts>(parts)...);
    }
    vtable_ = &vtable_of<Held>;
#if !defined(NDEBUG) && defined(__GNUC__) && !defined(__clang__)
    // It may have been copied with its padding. (clang has no such builtin.)
    if constexpr (std::is_trivially_copyable_v<Held>)
      __builtin_clear_padding(&held<Held>(&storage_));
#endif
  }

  // As `new Held`, but in debug builds the memory is cleared first.
  template <class Held, class... Parts>
  static Held* make_on_heap(Parts&&... parts) {
    void* memory = allocate<Held>();
#ifndef NDEBUG
    std::memset(memory, 0, sizeof(Held));
#endif
    try {
      return ::new (memory) Held(std::forward<Parts>(parts)...);
    } catch (...) {
      deallocate<Held>(memory);
      throw;
    }
  }

  template <class Held>
  static void delete_from_heap(Held* object) noexcept {
    object->~Held();
    deallocate<Held>(object);
  }

  template <class Held>
  static constexpr VTable vtable_of = {[](void* storage, Args&&... args) -> R {
                                         if constexpr (std::is_void_v<R>) {
                                           held<Held>(storage)(std::forward<Args>(args)...);
                                         } else {
                                           return held<Held>(storage)(std::forward<Args>(args)...);
                                         }
                                       },
                                       [](void* from, void* to) noexcept {
                                         if constexpr (fits<Held>) {
                                           ::new (to) Held(std::move(held<Held>(from)));
                                           held<Held>(from).~Held();
                                         } else {
                                           *static_cast<void**>(to) = *static_cast<void**>(from);
                                         }
                                       },
                                       [](void* storage) noexcept {
                                         if constexpr (fits<Held>) {
                                           held<Held>(storage).~Held();
                                         } else {
                                           delete_from_heap(&held<Held>(storage));
                                         }
                                       },
                                       sizeof(Held), fits<Held>};

  void clear_storage() noexcept {
#ifndef NDEBUG
    std::memset(&storage_, 0, sizeof storage_);
#endif
  }

  void*& pointer() noexcept { return *reinterpret_cast<void**>(&storage_); }

  void take(UniqueFunction& other) noexcept {
    vtable_ = std::exchange(other.vtable_, nullptr);
    if (vtable_ == nullptr) return;
    clear_storage();
    vtable_->move(&other.storage_, &storage_);
  }

  void reset() noexcept {
    if (vtable_ != nullptr) std::exchange(vtable_, nullptr)->destroy(&storage_);
  }

  alignas(std::max_align_t) std::byte storage_[capacity];
  const VTable* vtable_ = nullptr;
};

/// A callable that is shared by its copies: what values hold, whose closure may not be copyable.
template <class Signature>
class SharedFunction;

template <class R, class... Args>
class SharedFunction<R(Args...)> {
 public:
  /// Holds nothing; calling it is undefined.
  SharedFunction() noexcept = default;
  SharedFunction(std::nullptr_t) noexcept {
  }  // NOLINT(google-explicit-constructor): as std::function

  /// Takes over a callable.
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, SharedFunction> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
      SharedFunction(F&& callable)  // NOLINT(google-explicit-constructor): as std::function
  {
    UniqueFunction<R(Args...)> function(std::forward<F>(callable));
    if (function) function_ = std::make_shared<UniqueFunction<R(Args...)>>(std::move(function));
  }

  /// Calls the callable.
  R operator()(Args... args) const { return (*function_)(std::forward<Args>(args)...); }
  /// Whether there is a callable.
  explicit operator bool() const noexcept { return function_ != nullptr; }

 private:
  std::shared_ptr<UniqueFunction<R(Args...)>> function_;
};

}  // namespace troupe
