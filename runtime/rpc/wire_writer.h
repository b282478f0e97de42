// SPDX-License-Identifier: Apache-2.0
#pragma once

// The encoding half of the codec. `Encoder` writes arithmetic and standard types by itself; for
// types of the program it makes a `WireWriter`, the cereal archive that their serialize functions
// see, and that hands everything it can back to the encoder. Use codec.h, not this.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <tuple>
#include <type_traits>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/rpc/aggregate.h"
#include "troupe/runtime/rpc/wire_archive.h"
#include "troupe/runtime/rpc/wire_types.h"

namespace troupe {

class WireReader;
class WireWriter;

namespace detail {

static_assert(sizeof(long) == 8 && sizeof(void*) == 8, "troupe needs a 64-bit (LP64) platform");

/// User types may nest this deep: fibers have small stacks.
inline constexpr unsigned max_nesting = 100;

[[noreturn]] void throw_too_deep_to_encode();
[[noreturn]] void throw_valueless_variant();

// std::complex and std::filesystem::path, by their shape: their headers are expensive.
template <class T>
concept ComplexLike = std::is_trivially_copyable_v<T> && requires(const T& t) {
  typename T::value_type;
  { t.real() } -> std::same_as<typename T::value_type>;
  { t.imag() } -> std::same_as<typename T::value_type>;
  requires sizeof(T) == 2 * sizeof(typename T::value_type);
};
template <class T>
concept PathLike = requires(const T& t) {
  typename T::string_type;
  { t.native() } -> std::same_as<const typename T::string_type&>;
  t.lexically_normal();
};

template <class T>
inline constexpr bool no_serialize_function = false;

class Encoder;

}  // namespace detail

/// The cereal archive that serialize functions get when a value is encoded. (Its base does nothing
/// but make the compiler look for serialize functions in namespace cereal, too.)
class WireWriter : private cereal::access {
 public:
  using is_loading = std::false_type;
  using is_saving = std::true_type;

  explicit WireWriter(detail::Encoder& encoder) noexcept : encoder_(encoder) {}

  template <class... Ts>
  WireWriter& operator()(const Ts&... values) {
    (put(values), ...);
    return *this;
  }
  template <class T>
  WireWriter& operator<<(const T& value) {
    return (*this)(value);
  }
  template <class T>
  WireWriter& operator&(const T& value) {
    return (*this)(value);
  }
  /// Writes what `cereal::defer` has put off.
  void serializeDeferments() { notes_.run_deferred(); }  // NOLINT: cereal's name

 private:
  friend class detail::Encoder;

  template <class T>
  void put(const T& value);
  template <class T>
  void put_by_cereal(const T& value);
  template <class T>
  void put_versioned(const T& value, std::uint32_t version);
  template <class T>
  std::uint32_t put_version();

  detail::Encoder& encoder_;
  detail::ArchiveNotes notes_;
};

namespace detail {

class Encoder {
 public:
  explicit Encoder(Bytes& out) : out_(out), archive_(*this) {}
  Encoder(const Encoder&) = delete;

  template <class T>
  void put(const T& value);

  void put_raw(const void* data, std::size_t size) {
    out_.append(static_cast<const char*>(data), size);
  }
  void put_size(std::uint64_t size) { put_raw(&size, sizeof size); }
  void put_text(BytesView text) {
    put_size(text.size());
    put_raw(text.data(), text.size());
  }

 private:
  template <class T>
  void put_range(const T& values) {
    for (const auto& value : values) put(value);
  }
  template <class T>
  void put_array(const T& values) {
    using E = std::remove_cvref_t<decltype(values[0])>;
    if constexpr (FastElement<E> && wire_kind<E> == WireKind::scalar) {
      put_raw(std::data(values), std::size(values) * sizeof(E));
    } else {
      put_range(values);
    }
  }
  template <class T>
  void put_variant(const T& value);
  template <class T>
  void put_user(const T& value);

