// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/stack_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "troupe/runtime/base/log.h"

// valgrind has to know of each stack, or it takes every switch for a wild write.
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id) static_cast<void>(id)
#endif

namespace troupe {
namespace {

constexpr int madv_guard_install =
    102;  // MADV_GUARD_INSTALL, Linux 6.13; glibc 2.36 does not name it yet
constexpr std::size_t slab_size = std::size_t{16} << 20;
constexpr std::uint64_t canary = 0x7472'6f75'7065'2121;

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

StackPool::StackPool(std::size_t stack_size)
    : stack_size_(std::max((stack_size + page_size() - 1) / page_size(), std::size_t{8}) *
                  page_size()),
      stacks_per_slab_(std::max(slab_size / stack_size_, std::size_t{1})) {}

StackPool::~StackPool() {
  for (const unsigned id : valgrind_ids_) VALGRIND_STACK_DEREGISTER(id);
  for (char* slab : slabs_) ::munmap(slab, stacks_per_slab_ * stack_size_);
}

char* StackPool::allocate() {
  if (free_.empty()) return allocate_fresh();
  char* top = free_.back();
  free_.pop_back();
  return top;
}

void StackPool::release(char* top) noexcept {
  // The canary of a stack without a guard page was never written when the kernel guards it.
  if (mprotect_guards_ >= max_mprotect_guards) {
    std::uint64_t word;
    std::memcpy(&word, top - stack_size_, sizeof word);
    if (word != 0 && word != canary) {
      log_message(LogLevel::error, "fiber",
                  "a task overflowed its stack of " + std::to_string(stack_size_) +
                      " octets; give tasks larger stacks");
      std::abort();
    }
  }
  free_.push_back(top);  // reserved in add_slab: does not throw
}

void StackPool::add_slab() {
  const std::size_t length = stacks_per_slab_ * stack_size_;
  void* mapped = ::mmap(nullptr, length, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  char* const slab = static_cast<char*>(mapped);
  ::madvise(slab, length, MADV_NOHUGEPAGE);  // a huge page would make every parked task cost 2 MiB
  slabs_.push_back(slab);
  free_.reserve(slabs_.size() * stacks_per_slab_);
  fresh_ = stacks_per_slab_;
}

// From the top of the slab down: the kernel gives neighbouring mappings in that order, too.
char* StackPool::allocate_fresh() {
  if (fresh_ == 0) add_slab();
  char* const bottom = slabs_.back() + --fresh_ * stack_size_;
  guard(bottom);
  if (RUNNING_ON_VALGRIND)
    valgrind_ids_.push_back(VALGRIND_STACK_REGISTER(bottom, bottom + stack_size_));
  return bottom + stack_size_;
}

void StackPool::guard(char* bottom) noexcept {
  if (::madvise(bottom, page_size(), madv_guard_install) == 0) return;
  if (mprotect_guards_ < max_mprotect_guards) {
    ++mprotect_guards_;
    if (::mprotect(bottom, page_size(), PROT_NONE) == 0) return;
  }
  std::memcpy(bottom, &canary, sizeof canary);
}

char* StackPool::stack_of_guard(const void* address) const noexcept {
  const auto* const at = static_cast<const char*>(address);
  for (char* slab : slabs_) {
    if (at < slab || at >= slab + stacks_per_slab_ * stack_size_) continue;
    const auto offset = static_cast<std::size_t>(at - slab);
    if (offset % stack_size_ >= page_size()) return nullptr;
    return slab + (offset / stack_size_ + 1) * stack_size_;
  }
  return nullptr;
}

}  // namespace troupe
