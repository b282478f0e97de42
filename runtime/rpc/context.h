// SPDX-License-Identifier: Apache-2.0
#pragma once

// Contexts: a pair of linked tasks, one in each of two actors, with a first word, a stream in both
// directions and a result. An error or a cancellation on either side ends both. The idea, and the
// names, are tractor's.

#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/rpc/call_codec.h"
#include "troupe/runtime/rpc/callee_end.h"
#include "troupe/runtime/rpc/dialog_block.h"
#include "troupe/runtime/rpc/function.h"
#include "troupe/runtime/rpc/stream.h"

namespace troupe {

/// Either side of a context, as helpers see it: `current_ipc_ctx()`. Resource, made by the runtime.
class IpcContext {
 public:
  IpcContext(const IpcContext&) = delete;
  IpcContext& operator=(const IpcContext&) = delete;

  /// Cancels the other side only, and waits until it has heard that, for the program's
  /// `cancel_grace` at most; whatever is cancelled here meanwhile. Does nothing at the end. Called
  /// by another task than the one that opened the context, it also ends the opener's body.
  /// Checkpoint.
  virtual void cancel() = 0;
  /// Whether this side has called `cancel`.
  bool cancel_called() const noexcept { return end_.cancel_called(); }
  /// Whether the other side has heard it.
  bool cancel_acked() const noexcept { return end_.cancel_acked(); }
  /// The actor that the cancellation of this context came from, the first if there are several:
  /// ourselves, the other side, or (in the callee) who has asked the actor to end. None when nobody
  /// has cancelled it.
  virtual std::optional<Uid> canceller() const = 0;
  /// The actor at the other side.
  const Uid& peer() const noexcept { return end_.peer(); }
  /// The scope of this side: of the opener's body, or of the callee's function.
  virtual CancelScope& cancel_scope() noexcept = 0;

 protected:
  explicit IpcContext(detail::DialogEnd& end) noexcept : end_(end) {}
  ~IpcContext() = default;

  /// Checks that the stream may be opened, now and once.
  void begin_stream();
  /// Runs the body of a stream and leaves the stream in order.
  void run_stream(UniqueFunction<void()> body, bool absorbs_end);
  /// Tells the other side of a stream that an error has broken off, when the context goes on.
  void leave_broken_stream();
  virtual void check_may_stream() = 0;

  detail::DialogEnd& end_;

 private:
  bool stream_opened_ = false;
  bool stream_broken_off_ = false;
};

/// The context that the calling task, or one that started it, runs in. Throws `UsageError` outside
/// of contexts. Never waits.
IpcContext& current_ipc_ctx();

namespace detail {

/// While it lives, `current_ipc_ctx()` is `context`, in this task and those that it starts.
class CurrentContext {
 public:
  explicit CurrentContext(IpcContext& context);
  CurrentContext(const CurrentContext&) = delete;
  CurrentContext& operator=(const CurrentContext&) = delete;
  ~CurrentContext();

 private:
  std::shared_ptr<IpcContext*> cell_;
  std::shared_ptr<IpcContext*> before_;
};

template <class P>
concept HasStarted = requires {
  typename P::Started;
};

/// The types of a protocol; directions that it does not name are void.
template <class P>
struct ProtocolTypes {
  static_assert(HasStarted<P>,
                "this context's protocol names no `Started`: add `using Started = ...;` to it, the "
                "type of the first word (void for none)");
  template <class Q>
  static auto to_callee(Q*) -> std::type_identity<typename Q::ToCallee>;
  static auto to_callee(void*) -> std::type_identity<void>;
  template <class Q>
  static auto to_caller(Q*) -> std::type_identity<typename Q::ToCaller>;
  static auto to_caller(void*) -> std::type_identity<void>;
  template <class Q>
  static auto started(Q*) -> std::type_identity<typename Q::Started>;
  static auto started(void*) -> std::type_identity<void>;

  using Started = typename decltype(started(static_cast<P*>(nullptr)))::type;
  using ToCallee = typename decltype(to_callee(static_cast<P*>(nullptr)))::type;
  using ToCaller = typename decltype(to_caller(static_cast<P*>(nullptr)))::type;
};

/// The stream of either side: received first, sent second.
template <class Received, class Sent>
class StreamingContext : public IpcContext {
 public:
  /// Opens the stream, runs `body(stream)` and leaves the stream: the other side's loop ends. Once
  /// a context. Returns what `body` returns; `EndOfChannel` out of a body that returns nothing is
  /// its normal end. An error that leaves `body` says nothing to the other side, as it ends the
  /// context. Checkpoint. Throws `UsageError` the second time and, in the callee, before `started`;
  /// `ContextCancelled` after `cancel`; what has ended the context, when that was an error.
  template <std::invocable<Stream<Received, Sent>&> Body>
  decltype(auto) open_stream(Body&& body) {
    return open_stream(StreamOptions{}, std::forward<Body>(body));
  }
  /// The same, where `options` say how this side buffers.
  template <std::invocable<Stream<Received, Sent>&> Body>
  auto open_stream(const StreamOptions& options, Body&& body) {
    using R = std::decay_t<std::invoke_result_t<Body&, Stream<Received, Sent>&>>;
    begin_stream();
    input_.configure(options);
    Stream<Received, Sent> stream(input_, end_);
    if constexpr (std::is_void_v<R>) {
      run_stream([&] { body(stream); }, true);
    } else {
      std::optional<R> value;
      run_stream([&] { value.emplace(body(stream)); }, false);
      return R(*std::move(value));
    }
  }