  Bytes& out_;
  unsigned depth_ = 0;
  WireWriter archive_;
};

}  // namespace detail

template <class T>
void WireWriter::put(const T& value) {
  if constexpr (detail::IsNamed<T>::value) {
    put(value.value);
  } else if constexpr (detail::IsBase<T>::value) {
    put(*value.base_ptr);
  } else if constexpr (detail::IsSize<T>::value) {
    encoder_.put_size(value.size);
  } else if constexpr (detail::IsBinary<T>::value) {
    encoder_.put_raw(value.data, value.size);
  } else if constexpr (detail::IsVirtualBase<T>::value) {
    if (notes_.first_visit(value.base_ptr, typeid(std::remove_pointer_t<decltype(value.base_ptr)>)))
      put(*value.base_ptr);
  } else if constexpr (detail::IsDeferred<T>::value) {
    notes_.defer([this, value] { put(value.value); });
  } else {
    encoder_.put(value);
  }
}

// Calls the one function that cereal would call.
template <class T>
void WireWriter::put_by_cereal(const T& value) {
  namespace has = cereal::traits;
  using A = WireWriter;
  T& object = const_cast<T&>(value);  // NOLINT: serialize functions are not const; cereal's way
  if constexpr (!has::is_output_serializable<T, A>::value ||
                has::has_invalid_output_versioning<T, A>::value) {
    static_assert(detail::one_serialize_function<T>,
                  "a type in this message has more than one serialize function: it may have one of "
                  "serialize, save, save_minimal, inside or outside of the class (also inherited "
                  "ones count); choose by CEREAL_SPECIALIZE_FOR_ALL_ARCHIVES");
  } else if constexpr (detail::calls<has::has_member_serialize,
                                     has::is_specialized_member_serialize, T, A>) {
    cereal::access::member_serialize(*this, object);
  } else if constexpr (detail::calls<has::has_non_member_serialize,
                                     has::is_specialized_non_member_serialize, T, A>) {
    CEREAL_SERIALIZE_FUNCTION_NAME(*this, object);
  } else if constexpr (detail::calls<has::has_member_save, has::is_specialized_member_save, T, A>) {
    cereal::access::member_save(*this, value);
  } else if constexpr (detail::calls<has::has_non_member_save, has::is_specialized_non_member_save,
                                     T, A>) {
    CEREAL_SAVE_FUNCTION_NAME(*this, value);
  } else if constexpr (detail::calls<has::has_member_save_minimal,
                                     has::is_specialized_member_save_minimal, T, A>) {
    put(cereal::access::member_save_minimal(*this, value));
  } else if constexpr (detail::calls<has::has_non_member_save_minimal,
                                     has::is_specialized_non_member_save_minimal, T, A>) {
    put(CEREAL_SAVE_MINIMAL_FUNCTION_NAME(*this, value));
  } else {
    put_versioned(value, put_version<T>());
  }
}

template <class T>
void WireWriter::put_versioned(const T& value, std::uint32_t version) {
  namespace has = cereal::traits;
  using A = WireWriter;
  T& object = const_cast<T&>(value);  // NOLINT: as above
  if constexpr (detail::calls<has::has_member_versioned_serialize,
                              has::is_specialized_member_versioned_serialize, T, A>) {
    cereal::access::member_serialize(*this, object, version);
  } else if constexpr (detail::calls<has::has_non_member_versioned_serialize,
                                     has::is_specialized_non_member_versioned_serialize, T, A>) {
    CEREAL_SERIALIZE_FUNCTION_NAME(*this, object, version);
  } else if constexpr (detail::calls<has::has_member_versioned_save,
                                     has::is_specialized_member_versioned_save, T, A>) {
    cereal::access::member_save(*this, value, version);
  } else if constexpr (detail::calls<has::has_non_member_versioned_save,
                                     has::is_specialized_non_member_versioned_save, T, A>) {
    CEREAL_SAVE_FUNCTION_NAME(*this, value, version);
  } else if constexpr (detail::calls<has::has_member_versioned_save_minimal,
                                     has::is_specialized_member_versioned_save_minimal, T, A>) {
    put(cereal::access::member_save_minimal(*this, value, version));
  } else {
    put(CEREAL_SAVE_MINIMAL_FUNCTION_NAME(*this, value, version));
  }
}

// A class's version travels once per message, before its first object.
template <class T>
std::uint32_t WireWriter::put_version() {
  const std::uint32_t version =
      detail::class_version(typeid(T), cereal::detail::Version<T>::version);
  if (!notes_.version(typeid(T))) {
    notes_.set_version(typeid(T), version);
    put(version);
  }
  return version;
}

// What cereal's functions for standard types look for before they hand these to an archive.
template <class T>
requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(WireWriter& out, const T& value) { out(value); }
inline void CEREAL_SAVE_FUNCTION_NAME(WireWriter& out, const std::string& value) { out(value); }
template <class T>
void CEREAL_SAVE_FUNCTION_NAME(WireWriter& out, const cereal::NameValuePair<T>& pair) {
  out(pair.value);
}
template <class T>
void CEREAL_SAVE_FUNCTION_NAME(WireWriter& out, const cereal::SizeTag<T>& size) {
  out(size);
}
template <class T>
void CEREAL_SAVE_FUNCTION_NAME(WireWriter& out, const cereal::BinaryData<T>& data) {
  out(data);
}

}  // namespace troupe

