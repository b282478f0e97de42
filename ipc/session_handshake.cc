// SPDX-License-Identifier: Apache-2.0
// The handshake part of Session: who the peer is, and whether it holds the key.

#include <algorithm>
#include <utility>

#include "troupe/ipc/session.h"
#include "troupe/ipc/text.h"

namespace troupe {

namespace {

std::string versions_text(VersionRange range) {
  return std::to_string(range.min) + " to " + std::to_string(range.max);
}

}  // namespace

std::string Session::fault_of(const Hello& hello) {
  if (!config_.key)
    return "I have no key and so can talk to nobody; start me with the key of the cluster";
  const Fingerprint mine = fingerprint(&*config_.key);
  if (hello.key == Fingerprint{})
    return "you have no key; start your program with the key of this cluster";
  if (hello.key != mine) {
    return "you hold another key (fingerprint " + to_hex(as_bytes(hello.key)) + ") than I do (" +
           to_hex(as_bytes(mine)) + "); start both programs with the same key";
  }
  if (config_.listens_at && !config_.listens_at(hello.dialed)) {
    return "you dialed " + printable(hello.dialed) +
           ", where I do not listen: something between us relays, or the address is written "
           "differently";
  }
  return {};
}

void Session::on_hello(BytesView octets) {
  const VersionRange theirs = parse_hello_versions(octets);
  const std::uint16_t version = std::min(theirs.max, config_.versions.max);
  std::string fault;
  if (version < theirs.min || version < config_.versions.min) {
    fault = "you speak protocol versions " + versions_text(theirs) + " and I speak " +
            versions_text(config_.versions) + "; run programs of the same version";
  } else {
    const Hello hello = parse_hello(octets);
    peer_ = hello.self;
    fault = fault_of(hello);
  }
  if (!fault.empty()) {
    refuse(fault);
    return close(TransportClosed::Reason::refused,
                 peer_text() + " was refused; it was told: " + fault);
  }
  hello_ = octets;
  welcome_ = encode_welcome({version, config_.nonce, self_info()});
  const Proof proof = prove(*config_.key, Prover::acceptor, hello_, welcome_);
  push(FrameKind::welcome, 0, welcome_ + std::string(as_bytes(proof)));
  state_ = State::awaiting_proof;
}

void Session::on_welcome(BytesView octets) {
  constexpr std::size_t proof_size = std::tuple_size_v<Proof>;
  if (octets.size() < proof_size) throw ProtocolViolation("a welcome without a proof");
  const BytesView welcome = octets.substr(0, octets.size() - proof_size);
  const BytesView proof = octets.substr(welcome.size());
  // The server proves first: nothing it says is believed before that.
  if (!config_.key ||
      !proof_matches(prove(*config_.key, Prover::acceptor, hello_, welcome), proof)) {
    throw ProtocolViolation("it could not prove that it holds our key, so it may be an impostor");
  }
  const Welcome told = parse_welcome(welcome);
  if (told.version < config_.versions.min || told.version > config_.versions.max) {
    throw ProtocolViolation("it chose protocol version " + std::to_string(told.version));
  }
  const Proof ours = prove(*config_.key, Prover::connector, hello_, welcome);
  push(FrameKind::proof, 0, std::string(as_bytes(ours)));
  establish(told.self);
}

void Session::on_proof(BytesView octets) {
  if (proof_matches(prove(*config_.key, Prover::connector, hello_, welcome_), octets))
    return establish(peer_);
  const std::string fault = "you could not prove that you hold the key";
  refuse(fault);
  close(TransportClosed::Reason::violation, peer_text() + " was refused; it was told: " + fault);
}

void Session::establish(EndInfo peer) {
  peer_ = std::move(peer);
  hello_.clear();
  welcome_.clear();
  state_ = State::open;
  outbox_.limit_transfers(2 * peer_.max_payload);
  events_.on_established();
}

}  // namespace troupe
