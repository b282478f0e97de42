// SPDX-License-Identifier: Apache-2.0
#pragma once

// Functions by name. Naming `fn<&f>` anywhere in a program registers `f` at static initialisation:
// other processes then find it by its key, which is its qualified name and its signature. The table
// is the same in every process of one binary. Calling needs only
// a declaration of the function: see call_codec.h for how arguments and results are encoded.

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/rpc/call_codec.h"
#include "troupe/runtime/rpc/function_traits.h"
#include "troupe/runtime/rpc/scratch.h"

namespace troupe {

/// Decodes arguments, calls a plain function, and encodes its result (void: nothing) into `result`,
/// which is empty before. Throws `MsgTypeError` if the arguments do not decode, else what the
/// function throws.
using Thunk = void (*)(BytesView arguments, Bytes& result);

namespace detail {
class CalleeEnd;
}

/// Runs a stream or context function on the callee's end of a dialog, and encodes its result.
using DialogThunk = void (*)(detail::CalleeEnd& end, BytesView arguments, Bytes& result);

struct FunctionEntry;

namespace detail {

/// The callee's side of `Sink<T>` and `Context<P>`: specialised beside them, with
/// `template <auto F> static void serve(CalleeEnd&, BytesView arguments, Bytes& result)`.
template <class First>
struct DialogServer;

// The mangled name of this type holds that of the function, and the two compilers agree on it.
template <auto F>
struct FunctionTag {};

/// What static initialisation leaves for the table; constant-initialised, linked into a list.
struct FunctionRecord {
  const std::type_info* tag;
  const std::type_info* type;
  const std::type_info* wire_type;
  FunctionKind kind;
  Thunk thunk;
  DialogThunk dialog_thunk;
  const char* named_in;  // the source file that was compiled
  const void* address = nullptr;
  FunctionRecord* next = nullptr;
  mutable const FunctionEntry* entry = nullptr;  // made when it is asked for
};

struct ModuleRecord {
  const char* name;
  const FunctionRecord* const* functions;
  std::size_t count;
  const char* named_in;
  ModuleRecord* next = nullptr;
};

bool link_function(FunctionRecord& record, const void* address) noexcept;
bool link_module(ModuleRecord& record) noexcept;

std::string make_key(const std::type_info& tag, const std::type_info& type);
std::string signature_text(const std::type_info& type);

template <class T>
void encode_result(const T& value, Bytes& result) {
  result = take_scratch();
  encode_into(result, value);
}

template <auto F>
void call_plain(BytesView arguments, Bytes& result) {
  if constexpr (std::is_void_v<ResultOf<F>>) {
    call_decoded<F>(arguments);
  } else {
    encode_result(call_decoded<F>(arguments), result);
  }
}

template <auto F>
constexpr FunctionRecord make_record(const char* named_in) {
  using Traits = FunctionTraits<F>;
  FunctionRecord record{&typeid(FunctionTag<F>),
                        &typeid(typename Traits::Type),
                        &typeid(typename Traits::WireType),
                        Traits::kind,
                        nullptr,
                        nullptr,
                        named_in};
  if constexpr (Traits::is_stream) {
    record.dialog_thunk = &DialogServer<Sink<typename Traits::Inner>>::template serve<F>;
  } else if constexpr (Traits::is_context) {
    record.dialog_thunk = &DialogServer<Context<typename Traits::Inner>>::template serve<F>;
  } else {
    record.thunk = &call_plain<F>;
  }
  return record;
}

template <auto F>
struct FunctionRegistrar {
  static inline constinit FunctionRecord record = make_record<F>(__BASE_FILE__);
  static inline const bool registered = link_function(record, reinterpret_cast<const void*>(F));
};

// Naming this type instantiates the variable, and so registers what it stands for.
template <const bool& registered>
struct Use {};

}  // namespace detail

/// The key of the function `F`: "qualified::name|signature". Does not register it.
template <auto F>
const std::string& function_key() {
  static const std::string key =
      detail::make_key(typeid(detail::FunctionTag<F>), typeid(typename FunctionTraits<F>::Type));
  return key;
}

/// A short stand-in for a key: a hash of 64 bits, the same in every process.
constexpr std::uint64_t function_id(std::string_view key) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

/// As `function_id(function_key<F>())`, made once.
template <auto F>
std::uint64_t function_id() {
  static const std::uint64_t id = function_id(function_key<F>());
  return id;
}

/// The signature of a call by name, as in "std::string (int)": both ends compare it.
template <class Result, class... Arguments>
const std::string& wire_signature() {
  static const std::string text =
      detail::signature_text(typeid(Result(WireArgument<Arguments>...)));
  return text;
}

/// A function as a value, for generic code: `run_in_actor(fn<&f>, name, args...)`.
template <auto F>
struct Fn {
  /// Naming it registers the function.
  using Registered = detail::Use<detail::FunctionRegistrar<F>::registered>;
  /// The pointer itself.
  static constexpr auto pointer = F;

  /// As `function_key<F>()`.
  const std::string& key() const { return function_key<F>(); }
  /// Calls the function here.
  template <class... Args>
  decltype(auto) operator()(Args&&... args) const {
    return F(std::forward<Args>(args)...);
  }
};

/// Names and registers the function `F`, a pointer such as `&f`.
template <auto F>
inline constexpr Fn<F> fn{};

/// One registered function.
struct FunctionEntry {
  std::string key;             ///< "ns::say|std::string (int)"
  std::uint64_t id;            ///< `function_id(key)`
  std::string name;            ///< "ns::say"
  std::string unqualified;     ///< "say"
  std::string wire_signature;  ///< "std::string (int)": values only
  FunctionKind kind;           ///< Plain, stream or context.
  Thunk thunk;                 ///< Null unless `kind` is plain.
  DialogThunk dialog_thunk;    ///< Null if `kind` is plain.
  const void* address;         ///< Of the function: two of one key must not differ in it.
  const char* named_in;        ///< The source file that registered it.
};

/// A function, as another process is told of it. A value that crosses processes.
struct FunctionName {
  std::string key;  ///< `FunctionEntry::key`
  std::string tag;  ///< A short cut for programs of the same compiler: its `FunctionTag`, mangled.

  /// Codec.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(key, tag);
  }
  friend bool operator==(const FunctionName&, const FunctionName&) = default;
};

/// The name of the function `F`. Does not register it.
template <auto F>
FunctionName function_name() {
  return {function_key<F>(), typeid(detail::FunctionTag<F>).name()};
}

/// All functions that this program names. The table does not change after start-up; texts are made
/// when they are asked for, since an actor has little use for most of them. Called on one thread at
/// a time.
class FunctionTable {
 public:
  /// The table of this process.
  static const FunctionTable& instance();

  FunctionTable(const FunctionTable&) = delete;

  /// The function of that key, name or id; null when the program names none.
  const FunctionEntry* find(std::string_view key) const;
  const FunctionEntry* find(const FunctionName& name) const;
  const FunctionEntry* find(std::uint64_t id) const;
  /// The function that static initialisation has left this record for.
  const FunctionEntry& at(const detail::FunctionRecord& record) const;

  /// Throws `UsageError` if two functions, or two modules, cannot be told apart; the message names
  /// both. Called at `init` and `run`, except in actors: their parents have.
  void check() const;

 private:
  struct All;

  FunctionTable() = default;
  static const All& all();
};

}  // namespace troupe