CEREAL_SETUP_ARCHIVE_TRAITS(troupe::WireReader, troupe::WireWriter)

namespace troupe::detail {

template <class T>
void Encoder::put(const T& value) {
  constexpr WireKind kind = wire_kind<T>;
  if constexpr (refusal<T> != Refusal::none) {
    (void)RefusedValue<T, refusal<T>>{};
  } else if constexpr (kind == WireKind::boolean) {
    const char octet = static_cast<bool>(value) ? 1 : 0;
    put_raw(&octet, 1);
  } else if constexpr (kind == WireKind::scalar) {
    put_raw(&value, sizeof value);
  } else if constexpr (kind == WireKind::string) {
    put_size(value.size());
    put_raw(value.data(), value.size() * sizeof(value[0]));
  } else if constexpr (kind == WireKind::contiguous) {
    put_size(value.size());
    put_array(value);
  } else if constexpr (kind == WireKind::bits) {
    put_size(value.size());
    for (const bool bit : value) put(bit);
  } else if constexpr (kind == WireKind::sequence || kind == WireKind::set) {
    put_size(value.size());
    put_range(value);
  } else if constexpr (kind == WireKind::map) {
    put_size(value.size());
    for (const auto& item : value) put(item.first), put(item.second);
  } else if constexpr (kind == WireKind::array) {
    put_array(value);
  } else if constexpr (kind == WireKind::tuple) {
    std::apply([this](const auto&... each) { (this->put(each), ...); }, value);
  } else if constexpr (kind == WireKind::optional || kind == WireKind::unique_ptr) {
    put(static_cast<bool>(value));
    if (value) put(*value);
  } else if constexpr (kind == WireKind::variant) {
    put_variant(value);
  } else if constexpr (kind == WireKind::duration) {
    put(value.count());
  } else if constexpr (kind == WireKind::time_point) {
    put(value.time_since_epoch().count());
  } else {
    put_user(value);
  }
}

template <class T>
void Encoder::put_variant(const T& value) {
  if (value.valueless_by_exception()) throw_valueless_variant();
  put(static_cast<std::uint32_t>(value.index()));
  std::visit([this](const auto& alternative) { this->put(alternative); }, value);
}

template <class T>
void Encoder::put_user(const T& value) {
  if (++depth_ > max_nesting) throw_too_deep_to_encode();
  if constexpr (cereal::traits::detail::count_output_serializers<T, WireWriter>::value != 0) {
    archive_.put_by_cereal(value);
  } else if constexpr (std::is_empty_v<T>) {
    // Nothing to say.
  } else if constexpr (ComplexLike<T>) {
    put(value.real()), put(value.imag());
  } else if constexpr (PathLike<T>) {
    put(value.native());
  } else if constexpr (is_plain_aggregate<T>()) {
    visit_fields(value, [this](const auto&... fields) { (this->put(fields), ...); });
  } else {
    static_assert(no_serialize_function<T>,
                  "a type in this message has no serialize function: add `template <class A> void "
                  "serialize(A& ar) { ar(a, b); }` to it, with its members in the place of a, b");
  }
  --depth_;
}

}  // namespace troupe::detail
