// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/dangling_guard.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/nursery.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_DEFINED(address, size) static_cast<void>(0)
#endif

namespace troupe::detail {

#ifdef NDEBUG

void DanglingGuard::call(const BodyRef& body) { body(); }
void DanglingGuard::check(IntrusiveList<Task, InNursery>&) const noexcept {}
bool DanglingGuard::enabled() noexcept { return false; }

#else

namespace {

// How much of the unused stack is cleared before a body runs. What earlier calls have left there
// would else shine through where objects of the body have octets that nobody writes.
constexpr std::size_t cleared = 6 * 1024;

[[gnu::noinline]] void clear_stack_below() {
  char area[cleared];
  std::memset(area, 0, sizeof area);
  asm volatile("" : : "r"(area) : "memory");  // keeps the compiler from leaving it out
}

struct Range {
  std::uintptr_t begin;
  std::uintptr_t end;
  bool contains(std::uintptr_t address) const noexcept { return address >= begin && address < end; }
};

// The octets that a closure was copied from, with the same size.
Range origin_of(const Task& task) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(task.body_origin);
  return {begin, begin == 0 ? 0 : begin + task.body.octets().size};
}

// The first word of `closure` that is an address in `dead`, or 0. A capture by reference is a
// pointer, so it is aligned as one. An address in `origin` is none: it shines through padding from
// a string that lay where the closure then was made (short strings point to themselves). Nor is
// one that ends in 01, which is what a bool with such padding looks like.
std::uintptr_t find_address(UniqueFunction<void()>::Octets closure, Range dead,
                            Range origin) noexcept {
  const auto* const octets = static_cast<const char*>(closure.data);
  for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= closure.size;
       at += sizeof(std::uintptr_t)) {
    std::uintptr_t word;
    std::memcpy(&word, octets + at, sizeof word);
    VALGRIND_MAKE_MEM_DEFINED(&word, sizeof word);  // padding counts as undefined
    if (dead.contains(word) && !origin.contains(word) && (word & 0xff) != 1) return word;
  }
  return 0;
}

void report(const Task& task, std::uintptr_t address) noexcept {
  std::fprintf(
      stderr,
      "troupe: error: fiber: task '%s', started at %s:%u, holds the address %#jx in the dead stack "
      "of its nursery's body: what a task captures by reference must be declared outside of the "
      "body, or the body must call wait_all() before it ends. (TROUPE_ALLOW_DANGLING=1 in the "
      "environment makes this a warning.)\n",
      task.display_name().c_str(), task.start.file_name(), unsigned{task.start.line()},
      static_cast<std::uintmax_t>(address));
}

}  // namespace

[[gnu::noinline]] void DanglingGuard::call(const BodyRef& body) {
  frame_ = __builtin_frame_address(0);
  const auto room = static_cast<const char*>(frame_) - Loop::current().stack_limit();
  if (room > static_cast<std::ptrdiff_t>(2 * cleared)) clear_stack_below();
  body();
  asm volatile("" : : : "memory");  // no tail call: the body's frame has to lie below this one
}

void DanglingGuard::check(IntrusiveList<Task, InNursery>& children) const noexcept {
  if (children.empty()) return;
  const Range dead{reinterpret_cast<std::uintptr_t>(Loop::current().stack_limit()),
                   reinterpret_cast<std::uintptr_t>(frame_)};
  children.for_each([&](Task& task) {
    if (!task.body) return;
    const std::uintptr_t address = find_address(task.body.octets(), dead, origin_of(task));
    if (address == 0) return;
    report(task, address);
    if (std::getenv("TROUPE_ALLOW_DANGLING") == nullptr) std::abort();
  });
}

bool DanglingGuard::enabled() noexcept { return true; }

#endif

}  // namespace troupe::detail
