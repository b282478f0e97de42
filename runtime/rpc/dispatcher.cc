// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/dispatcher.h"

#include <exception>
#include <optional>
#include <utility>

#include "troupe/ipc/dialog_port.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/rpc/call.h"
#include "troupe/runtime/rpc/caller.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {
namespace {

template <class E>
Bytes verdict(const E& error, const Uid& self) {
  return detail::box_verdict(std::make_exception_ptr(error), self);
}

// Streams and contexts come with credit for what the callee sends. Without it the callee would wait
// for ever.
void check_kind(const FunctionEntry& function, const CallRequest& request) {
  if (request.window.has_value() == (function.kind != FunctionKind::plain)) return;
  const char* way = function.kind == FunctionKind::stream    ? "a stream: use open_stream"
                    : function.kind == FunctionKind::context ? "a context: use open_context"
                                                             : "a plain function: use run";
  throw UsageError(function.name + " is " + way);
}

}  // namespace

Dispatcher::Dispatcher(Uid self, TaskNursery& nursery, std::chrono::nanoseconds cancel_grace)
    : self_(std::move(self)),
      nursery_(nursery),
      host_{{}, cancel_grace},
      served_(std::make_unique<IntrusiveList<detail::CalleeEnd, detail::InDispatcher>>()) {}

Dispatcher::~Dispatcher() = default;

void Dispatcher::expose(const Module& module) {
  for (const FunctionEntry* function : module.functions()) expose(*function);
  if (!module.name().empty()) modules_.emplace(module.name(), module);
}

void Dispatcher::expose(const FunctionEntry& function) { exposed_.emplace(function.id, &function); }

void Dispatcher::expose_with_caller(const Module& module) {
  expose(module);
  for (const FunctionEntry* function : module.functions()) tells_caller_.insert(function->id);
}

std::size_t Dispatcher::calls() const noexcept { return served_->size(); }

const FunctionEntry* Dispatcher::find(const CallRequest& request, std::string& asked_for) const {
  if (request.by == CallRequest::By::id) {
    const auto found = exposed_.find(request.id);
    if (found != exposed_.end()) return found->second;
    const FunctionEntry* known = FunctionTable::instance().find(request.id);
    asked_for = known != nullptr ? known->name : "a function that its program does not contain";
    return nullptr;
  }
  asked_for = request.path;
  const FunctionPath path = FunctionPath::parse(request.path);
  const auto module = modules_.find(path.module);
  if (module == modules_.end()) return nullptr;
  const FunctionEntry& function = module->second.function(path.function);
  if (function.wire_signature != request.signature) {
    throw MsgTypeError("the caller believes " + request.path + " to be '" + request.signature +
                       "', but in " + self_.to_string() + " it is '" + function.wire_signature +
                       "'; make both programs agree");
  }
  return &function;
}

DialogHandler& Dispatcher::serve(const FunctionEntry& function, DialogPort& port,
                                 std::uint64_t dialog, const CallRequest& request) {
  auto call = std::make_shared<detail::CalleeEnd>(function, port, dialog, request.arguments, host_);
  detail::CalleeEnd& end = *call;
  if (request.window) end.credit(*request.window);
  if (tells_caller_.contains(function.id)) end.keep_caller();
  served_->push_back(end);
  nursery_.start_soon(function.name, [call = std::move(call)] { call->run(); });
  return end;
}

DialogHandler* Dispatcher::on_start(DialogPort& port, std::uint64_t dialog, BytesView payload) {
  try {
    const CallRequest request = CallRequest::decode(payload);
    std::string asked_for;
    const FunctionEntry* function = find(request, asked_for);
    if (function == nullptr) {
      throw ModuleNotExposed(self_.to_string() + " does not expose " + asked_for +
                             "; name the function in a module and enable that for the actor");
    }
    check_kind(*function, request);
    return &serve(*function, port, dialog, request);
  } catch (const ModuleNotExposed& error) {
    port.send(FrameKind::error, dialog, verdict(error, self_));
  } catch (const MsgTypeError& error) {
    port.send(FrameKind::error, dialog, verdict(error, self_));
  } catch (const std::exception& error) {
    port.send(FrameKind::error, dialog, verdict(UsageError(error.what()), self_));
  }
  return nullptr;
}

}  // namespace troupe
