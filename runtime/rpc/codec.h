// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values to octets and back. Everything that cereal can serialise by value crosses, by the same
// functions that cereal asks for (serialize, save and load, save_minimal and load_minimal, inside
// or outside of the class, versioned or not); standard containers need no include of cereal's, and
// plain aggregates no function at all. The octets are little-endian and carry no names or types:
// both ends must agree on the types. Decoding trusts nothing: sizes, nesting and memory are
// bounded.

#include <tuple>
#include <type_traits>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/rpc/wire_reader.h"
#include "troupe/runtime/rpc/wire_writer.h"

namespace troupe {

/// Appends the encoding of `values`, in order, to `out`; on an error `out` is as before.
/// Throws `UsageError` if a value is nested too deeply.
template <class... Ts>
void encode_into(Bytes& out, const Ts&... values) {
  const std::size_t before = out.size();
  try {
    detail::Encoder encoder(out);
    (encoder.put(values), ...);
  } catch (...) {
    out.resize(before);
    throw;
  }
}

/// Encodes `values`, in order.
template <class... Ts>
Bytes encode(const Ts&... values) {
  Bytes out;
  detail::Encoder encoder(out);
  (encoder.put(values), ...);
  return out;
}

/// Decodes what `encode` made of values of the types `Ts`, all of it.
/// Throws `DecodeError` if `octets` is anything else.
template <class... Ts>
std::tuple<Ts...> decode(BytesView octets, const DecodeLimits& limits = {}) {
  std::tuple<Ts...> values = detail::fresh<std::tuple<Ts...>>();
  detail::Decoder decoder(octets, limits);
  decoder.run([&] { std::apply([&](auto&... each) { (decoder.get(each), ...); }, values); });
  return values;
}

/// Decodes into a value that is there already; as `decode`.
template <class T>
void decode_to(T& value, BytesView octets, const DecodeLimits& limits = {}) {
  detail::Decoder decoder(octets, limits);
  decoder.run([&] { decoder.get(value); });
}

/// Decodes a single value; as `decode`.
template <class T>
T decode_value(BytesView octets, const DecodeLimits& limits = {}) {
  T value = detail::fresh<T>();
  decode_to(value, octets, limits);
  return value;
}

}  // namespace troupe
