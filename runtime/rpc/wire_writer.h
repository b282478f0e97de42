// SPDX-License-Identifier: Apache-2.0
#pragma once

// The encoding half of the codec. `Encoder` writes arithmetic and standard types by itself; for
// types of the program it makes a `WireWriter`, the cereal archive that their serialize functions
// see, and that hands everything it can back to the encoder. Use codec.h, not this.

#include <cereal/cereal.hpp>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/rpc/aggregate.h"
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

template <class T>
struct IsNamed : std::false_type {};
template <class T>
struct IsNamed<cereal::NameValuePair<T>> : std::true_type {};
template <class T>
struct IsBase : std::false_type {};
template <class T>
struct IsBase<cereal::base_class<T>> : std::true_type {};
template <class T>
struct IsVirtualBase : std::false_type {};
template <class T>
struct IsVirtualBase<cereal::virtual_base_class<T>> : std::true_type {};
template <class T>
struct IsSize : std::false_type {};
template <class T>
struct IsSize<cereal::SizeTag<T>> : std::true_type {};
template <class T>
struct IsBinary : std::false_type {};
template <class T>
struct IsBinary<cereal::BinaryData<T>> : std::true_type {};

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

/// The cereal archive that serialize functions get when a value is encoded.
class WireWriter : public cereal::OutputArchive<WireWriter, cereal::AllowEmptyClassElision> {
  using Base = cereal::OutputArchive<WireWriter, cereal::AllowEmptyClassElision>;

 public:
  explicit WireWriter(detail::Encoder& encoder) : Base(this), encoder_(encoder) {}

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

 private:
  friend class detail::Encoder;

  template <class T>
  void put(const T& value);
  template <class T>
  void put_by_cereal(const T& value) {
    Base::operator()(value);
  }

  detail::Encoder& encoder_;
};

namespace detail {

class Encoder {
 public:
  explicit Encoder(Bytes& out) : out_(out) {}
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
  WireWriter& archive();

  Bytes& out_;
  unsigned depth_ = 0;
  std::optional<WireWriter> archive_;
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
  } else if constexpr (std::is_base_of_v<cereal::detail::DeferredDataCore, T> ||
                       detail::IsVirtualBase<T>::value) {
    put_by_cereal(value);
  } else {
    encoder_.put(value);
  }
}

// What cereal itself looks for when it writes class versions and minimal values.
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

inline WireWriter& Encoder::archive() { return archive_ ? *archive_ : archive_.emplace(*this); }

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
    archive().put_by_cereal(value);
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
