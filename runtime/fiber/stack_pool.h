// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stacks for fibers, cut from large mappings ("slabs"). The free list lies outside of the stacks,
// so that a stack which nobody uses costs no page; freed stacks are reused last-in first-out, while
// their pages are warm. A stack gets its guard when it is first handed out: a process with few
// tasks pays for few.
//
// The lowest page of each stack is a guard. Linux 6.13 and later install it without a mapping of
// its own (MADV_GUARD_INSTALL); before, the first `max_mprotect_guards` stacks get one by mprotect
// (each costs two mappings of the 65,530 that a process may have), and the rest a canary which is
// looked at on release.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe {

/// Hands out stacks of one size. Threads: one pool belongs to one thread.
class StackPool {
 public:
  /// `stack_size` is rounded up to whole pages, eight at least; the guard page comes out of it.
  explicit StackPool(std::size_t stack_size);
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;
  ~StackPool();

  /// The top of a free stack (its highest address, page-aligned). Throws `std::bad_alloc` when
  /// memory is used up.
  char* allocate();
  /// Takes a stack back.
  void release(char* top) noexcept;

  /// Size of each stack, its guard included, in octets.
  std::size_t stack_size() const noexcept { return stack_size_; }
  /// Whether `address` lies in the guard of one of this pool's stacks, and if so the stack's top,
  /// else null.
  char* stack_of_guard(const void* address) const noexcept;

  /// How many stacks get a guard by mprotect where the kernel has nothing better.
  static constexpr std::size_t max_mprotect_guards = 16'000;

 private:
  char* allocate_fresh();
  void add_slab();
  void guard(char* bottom) noexcept;

  std::size_t stack_size_;
  std::size_t stacks_per_slab_;
  std::vector<char*> slabs_;
  std::vector<char*> free_;  // tops of stacks that were used before
  std::size_t fresh_ = 0;    // how many of the last slab never were
  std::size_t mprotect_guards_ = 0;
  std::vector<unsigned> valgrind_ids_;  // of the stacks, while valgrind runs
};

}  // namespace troupe
