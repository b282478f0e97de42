// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/boot_spec.h"

#include "troupe/runtime/rpc/codec.h"

namespace troupe {

Bytes BootSpec::encode() const { return troupe::encode(*this); }

BootSpec BootSpec::decode(BytesView octets) { return decode_value<BootSpec>(octets); }

}  // namespace troupe