 protected:
  StreamingContext(TypedInput<Received>& input, DialogEnd& end) : IpcContext(end), input_(input) {}
  ~StreamingContext() = default;

 private:
  TypedInput<Received>& input_;
};

}  // namespace detail

/// The callee's side of a context, the first parameter of a context function (`Context<P>&`). `P`
/// names the types: `struct P { using Started = int; using ToCallee = A; using ToCaller = B; };`.
template <class P>
class Context final : public detail::StreamingContext<typename detail::ProtocolTypes<P>::ToCallee,
                                                      typename detail::ProtocolTypes<P>::ToCaller> {
  using Types = detail::ProtocolTypes<P>;
  using Base = detail::StreamingContext<typename Types::ToCallee, typename Types::ToCaller>;

 public:
  /// For the runtime.
  Context(detail::CalleeEnd& end, detail::TypedInput<typename Types::ToCallee>& input)
      : Base(input, end), callee_(end) {}

  /// The first word: lets the opener's body begin, with this value. Exactly once, before the stream
  /// and the return. Checkpoint. Throws `UsageError` the second time.
  template <class U = typename Types::Started>
  requires(!std::is_void_v<U> &&
           std::convertible_to<U, typename Types::Started>) void started(U&& value) {
    const typename Types::Started converted(std::forward<U>(value));
    send_started(encode(converted));
  }
  /// The same for a protocol without a first value.
  void started() requires std::is_void_v<typename Types::Started> { send_started({}); }

  void cancel() override;
  std::optional<Uid> canceller() const override;
  CancelScope& cancel_scope() noexcept override { return callee_.scope(); }

 private:
  void send_started(BytesView octets);
  void check_may_stream() override;

  detail::CalleeEnd& callee_;
};

/// The opener's side of a context, given to the body of `open_context`. `R` is what the function
/// returns.
template <class P, class R>
class CallerContext final
    : public detail::StreamingContext<typename detail::ProtocolTypes<P>::ToCaller,
                                      typename detail::ProtocolTypes<P>::ToCallee> {
  using Types = detail::ProtocolTypes<P>;
  using Base = detail::StreamingContext<typename Types::ToCaller, typename Types::ToCallee>;

 public:
  /// For the runtime.
  CallerContext(detail::DialogBlock& block, detail::TypedInput<typename Types::ToCaller>& input)
      : Base(input, block.end()), block_(block) {}

  /// Waits for the function's result. May be called again. Checkpoint. Throws what the function
  /// threw, as `RemoteActorError`; `ContextCancelled` when the context was cancelled, by whomever;
  /// `ActorDied` or `TransportClosed` when its actor is gone.
  R result() {
    const detail::DialogBlock::Use use(block_);
    this->leave_broken_stream();
    return decode_message<R>(block_.wait_for_result());
  }

  void cancel() override { block_.cancel(); }
  std::optional<Uid> canceller() const override;
  CancelScope& cancel_scope() noexcept override { return block_.scope(); }

 private:
  void check_may_stream() override;

  detail::DialogBlock& block_;
};

namespace detail {

// What does not depend on the protocol.
void cancel_opener(CalleeEnd& end);
std::optional<Uid> canceller_of(const OpenerEnd& end);
void say_started(CalleeEnd& end, BytesView octets);
void check_started_before_stream(const CalleeEnd& end);
void check_started_before_return(const CalleeEnd& end);
void check_not_failed(OpenerEnd& end);

template <class P>
struct DialogServer<Context<P>> {
  template <auto F>
  static void serve(CalleeEnd& end, BytesView arguments, Bytes& result) {
    TypedInput<typename ProtocolTypes<P>::ToCallee> input;
    struct Detach {
      CalleeEnd& end;
      ~Detach() { end.detach(); }
    } const detach{end};
    end.attach(input);
    Context<P> context(end, input);
    const CurrentContext current(context);
    if constexpr (std::is_void_v<ResultOf<F>>) {
      call_decoded<F>(arguments, context);
    } else {
      encode_result(call_decoded<F>(arguments, context), result);
    }
    check_started_before_return(end);
  }
};

}  // namespace detail

template <class P>
void Context<P>::cancel() {
  detail::cancel_opener(callee_);
}
template <class P>
std::optional<Uid> Context<P>::canceller() const {
  return callee_.canceller();
}
template <class P>
void Context<P>::send_started(BytesView octets) {
  detail::say_started(callee_, octets);
}
template <class P>
void Context<P>::check_may_stream() {
  detail::check_started_before_stream(callee_);
}
template <class P, class R>
std::optional<Uid> CallerContext<P, R>::canceller() const {
  return detail::canceller_of(block_.end());
}
template <class P, class R>
void CallerContext<P, R>::check_may_stream() {
  detail::check_not_failed(block_.end());
}

}  // namespace troupe
