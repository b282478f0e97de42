// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/boot_spec.h"

#include "troupe/runtime/rpc/codec.h"

namespace troupe {

ActorSpec::ActorSpec(const DirectoryEntry& entry) : uid(entry.uid), host(entry.host) {
  for (const Address& address : entry.addresses) addresses.push_back(address.str());
}

DirectoryEntry ActorSpec::entry() const {
  DirectoryEntry entry{uid, {}, host, {}};
  for (const std::string& text : addresses) entry.addresses.push_back(Address::parse(text));
  return entry;
}

Bytes BootSpec::encode() const { return troupe::encode(*this); }

BootSpec BootSpec::decode(BytesView octets) { return decode_value<BootSpec>(octets); }

}  // namespace troupe
