// SPDX-License-Identifier: Apache-2.0
#pragma once

// Portals: handles for calling into another actor. A call through a portal looks like a local call;
// it is a task of its own over there, and its error comes back as the caller's.

#include <chrono>
#include <compare>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "troupe/ipc/address.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/rpc/call.h"
#include "troupe/runtime/rpc/function.h"
#include "troupe/runtime/rpc/open_dialog.h"

namespace troupe {

/// A handle for calling into one actor. A value; using it after the actor is gone throws
/// `TransportClosed` or `ActorDied`, never hangs.
class Portal {
 public:
  /// For the runtime: a portal to `peer`.
  explicit Portal(std::shared_ptr<Peer> peer) : peer_(std::move(peer)) {}

  /// Calls `F` there and returns its result. Checkpoint. Throws `RemoteActorError` when `F` throws,
  /// `ModuleNotExposed` when the actor does not expose it, `ActorDied` or `TransportClosed` when
  /// the actor is gone. Cancelling the caller's scope cancels the remote task and waits, bounded,
  /// for it.
  template <auto F, class... Args>
  ResultOf<F> run(Args&&... args) const {
    detail::check_plain<F>();
    detail::PlainCall call(*peer_, function_key<F>());
    {
      detail::ScratchBytes request;
      detail::encode_start<F>(*request, std::nullopt, std::forward<Args>(args)...);
      call.start(*request);
    }
    return decode_result<F>(call.wait());
  }

  /// Calls "module.fn" by name, for programs that do not share the binary. Checkpoint. Throws as
  /// above, and `MsgTypeError` naming both signatures when they differ.
  template <class R, class... Args>
  R run(std::string_view path, Args&&... args) const {
    detail::PlainCall call(*peer_, path);
    Bytes request;
    CallRequest{.by = CallRequest::By::name,
                .path = std::string(path),
                .signature = wire_signature<R, Args...>()}
        .encode_head(request);
    request += encode_named_call(std::forward<Args>(args)...);
    call.start(request);
    return decode_message<R>(call.wait());
  }

  /// Calls the stream function `F` there (its first parameter is a `Sink<T>`), runs
  /// `body(ReceiveStream<T>&)` with what it sends, and returns what `body` returns. The arguments
  /// are those of `F` without the sink, then the body; `StreamOptions` may come first. Leaving the
  /// block cancels the remote function and waits for its end; an error that it raised before that
  /// arrived is thrown. Checkpoint. Throws as `run` does.
  template <auto F, class... ArgsAndBody>
  auto open_stream(ArgsAndBody&&... args_and_body) const {
    return detail::open_stream<F>(peer_, std::forward<ArgsAndBody>(args_and_body)...);
  }

  /// Calls the context function `F` there (its first parameter is a `Context<P>&`), and when it has
  /// started runs `body(CallerContext<P, R>&, first word)`; without the latter when `P::Started` is
  /// void. The arguments are those of `F` without the context, then the body, whose value is
  /// returned. The block is left only when the remote task has ended: a normal end waits for it, an
  /// error or a cancellation on either side ends both. Checkpoint. Throws as `run` does, and
  /// `ContextCancelled` when anyone but the opener cancelled the context.
  template <auto F, class... ArgsAndBody>
  auto open_context(ArgsAndBody&&... args_and_body) const {
    return detail::open_context<F>(peer_, std::forward<ArgsAndBody>(args_and_body)...);
  }

  /// Asks the actor to end, and waits for its acknowledgement and end, `timeout` at most, shielded
  /// from the caller's own cancellation. Returns whether that came in time; false, without an
  /// error, when the actor was gone already.
  bool cancel_actor(std::chrono::nanoseconds timeout = std::chrono::seconds(5)) const;
  /// The same with any duration, a floating one too.
  template <class Rep, class Period>
  bool cancel_actor(std::chrono::duration<Rep, Period> timeout) const {
    return cancel_actor(detail::to_duration(timeout));
  }

  /// Who the actor is.
  const Uid& uid() const noexcept;
  /// Where it listens.
  const Address& address() const noexcept;
  /// Whether a connection to it stands. Never waits.
  bool connected() const noexcept;
  /// The peer behind, for the runtime.
  const std::shared_ptr<Peer>& peer() const noexcept { return peer_; }

  /// Two portals are equal when they lead to the same incarnation of an actor: so a portal to a
  /// supervised actor compares otherwise, and has another hash, once that was started anew. Keys
  /// that are to outlast that are names.
  friend bool operator==(const Portal& a, const Portal& b) { return a.uid() == b.uid(); }
  friend std::strong_ordering operator<=>(const Portal& a, const Portal& b) {
    return a.uid() <=> b.uid();
  }

 private:
  std::shared_ptr<Peer> peer_;
};

/// Prints the actor's uid.
template <class Stream>
requires requires(Stream& stream, const std::string& text) { stream << text; }
Stream& operator<<(Stream& stream, const Portal& portal) {
  stream << "portal to " << portal.uid().to_string();
  return stream;
}

}  // namespace troupe

template <>
struct std::hash<troupe::Portal> {
  std::size_t operator()(const troupe::Portal& portal) const noexcept {
    return std::hash<troupe::Uid>{}(portal.uid());
  }
};
