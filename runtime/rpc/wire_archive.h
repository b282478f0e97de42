// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the archives WireWriter and WireReader have in common. They are cereal's archives in all
// that a serialize function can see, but not derived from cereal's own classes: these bring hash
// tables for shared pointers and polymorphic types, which never travel here, and which every file
// that includes troupe.h would have to compile. Of cereal only the parts are included that find a
// type's functions. For CEREAL_NVP, CEREAL_CLASS_VERSION and the like programs include cereal.hpp.

#include <cereal/details/traits.hpp>
#include <cereal/types/base_class.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <typeinfo>

#include "troupe/runtime/base/unique_function.h"

namespace troupe::detail {

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
struct IsDeferred : std::false_type {};
template <class T>
struct IsDeferred<cereal::DeferredData<T>> : std::true_type {};
template <class T>
struct IsSize : std::false_type {};
template <class T>
struct IsSize<cereal::SizeTag<T>> : std::true_type {};
template <class T>
struct IsBinary : std::false_type {};
template <class T>
struct IsBinary<cereal::BinaryData<T>> : std::true_type {};

/// Whether the function of `T` that `Has` looks for is the one to call: there may be others, and a
/// `cereal::specialize` that chooses.
template <template <class, class> class Has, template <class, class> class IsChosen, class T,
          class Archive>
inline constexpr bool calls = Has<T, Archive>::value &&
                              (IsChosen<T, Archive>::value ||
                               !cereal::traits::is_specialized<T, Archive>::value);

template <class T>
inline constexpr bool one_serialize_function = false;

/// The version of a class: the one that a CEREAL_CLASS_VERSION anywhere in the program gives it,
/// else `seen_here`.
std::uint32_t class_version(const std::type_info& type, std::uint32_t seen_here);

/// What an archive remembers of its message. Costs next to nothing until there is something.
class ArchiveNotes {
 public:
  ArchiveNotes() noexcept = default;
  ArchiveNotes(const ArchiveNotes&) = delete;
  ArchiveNotes& operator=(const ArchiveNotes&) = delete;
  ~ArchiveNotes() {
    if (notes_ != nullptr) drop();
  }

  /// Whether a virtual base comes for the first time; only then does it travel.
  bool first_visit(const void* base, const std::type_info& type);
  /// The version of a class that this message has named already.
  std::optional<std::uint32_t> version(const std::type_info& type) const;
  /// Notes the version of a class.
  void set_version(const std::type_info& type, std::uint32_t version);
  /// Notes work for `run_deferred`.
  void defer(UniqueFunction<void()> work);
  /// Does what was deferred, in order.
  void run_deferred();

 private:
  struct Notes;
  Notes& notes();
  void drop() noexcept;

  Notes* notes_ = nullptr;  // owned; null while there is nothing to remember, as in most messages
};

}  // namespace troupe::detail
