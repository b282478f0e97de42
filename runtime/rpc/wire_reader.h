// SPDX-License-Identifier: Apache-2.0
#pragma once

// The decoding half of the codec: as wire_writer.h, with a `Decoder` and the cereal archive
// `WireReader`. Its octets come from another process, so every size is checked against the octets
// left before anything is allocated, and memory is drawn from a budget. Use codec.h, not this.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/rpc/aggregate.h"
#include "troupe/runtime/rpc/wire_archive.h"
#include "troupe/runtime/rpc/wire_types.h"
#include "troupe/runtime/rpc/wire_writer.h"

namespace troupe {

/// Octets are not what they should be: truncated, too long, or out of a type's range.
class DecodeError : public Error {
 public:
  using Error::Error;
};

/// How much one message may make its receiver allocate: `memory + factor * octets`.
struct DecodeLimits {
  std::size_t memory = 16u << 20;  ///< Octets that any message may cost.
  std::size_t factor = 64;         ///< Octets for each octet that was received.
};

namespace detail {

[[noreturn]] void throw_too_deep();
[[noreturn]] void throw_short(std::uint64_t wanted, std::size_t left);
[[noreturn]] void throw_bad_count(std::uint64_t count, std::size_t left);
[[noreturn]] void throw_over_budget(std::uint64_t wanted, std::uint64_t budget);
[[noreturn]] void throw_trailing(std::size_t left);
[[noreturn]] void throw_bad_bool(unsigned octet);
[[noreturn]] void throw_bad_alternative(std::uint32_t index, std::size_t count);
[[noreturn]] void throw_same_key_twice();
[[noreturn]] void throw_cereal(const char* what);

/// A value-initialised `T` to decode into.
template <class T>
T fresh() {
  static_assert(
      std::is_default_constructible_v<T>,
      "a type in this message has no default constructor: the receiver makes a value first "
      "and then loads it; add one");
  if constexpr (std::is_default_constructible_v<T>) return T();
}

// The fewest octets that a value takes: what bounds an element count before anything is allocated.
template <class T>
constexpr std::size_t min_wire_size() {
  constexpr WireKind kind = wire_kind<T>;
  if constexpr (kind == WireKind::boolean) {
    return 1;
  } else if constexpr (kind == WireKind::scalar) {
    return sizeof(T);
  } else if constexpr (kind == WireKind::user || kind == WireKind::array ||
                       kind == WireKind::tuple) {
    return 0;  // unknown: may be nothing at all
  } else if constexpr (kind == WireKind::optional || kind == WireKind::unique_ptr) {
    return 1;
  } else if constexpr (kind == WireKind::variant) {
    return 4;
  } else if constexpr (kind == WireKind::duration || kind == WireKind::time_point) {
    return sizeof(typename T::rep);
  } else {
    return 8;  // a size comes first
  }
}

/// Memory charged per element when only cereal knows its type.
inline constexpr std::size_t assumed_element = 32;

class Decoder;

}  // namespace detail

/// The cereal archive that serialize functions get when a value is decoded. (Its base does nothing
/// but make the compiler look for serialize functions in namespace cereal, too.)
class WireReader : private cereal::access {
 public:
  using is_loading = std::true_type;
  using is_saving = std::false_type;

  explicit WireReader(detail::Decoder& decoder) noexcept : decoder_(decoder) {}

  template <class... Ts>
  WireReader& operator()(Ts&&... values) {
    (get(values), ...);
    return *this;
  }
  template <class T>
  WireReader& operator>>(T&& value) {
    return (*this)(value);
  }
  template <class T>
  WireReader& operator&(T&& value) {
    return (*this)(value);
  }
  /// Reads what `cereal::defer` has put off.
  void serializeDeferments() { notes_.run_deferred(); }  // NOLINT: cereal's name

 private:
  friend class detail::Decoder;

  template <class T>
  void get(T& value);
  template <class T>
  void get_by_cereal(T& value);
  template <class T>
  void get_versioned(T& value, std::uint32_t version);
  template <class T>
  std::uint32_t get_version();
  template <class Minimal>
  Minimal get_minimal();

  detail::Decoder& decoder_;
  detail::ArchiveNotes notes_;
};

namespace detail {

class Decoder {
 public:
  Decoder(BytesView octets, const DecodeLimits& limits)
      : left_(octets), budget_(limits.memory + limits.factor * octets.size()), archive_(*this) {}
  Decoder(const Decoder&) = delete;

