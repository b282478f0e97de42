// SPDX-License-Identifier: Apache-2.0
#pragma once

// How portals open dialogs: the request of each kind, and the sentences for functions of another
// kind than the one that was asked for.

#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/rpc/call.h"
#include "troupe/runtime/rpc/context.h"
#include "troupe/runtime/rpc/dialog_block.h"
#include "troupe/runtime/rpc/function.h"
#include "troupe/runtime/rpc/stream.h"

namespace troupe::detail {

/// Appends a `start` frame's payload that calls `F`; with a window for a stream or context.
template <auto F, class... Args>
void encode_start(Bytes& out, std::optional<Window> window, Args&&... args) {
  CallRequest{.by = CallRequest::By::id, .id = function_id<F>(), .window = window}.encode_head(out);
  encode_call_into<F>(out, std::forward<Args>(args)...);
}

template <auto F>
constexpr void check_plain() {
  static_assert(FunctionTraits<F>::kind != FunctionKind::stream,
                "this function is a stream (its first parameter is a Sink): call it with "
                "portal.open_stream<&f>(args..., body)");
  static_assert(FunctionTraits<F>::kind != FunctionKind::context,
                "this function is a context (its first parameter is a Context&): call it with "
                "portal.open_context<&f>(args..., body)");
}

template <auto F>
constexpr bool check_stream() {
  static_assert(FunctionTraits<F>::kind != FunctionKind::plain,
                "this function is no stream (its first parameter is no Sink<T>): call it with "
                "portal.run<&f>(args...)");
  static_assert(FunctionTraits<F>::kind != FunctionKind::context,
                "this function is a context (its first parameter is a Context&): call it with "
                "portal.open_context<&f>(args..., body)");
  return FunctionTraits<F>::is_stream;
}

template <auto F>
constexpr bool check_context() {
  static_assert(FunctionTraits<F>::kind != FunctionKind::plain,
                "this function is no context (its first parameter is no Context<P>&): call it with "
                "portal.run<&f>(args...)");
  static_assert(FunctionTraits<F>::kind != FunctionKind::stream,
                "this function is a stream (its first parameter is a Sink): call it with "
                "portal.open_stream<&f>(args..., body)");
  return FunctionTraits<F>::is_context;
}

template <class Body, class T>
constexpr bool check_stream_body() {
  static_assert(std::is_invocable_v<Body&, ReceiveStream<T>&>,
                "the last argument of open_stream is its body, which takes the stream: "
                "[](troupe::ReceiveStream<T>& values) { ... }");
  return std::is_invocable_v<Body&, ReceiveStream<T>&>;
}

template <class Body, class P, class R>
constexpr bool check_context_body() {
  using Started = typename ProtocolTypes<P>::Started;
  if constexpr (std::is_void_v<Started>) {
    static_assert(std::is_invocable_v<Body&, CallerContext<P, R>&>,
                  "the last argument of open_context is its body, which here takes the context "
                  "alone, as the protocol's Started is void: [](auto& ctx) { ... }");
    return std::is_invocable_v<Body&, CallerContext<P, R>&>;
  } else {
    static_assert(std::is_invocable_v<Body&, CallerContext<P, R>&, Started>,
                  "the last argument of open_context is its body, which takes the context and the "
                  "value that the callee started with: [](auto& ctx, Started first) { ... }");
    return std::is_invocable_v<Body&, CallerContext<P, R>&, Started>;
  }
}

template <auto F, class Arguments, std::size_t... I>
auto run_stream_block(std::shared_ptr<Peer> peer, const StreamOptions& options,
                      const Arguments& arguments, std::index_sequence<I...>) {
  using T = typename FunctionTraits<F>::Inner;
  auto& body = std::get<sizeof...(I)>(arguments);
  if constexpr (check_stream_body<decltype(body), T>()) {
    TypedInput<T> input;
    input.configure(options);
    Bytes request;
    encode_start<F>(request, input.window(),
                    std::forward<std::tuple_element_t<I, Arguments>>(std::get<I>(arguments))...);
    DialogBlock block(std::move(peer), function_key<F>(), input, Leaving::by_cancelling);
    return block.run(std::move(request), [&]() -> decltype(auto) {
      ReceiveStream<T> stream(input);
      return body(stream);
    });
  }
}

/// The arguments of `F`, then the body.
template <auto F, class... ArgsAndBody>
auto open_stream(std::shared_ptr<Peer> peer, const StreamOptions& options, ArgsAndBody&&... all) {
  if constexpr (check_stream<F>()) {
    static_assert(sizeof...(all) > 0, "open_stream takes the function's arguments and a body");
    const std::tuple<ArgsAndBody&&...> arguments(std::forward<ArgsAndBody>(all)...);
    return run_stream_block<F>(std::move(peer), options, arguments,
                               std::make_index_sequence<sizeof...(all) - 1>{});
  }
}
template <auto F, class First, class... Rest>
requires(!std::is_same_v<std::remove_cvref_t<First>, StreamOptions>) auto open_stream(
    std::shared_ptr<Peer> peer, First&& first, Rest&&... rest) {
  return open_stream<F>(std::move(peer), StreamOptions{}, std::forward<First>(first),
                        std::forward<Rest>(rest)...);
}

/// Waits for the first word and calls `body` with it.
template <class P, class Context, class Body>
decltype(auto) call_context_body(OpenerEnd& end, Context& context, Body& body) {
  using Started = typename ProtocolTypes<P>::Started;
  end.wait_started();
  if constexpr (std::is_void_v<Started>) {
    return body(context);
  } else {
    return body(context, decode_message<Started>(end.started_value()));
  }
}

template <auto F, class Arguments, std::size_t... I>
auto run_context_block(std::shared_ptr<Peer> peer, const Arguments& arguments,
                       std::index_sequence<I...>) {
  using P = typename FunctionTraits<F>::Inner;
  using R = ResultOf<F>;
  auto& body = std::get<sizeof...(I)>(arguments);
  if constexpr (check_context_body<decltype(body), P, R>()) {
    TypedInput<typename ProtocolTypes<P>::ToCaller> input;
    Bytes request;
    encode_start<F>(request, input.window(),
                    std::forward<std::tuple_element_t<I, Arguments>>(std::get<I>(arguments))...);
    DialogBlock block(std::move(peer), function_key<F>(), input, Leaving::by_waiting);
    CallerContext<P, R> context(block, input);
    return block.run(std::move(request), [&]() -> decltype(auto) {
      const CurrentContext current(context);
      return call_context_body<P>(block.end(), context, body);
    });
  }
}

/// The arguments of `F`, then the body.
template <auto F, class... ArgsAndBody>
auto open_context(std::shared_ptr<Peer> peer, ArgsAndBody&&... all) {
  if constexpr (check_context<F>()) {
    static_assert(sizeof...(all) > 0, "open_context takes the function's arguments and a body");
    const std::tuple<ArgsAndBody&&...> arguments(std::forward<ArgsAndBody>(all)...);
    return run_context_block<F>(std::move(peer), arguments,
                                std::make_index_sequence<sizeof...(all) - 1>{});
  }
}

}  // namespace troupe::detail
