// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/handshake.h"

#include <gtest/gtest.h>

#include "troupe/tests/ipc/session_pair.h"
#include "troupe/tests/ipc/socket_support.h"

namespace troupe {
namespace {

using testing::acceptor_config;
using testing::connector_config;
using testing::contains;
using testing::End;
using testing::Pair;
using Reason = TransportClosed::Reason;

Bytes frame_of(FrameKind kind, BytesView payload, std::uint64_t dialog = 0) {
  Bytes message;
  append_frame(message, kind, dialog, payload);
  return message;
}

// Lets both ends talk and expects that the acceptor refuses; returns what the connector prints.
std::string refusal(SessionConfig of_connector, SessionConfig of_acceptor) {
  Pair pair(std::move(of_connector), std::move(of_acceptor));
  pair.settle();
  EXPECT_EQ(pair.connector.established, 0);
  EXPECT_EQ(pair.acceptor.established, 0);
  EXPECT_TRUE(pair.connector.session.closed());
  EXPECT_TRUE(pair.acceptor.session.closed());
  EXPECT_EQ(pair.connector.reason(), Reason::refused);
  EXPECT_EQ(pair.acceptor.reason(), Reason::refused);
  return pair.connector.why();
}

TEST(HandshakeTest, BothEndsLearnWhoTheOtherIs) {
  Pair pair;
  pair.settle();
  EXPECT_EQ(pair.connector.established, 1);
  EXPECT_EQ(pair.acceptor.established, 1);
  EXPECT_EQ(pair.connector.session.peer().uid, testing::test_uid("callee", 'a'));
  EXPECT_EQ(pair.connector.session.peer().pid, 22u);
  EXPECT_EQ(pair.connector.session.peer().address, "ipc:///run/a");
  EXPECT_EQ(pair.connector.session.peer().build_id, "build-a");
  EXPECT_EQ(pair.acceptor.session.peer().uid, testing::test_uid("caller", 'c'));
  EXPECT_EQ(pair.acceptor.session.peer().build_id, "build-c");
  EXPECT_EQ(pair.acceptor.session.peer_text(), "actor caller@cccccccc (pid 11)");
}

TEST(HandshakeTest, TheKeyIsNeverSent) {
  Pair pair;
  const Bytes hello = pair.connector.take();
  pair.acceptor.session.receive(hello);
  const Bytes welcome = pair.acceptor.take();
  pair.connector.session.receive(welcome);
  const Bytes proof = pair.connector.take();
  for (const Bytes& message : {hello, welcome, proof}) EXPECT_FALSE(contains(message, "kkkkkkkk"));
}

TEST(HandshakeTest, AnotherKeyIsRefusedAndBothSay) {
  SessionConfig other = connector_config();
  other.key = testing::test_key('z');
  EXPECT_TRUE(contains(refusal(std::move(other), acceptor_config()), "you hold another key"));
}

TEST(HandshakeTest, NoKeyIsRefused) {
  SessionConfig keyless = connector_config();
  keyless.key.reset();
  EXPECT_TRUE(contains(refusal(std::move(keyless), acceptor_config()), "you have no key"));
  keyless = acceptor_config();
  keyless.key.reset();
  EXPECT_TRUE(contains(refusal(connector_config(), std::move(keyless)), "I have no key"));
}

TEST(HandshakeTest, VersionsWithoutOverlapAreRefusedWithBothRanges) {
  SessionConfig newer = connector_config();
  newer.versions = {2, 3};
  const std::string why = refusal(std::move(newer), acceptor_config());
  EXPECT_TRUE(contains(why, "2 to 3")) << why;
  EXPECT_TRUE(contains(why, "1 to 1")) << why;
  SessionConfig older = connector_config();
  older.versions = {0, 0};
  EXPECT_TRUE(contains(refusal(std::move(older), acceptor_config()), "0 to 0"));
}

TEST(HandshakeTest, OverlappingVersionsAgree) {
  SessionConfig newer = connector_config();
  newer.versions = {1, 7};
  Pair pair(std::move(newer), acceptor_config());
  pair.settle();
  EXPECT_EQ(pair.connector.established, 1);
}

TEST(HandshakeTest, AHelloThatWasMeantForAnotherAddressIsRefused) {
  SessionConfig elsewhere = connector_config();
  elsewhere.dialed = "ipc:///run/impostor";
  const std::string why = refusal(std::move(elsewhere), acceptor_config());
  EXPECT_TRUE(contains(why, "you dialed ipc:///run/impostor")) << why;
}

TEST(HandshakeTest, AnImpostorThatRewritesTheDialedAddressCannotProve) {
  // The impostor bound ipc:///run/x first, and passes the hello on to the real acceptor with the
  // address changed.
  SessionConfig victim = connector_config();
  victim.dialed = "ipc:///run/x";
  Pair pair(std::move(victim), acceptor_config());
  Bytes hello = pair.connector.take();
  hello.replace(hello.find("ipc:///run/x"), 12, "ipc:///run/a");
  pair.acceptor.session.receive(hello);
  ASSERT_FALSE(pair.acceptor.session.closed());
  pair.connector.session.receive(pair.acceptor.take());
  EXPECT_EQ(pair.connector.reason(), Reason::violation);
  EXPECT_TRUE(contains(pair.connector.why(), "could not prove")) << pair.connector.why();
}

TEST(HandshakeTest, AnImpostorWithoutTheKeyLearnsNoProof) {
  Pair pair;
  const Bytes hello = pair.connector.take();
  // It answers with a welcome of its own making.
  Welcome welcome;
  welcome.version = 1;
  welcome.self.uid = testing::test_uid("callee", 'a');
  const Bytes forged = encode_welcome(welcome) + Bytes(std::tuple_size_v<Proof>, 'p');
  pair.connector.session.receive(frame_of(FrameKind::welcome, forged));
  EXPECT_EQ(pair.connector.established, 0);
  EXPECT_EQ(pair.connector.reason(), Reason::violation);
  EXPECT_TRUE(contains(pair.connector.why(), "impostor"));
  EXPECT_TRUE(contains(pair.connector.why(), "ipc:///run/a"));
  EXPECT_FALSE(pair.connector.session.has_output());
}

TEST(HandshakeTest, AConnectorThatReflectsTheProofIsRefused) {
  Pair pair;
  pair.acceptor.session.receive(pair.connector.take());
  const Bytes welcome = pair.acceptor.take();
  pair.acceptor.session.receive(frame_of(FrameKind::proof, welcome.substr(welcome.size() - 32)));
  EXPECT_EQ(pair.acceptor.established, 0);
  EXPECT_TRUE(contains(pair.acceptor.why(), "could not prove"));
}

TEST(HandshakeTest, AReplayedHandshakeIsRefused) {
  Pair first;
  const Bytes hello = first.connector.take();
  first.acceptor.session.receive(hello);
  first.connector.session.receive(first.acceptor.take());
  const Bytes proof = first.connector.take();
  SessionConfig again = acceptor_config();
  again.nonce = testing::test_nonce('o');
  End acceptor(std::move(again));
  acceptor.session.receive(hello);
  acceptor.take();
  acceptor.session.receive(proof);
  EXPECT_EQ(acceptor.established, 0);
  EXPECT_TRUE(acceptor.session.closed());
}

TEST(HandshakeTest, AnythingButAHelloFirstIsAViolation) {
  for (const Bytes& message :
       {Bytes("GET / HTTP/1.1\r\n\r\n"), frame_of(FrameKind::proof, "x"),
        frame_of(FrameKind::start, "x", 2), frame_of(FrameKind::bye, ""),
        frame_of(FrameKind::hello, "no magic here"), frame_of(FrameKind::hello, ""),
        frame_of(FrameKind::refuse, "x"), Bytes(max_handshake_size + 1, 'x')}) {
    End acceptor(acceptor_config());
    acceptor.session.receive(message);
    EXPECT_TRUE(acceptor.session.closed());
    EXPECT_EQ(acceptor.reason(), Reason::violation);
    EXPECT_TRUE(acceptor.session.has_output()) << "the stranger is told why";
  }
}

TEST(HandshakeTest, DialogsBeforeTheProofAreAViolation) {
  Pair pair;
  pair.acceptor.session.receive(pair.connector.take());
  pair.acceptor.session.receive(frame_of(FrameKind::start, "x", 2));
  EXPECT_TRUE(pair.acceptor.starts.empty());
  EXPECT_EQ(pair.acceptor.reason(), Reason::violation);
}

TEST(HandshakeTest, TruncatedHandshakesAreViolations) {
  Pair good;
  const Bytes hello = good.connector.take().substr(frame_header_size);
  for (std::size_t size = 0; size < hello.size(); ++size) {
    End acceptor(acceptor_config());
    acceptor.session.receive(frame_of(FrameKind::hello, BytesView(hello).substr(0, size)));
    ASSERT_EQ(acceptor.established, 0);
    ASSERT_TRUE(acceptor.session.closed());
  }
  End acceptor(acceptor_config());
  acceptor.session.receive(frame_of(FrameKind::hello, hello + "x"));
  EXPECT_TRUE(acceptor.session.closed()) << "trailing octets";
}

TEST(HandshakeTest, ImpossibleNamesAreRefused) {
  for (const std::string& name :
       {std::string(), std::string("\xff\xfe"), std::string("a\nb"), std::string(300, 'x')}) {
    SessionConfig config = connector_config();
    config.uid.name = name;
    End connector(std::move(config));
    End acceptor(acceptor_config());
    acceptor.session.receive(connector.take());
    EXPECT_EQ(acceptor.reason(), Reason::violation);
    EXPECT_TRUE(contains(acceptor.why(), "name")) << acceptor.why();
  }
}

TEST(HandshakeTest, ARefusalIsPrintedWithoutControlCharacters) {
  End connector(connector_config());
  connector.session.receive(frame_of(FrameKind::refuse, "go \x1b[2J away"));
  EXPECT_EQ(connector.reason(), Reason::refused);
  EXPECT_TRUE(contains(connector.why(), "go ?[2J away")) << connector.why();
}

}  // namespace
}  // namespace troupe
