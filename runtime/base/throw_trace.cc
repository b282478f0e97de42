// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/base/throw_trace.h"

#include <dlfcn.h>
#include <unistd.h>
#include <unwind.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>

namespace troupe {
namespace {

// ---- The switch

enum class Mode : int { undecided, off, on };

// The first throw may come before any constructor has run.
constinit std::atomic<Mode> mode{Mode::undecided};

Mode decide(bool wanted) noexcept {
  const char* const text = std::getenv("TROUPE_TRACEBACKS");
  if (text != nullptr && *text != '\0') wanted = std::strcmp(text, "0") != 0;
  return wanted ? Mode::on : Mode::off;
}

bool enabled() noexcept {
  Mode now = mode.load(std::memory_order_relaxed);
  if (now == Mode::undecided) {
    now = decide(true);
    mode.store(now, std::memory_order_relaxed);
  }
  return now == Mode::on;
}

constinit std::array<std::atomic<const std::type_info*>, 4> skipped_types{};

bool skipped(const std::type_info* type) noexcept {
  for (const auto& skip : skipped_types) {
    if (skip.load(std::memory_order_relaxed) == type) return true;
  }
  return false;
}

// ---- The table

struct Record {
  const void* exception = nullptr;
  const std::type_info* type = nullptr;
  std::size_t count = 0;
  std::array<std::uintptr_t, max_trace_frames> frames{};
};

// An exception's address says which set it belongs to, so the thousand short-lived ones that share
// an address drive out each other, and not those that somebody keeps.
struct RecordSet {
  std::atomic_flag busy{};
  std::size_t oldest = 0;
  std::array<Record, 4> records{};