  /// Runs `body`, which gets everything; then nothing may be left.
  template <class Body>
  void run(Body&& body) {
    try {
      body();
    } catch (const cereal::Exception& error) {
      throw_cereal(error.what());
    }
    if (!left_.empty()) throw_trailing(left_.size());
  }

  template <class T>
  void get(T& value);

  BytesView take(std::uint64_t size) {
    if (size > left_.size()) throw_short(size, left_.size());
    const BytesView taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  void get_raw(void* data, std::uint64_t size) {
    const BytesView raw = take(size);
    if (size != 0) std::memcpy(data, raw.data(), size);
  }
  /// Reads how many elements follow, each of at least `least` octets (0: unknown).
  std::size_t get_size(std::size_t least) {
    std::uint64_t count = 0;
    get_raw(&count, sizeof count);
    // Elements of no octets are rare; a thousand of them may come free of charge.
    const std::size_t most = least == 0 ? left_.size() + 1024 : left_.size() / least;
    if (count > most) throw_bad_count(count, left_.size());
    return count;
  }
  void charge(std::uint64_t memory) {
    if (memory > budget_) throw_over_budget(memory, budget_);
    budget_ -= memory;
  }
  std::size_t left() const { return left_.size(); }

 private:
  // What a node of a list, set or map costs beside its value.
  static constexpr std::size_t node_overhead = 48;

  bool get_bool();
  template <class T>
  void get_elements(T* values, std::size_t count);
  template <class T>
  void get_contiguous(T& values);
  template <class T>
  void get_sequence(T& values);
  template <class T>
  void get_set(T& values);
  template <class T>
  void get_map(T& values);
  template <class T, std::size_t... I>
  void get_variant(T& value, std::index_sequence<I...>);
  template <class T>
  void get_user(T& value);

  BytesView left_;
  std::uint64_t budget_;
  unsigned depth_ = 0;
  WireReader archive_;
};

}  // namespace detail

template <class T>
void WireReader::get(T& value) {
  using Plain = std::remove_const_t<T>;
  if constexpr (detail::IsNamed<Plain>::value) {
    get(value.value);
  } else if constexpr (detail::IsBase<Plain>::value) {
    get(*value.base_ptr);
  } else if constexpr (detail::IsSize<Plain>::value) {
    // cereal's containers resize at once to what they read here; what an element is, is not known.
    value.size = decoder_.get_size(1);
    decoder_.charge(value.size * detail::assumed_element);
  } else if constexpr (detail::IsBinary<Plain>::value) {
    decoder_.get_raw(value.data, value.size);
  } else if constexpr (detail::IsVirtualBase<Plain>::value) {
    if (notes_.first_visit(value.base_ptr, typeid(std::remove_pointer_t<decltype(value.base_ptr)>)))
      get(*value.base_ptr);
  } else if constexpr (detail::IsDeferred<Plain>::value) {
    notes_.defer([this, value] { get(value.value); });
  } else {
    decoder_.get(value);
  }
}

// Calls the one function that cereal would call.
template <class T>
void WireReader::get_by_cereal(T& value) {
  namespace has = cereal::traits;
  using A = WireReader;
  if constexpr (!has::is_input_serializable<T, A>::value ||
                has::has_invalid_input_versioning<T, A>::value) {
    static_assert(detail::one_serialize_function<T>,
                  "a type in this message has more than one serialize function: it may have one of "
                  "serialize, load, load_minimal, inside or outside of the class (also inherited "
                  "ones count); choose by CEREAL_SPECIALIZE_FOR_ALL_ARCHIVES");
  } else if constexpr (detail::calls<has::has_member_serialize,
                                     has::is_specialized_member_serialize, T, A>) {
    cereal::access::member_serialize(*this, value);
  } else if constexpr (detail::calls<has::has_non_member_serialize,
                                     has::is_specialized_non_member_serialize, T, A>) {
    CEREAL_SERIALIZE_FUNCTION_NAME(*this, value);
  } else if constexpr (detail::calls<has::has_member_load, has::is_specialized_member_load, T, A>) {
    cereal::access::member_load(*this, value);
  } else if constexpr (detail::calls<has::has_non_member_load, has::is_specialized_non_member_load,
                                     T, A>) {
    CEREAL_LOAD_FUNCTION_NAME(*this, value);
  } else if constexpr (detail::calls<has::has_member_load_minimal,
                                     has::is_specialized_member_load_minimal, T, A>) {
    using Minimal = typename has::has_member_save_minimal<T, WireWriter>::type;
    cereal::access::member_load_minimal(*this, value, get_minimal<Minimal>());
  } else if constexpr (detail::calls<has::has_non_member_load_minimal,
                                     has::is_specialized_non_member_load_minimal, T, A>) {
    using Minimal = typename has::has_non_member_save_minimal<T, WireWriter>::type;
    CEREAL_LOAD_MINIMAL_FUNCTION_NAME(*this, value, get_minimal<Minimal>());
  } else {
    get_versioned(value, get_version<T>());
  }
}

template <class T>
void WireReader::get_versioned(T& value, std::uint32_t version) {
  namespace has = cereal::traits;
  using A = WireReader;
  if constexpr (detail::calls<has::has_member_versioned_serialize,
                              has::is_specialized_member_versioned_serialize, T, A>) {
    cereal::access::member_serialize(*this, value, version);
  } else if constexpr (detail::calls<has::has_non_member_versioned_serialize,
                                     has::is_specialized_non_member_versioned_serialize, T, A>) {
    CEREAL_SERIALIZE_FUNCTION_NAME(*this, value, version);
  } else if constexpr (detail::calls<has::has_member_versioned_load,
                                     has::is_specialized_member_versioned_load, T, A>) {
    cereal::access::member_load(*this, value, version);
  } else if constexpr (detail::calls<has::has_non_member_versioned_load,
                                     has::is_specialized_non_member_versioned_load, T, A>) {
    CEREAL_LOAD_FUNCTION_NAME(*this, value, version);
  } else if constexpr (detail::calls<has::has_member_versioned_load_minimal,
                                     has::is_specialized_member_versioned_load_minimal, T, A>) {
    using Minimal = typename has::has_member_versioned_save_minimal<T, WireWriter>::type;
    cereal::access::member_load_minimal(*this, value, get_minimal<Minimal>(), version);
  } else {
    using Minimal = typename has::has_non_member_versioned_save_minimal<T, WireWriter>::type;
    CEREAL_LOAD_MINIMAL_FUNCTION_NAME(*this, value, get_minimal<Minimal>(), version);
  }
}

// A class's version travels once per message, before its first object.
template <class T>
std::uint32_t WireReader::get_version() {
  if (const auto known = notes_.version(typeid(T))) return *known;
  const auto version = get_minimal<std::uint32_t>();
  notes_.set_version(typeid(T), version);
  return version;
}

template <class Minimal>
Minimal WireReader::get_minimal() {
  Minimal value{};
  get(value);
  return value;
}

// What cereal's functions for standard types look for before they hand these to an archive.
template <class T>
requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(WireReader& in, T& value) { in(value); }
inline void CEREAL_LOAD_FUNCTION_NAME(WireReader& in, std::string& value) { in(value); }
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(WireReader& in, cereal::NameValuePair<T>& pair) {
  in(pair.value);
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(WireReader& in, cereal::SizeTag<T>& size) {
  in(size);
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(WireReader& in, cereal::BinaryData<T>& data) {
  in(data);
}

}  // namespace troupe

namespace troupe::detail {

inline bool Decoder::get_bool() {
  const unsigned octet = static_cast<unsigned char>(take(1)[0]);
  if (octet > 1) throw_bad_bool(octet);
  return octet == 1;
}

template <class T>
void Decoder::get(T& value) {
  constexpr WireKind kind = wire_kind<T>;
  if constexpr (refusal<T> != Refusal::none) {
    (void)RefusedValue<T, refusal<T>>{};
  } else if constexpr (kind == WireKind::boolean) {
    value = static_cast<T>(get_bool());
  } else if constexpr (kind == WireKind::scalar) {
    get_raw(&value, sizeof value);
  } else if constexpr (kind == WireKind::string || kind == WireKind::contiguous) {
    get_contiguous(value);
  } else if constexpr (kind == WireKind::bits) {
    value.resize(get_size(1));
    for (std::size_t i = 0; i < value.size(); ++i) value[i] = get_bool();
  } else if constexpr (kind == WireKind::sequence) {
    get_sequence(value);
  } else if constexpr (kind == WireKind::set) {
    get_set(value);
  } else if constexpr (kind == WireKind::map) {
    get_map(value);
  } else if constexpr (kind == WireKind::array) {
    get_elements(std::data(value), std::size(value));
  } else if constexpr (kind == WireKind::tuple) {
    std::apply([this](auto&... each) { (this->get(each), ...); }, value);
  } else if constexpr (kind == WireKind::optional) {
    value.reset();
    if (get_bool()) get(value.emplace(fresh<typename T::value_type>()));
  } else if constexpr (kind == WireKind::unique_ptr) {
    value.reset();
    if (get_bool()) {
      charge(sizeof(typename T::element_type) + node_overhead);
      value.reset(new typename T::element_type());
      get(*value);
    }
  } else if constexpr (kind == WireKind::variant) {
    get_variant(value, std::make_index_sequence<std::variant_size_v<T>>{});
  } else if constexpr (kind == WireKind::duration) {
    typename T::rep count{};
    get(count);
    value = T(count);
  } else if constexpr (kind == WireKind::time_point) {
    typename T::rep count{};
    get(count);
    value = T(typename T::duration(count));
  } else {
    get_user(value);
  }
}

template <class T>
void Decoder::get_elements(T* values, std::size_t count) {
  if constexpr (FastElement<T> && wire_kind<T> == WireKind::scalar) {
    get_raw(values, count * sizeof(T));
  } else {
    for (std::size_t i = 0; i < count; ++i) get(values[i]);
  }
}

template <class T>
void Decoder::get_contiguous(T& values) {
  using E = typename T::value_type;
  const std::size_t count = get_size(sizeof(E));
  charge(count * sizeof(E));
  if constexpr (sizeof(E) == 1) {
    const char* raw = take(count).data();
    values.assign(reinterpret_cast<const E*>(raw), reinterpret_cast<const E*>(raw) + count);
  } else {
    values.resize(count);
    get_raw(values.data(), count * sizeof(E));
  }
}

template <class T>
void Decoder::get_sequence(T& values) {
  using E = typename T::value_type;
  const std::size_t count = get_size(min_wire_size<E>());
  values.clear();
  if constexpr (requires { values.reserve(count); }) {
    charge(count * sizeof(E));
    values.reserve(count);
  } else {
    charge(count * (sizeof(E) + node_overhead));
  }
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(fresh<E>());
    get(values.back());
  }
}

template <class T>
void Decoder::get_set(T& values) {
  using K = typename T::key_type;
  const std::size_t count = get_size(min_wire_size<K>());
  charge(count * (sizeof(K) + node_overhead));
  values.clear();
  for (std::size_t i = 0; i < count; ++i) {
    K key = fresh<K>();
    get(key);
    values.emplace_hint(values.end(), std::move(key));
    if (values.size() != i + 1) throw_same_key_twice();
  }
}

template <class T>
void Decoder::get_map(T& values) {
  using K = typename T::key_type;
  using V = typename T::mapped_type;
  const std::size_t count = get_size(min_wire_size<K>() + min_wire_size<V>());
  charge(count * (sizeof(K) + sizeof(V) + node_overhead));
  values.clear();
  for (std::size_t i = 0; i < count; ++i) {
    K key = fresh<K>();
    get(key);
    V mapped = fresh<V>();
    get(mapped);
    values.emplace_hint(values.end(), std::move(key), std::move(mapped));
    if (values.size() != i + 1) throw_same_key_twice();
  }
}

template <class T, std::size_t... I>
void Decoder::get_variant(T& value, std::index_sequence<I...>) {
  std::uint32_t index = 0;
  get_raw(&index, sizeof index);
  if (index >= sizeof...(I)) throw_bad_alternative(index, sizeof...(I));
  ((index == I ? get(value.template emplace<I>(fresh<std::variant_alternative_t<I, T>>()))
               : void()),
   ...);
}

template <class T>
void Decoder::get_user(T& value) {
  if (++depth_ > max_nesting) throw_too_deep();
  if constexpr (cereal::traits::detail::count_input_serializers<T, WireReader>::value != 0) {
    archive_.get_by_cereal(value);
  } else if constexpr (std::is_empty_v<T>) {
    // Nothing was said.
  } else if constexpr (ComplexLike<T>) {
    typename T::value_type parts[2] = {};
    get(parts);
    value = T(parts[0], parts[1]);
  } else if constexpr (PathLike<T>) {
    typename T::string_type native;
    get(native);
    value = T(std::move(native));
  } else if constexpr (is_plain_aggregate<T>()) {
    visit_fields(value, [this](auto&... fields) { (this->get(fields), ...); });
  } else {
    static_assert(no_serialize_function<T>,
                  "a type in this message has no serialize function: add `template <class A> void "
                  "serialize(A& ar) { ar(a, b); }` to it, with its members in the place of a, b");
  }
  --depth_;
}

}  // namespace troupe::detail