  Record* find(const void* exception) noexcept {
    for (Record& record : records) {
      if (record.exception == exception) return &record;
    }
    return nullptr;
  }
  Record& place_for(const void* exception) noexcept {
    if (Record* const known = find(exception)) return *known;
    return records[oldest++ % records.size()];
  }
};

constexpr int set_bits = 6;
constinit std::array<RecordSet, std::size_t{1} << set_bits> table{};

RecordSet& set_of(const void* exception) noexcept {
  const std::uint64_t hash = reinterpret_cast<std::uintptr_t>(exception) * 0x9e3779b97f4a7c15u;
  return table[hash >> (64 - set_bits)];
}

constexpr int reader_tries = 10'000;

// A set is held for microseconds. A throw does not wait for it, and loses its trace; a reader tries
// for a while, but not for ever: a fork may have copied a set that was held.
class Hold {
 public:
  Hold(RecordSet& set, int tries) noexcept : set_(set) {
    while (tries-- > 0 && !held_) held_ = !set.busy.test_and_set(std::memory_order_acquire);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() {
    if (held_) set_.busy.clear(std::memory_order_release);
  }
  explicit operator bool() const noexcept { return held_; }

 private:
  RecordSet& set_;
  bool held_ = false;
};

// ---- Recording

struct Walk {
  std::uintptr_t thrower;  // where the walk becomes interesting: what is above is ours
  Record& record;
  int own_frames = 0;
  bool reached = false;
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* data) noexcept {
  constexpr int most_own_frames = 8;
  Walk& walk = *static_cast<Walk*>(data);
  const auto address = static_cast<std::uintptr_t>(_Unwind_GetIP(context));
  walk.reached |= address == walk.thrower;
  if (!walk.reached) {
    return ++walk.own_frames < most_own_frames ? _URC_NO_REASON : _URC_END_OF_STACK;
  }
  if (address == 0) return _URC_END_OF_STACK;
  walk.record.frames[walk.record.count++] = address;
  return walk.record.count < max_trace_frames ? _URC_NO_REASON : _URC_END_OF_STACK;
}

// Neither allocates nor throws.
void record_throw(const void* exception, const std::type_info* type,
                  std::uintptr_t thrower) noexcept {
  if (!enabled() || skipped(type)) return;
  RecordSet& set = set_of(exception);
  const Hold hold(set, 1);
  if (!hold) return;
  Record& record = set.place_for(exception);
  record.exception = exception;
  record.type = type;
  record.count = 0;
  Walk walk{thrower, record};
  _Unwind_Backtrace(&take_frame, &walk);
}

void forget_all() noexcept {
  for (RecordSet& set : table) {
    const Hold hold(set, reader_tries);
    if (!hold) continue;
    for (Record& record : set.records) record.exception = nullptr;
  }
}

// ---- Asking

// The address of the exception object is all that libstdc++ keeps in an exception_ptr.
const void* object_of(const std::exception_ptr& error) noexcept {
  static_assert(sizeof(std::exception_ptr) == sizeof(void*));
  const void* object = nullptr;
  std::memcpy(&object, &error, sizeof object);
  return object;
}

// Whether the object itself was thrown, not only exceptions that refer to it. Otherwise a record of
// its address is about an earlier object. The unwinder's header lies before the object (Itanium C++
// ABI), zeroed when it was allocated, and a throw leaves there which stack frame catches it.
bool was_thrown(const void* object) noexcept {
  return (static_cast<const _Unwind_Exception*>(object) - 1)->private_2 != 0;
}

}  // namespace

void enable_throw_traces(bool on) noexcept {
  const Mode now = decide(on);
  mode.store(now, std::memory_order_relaxed);
  if (now == Mode::off) forget_all();  // nobody keeps the records true any more
}

void skip_throw_traces_of(const std::type_info& type) noexcept {
  for (auto& skip : skipped_types) {
    const std::type_info* none = nullptr;
    if (skip.compare_exchange_strong(none, &type) || none == &type) return;
  }
}

std::vector<std::uintptr_t> throw_trace(const std::exception_ptr& error) {
  const void* const object = object_of(error);
  if (object == nullptr || !was_thrown(object) || skipped(error.__cxa_exception_type())) return {};
  std::vector<std::uintptr_t> frames;
  frames.reserve(max_trace_frames);
  RecordSet& set = set_of(object);
  const Hold hold(set, reader_tries);
  const Record* const record = hold ? set.find(object) : nullptr;
  if (record == nullptr || record->type != error.__cxa_exception_type()) return {};
  frames.assign(record->frames.begin(),
                record->frames.begin() + static_cast<std::ptrdiff_t>(record->count));
  return frames;
}

namespace {

using ThrowFunction = void (*)(void*, void*, void (*)(void*));

ThrowFunction real_throw() noexcept {
  static const auto real = reinterpret_cast<ThrowFunction>(::dlsym(RTLD_NEXT, "__cxa_throw"));
  return real;
}

// Where libstdc++ is linked statically, this brings in the file of it that defines `__cxa_throw`,
// which then is used instead of the weak one below.
[[maybe_unused, gnu::used]] constexpr auto brings_in_the_real_one =
    &__cxxabiv1::__cxa_init_primary_exception;

}  // namespace
}  // namespace troupe

// What the compiler makes of `throw`, here and in shared libraries: the dynamic linker finds the
// program's before libstdc++'s. The types are those that g++ declares it with by itself.
extern "C" __attribute__((weak, noreturn)) void __cxa_throw(  // NOLINT: the C++ ABI's name
    void* object, void* type, void (*destructor)(void*)) {
  void* const thrower = __builtin_extract_return_addr(__builtin_return_address(0));
  troupe::record_throw(object, static_cast<const std::type_info*>(type),
                       reinterpret_cast<std::uintptr_t>(thrower));
  const troupe::ThrowFunction real = troupe::real_throw();
  if (real == nullptr) {
    static constexpr char sentence[] =
        "troupe: the C++ runtime's __cxa_throw cannot be found; is libstdc++ loaded in another "
        "namespace of the dynamic linker?\n";
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, sentence, sizeof sentence - 1);
    std::abort();
  }
  real(object, type, destructor);
  __builtin_unreachable();
}
