// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/dispatcher.h"

#include <exception>
#include <optional>
#include <utility>

#include "troupe/ipc/connection.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/rpc/call.h"
#include "troupe/runtime/rpc/caller.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {
namespace {

Bytes encoded(const BoxedError& box) {
  Bytes out;
  box.encode_into(out);
  return out;
}

// An error of the runtime itself, about the call.
template <class E>
Bytes boxed(E error, const Uid& self) {
  BoxedError box = box_error(std::make_exception_ptr(std::move(error)), self);
  box.by_runtime = true;
  return encoded(box);
}

}  // namespace

// One call being served. Owned by its task; the connection holds a pointer until the dialog ends.
class Dispatcher::ServedCall final : public DialogHandler, public ListHook<InDispatcher> {
 public:
  ServedCall(const FunctionEntry& function, const Uid& self, Connection& connection,
             std::uint64_t dialog, BytesView arguments)
      : function_(function),
        self_(self),
        connection_(&connection),
        dialog_(dialog),
        arguments_(arguments) {}
  ~ServedCall() {
    if (connection_ != nullptr) connection_->close_dialog(dialog_);
  }

  // Knows the caller also when the connection has ended before the task runs.
  void keep_caller() { caller_ = connection_->peer(); }

  void run() {
    if (caller_) detail::set_current_caller(*caller_);
    try {
      scope_.run([&] { answer(FrameKind::ret, function_.thunk(arguments_)); });
      if (scope_.cancelled_caught()) answer_cancelled();
    } catch (const Cancelled&) {  // the whole actor ends
      answer_cancelled();
      throw;
    } catch (...) {
      answer_error(std::current_exception());
    }
  }

  void on_frame(FrameKind kind, BytesView) override {
    if (kind != FrameKind::cancel) {
      throw Error(std::string("a frame '") + to_string(kind) + "' in a plain call");
    }
    connection_->send(FrameKind::cancel_ack, dialog_, {});
    scope_.cancel("the caller cancelled the call");
  }

  void on_closed(std::exception_ptr) override {
    connection_ = nullptr;
    scope_.cancel("the caller is gone");
  }

 private:
  void answer(FrameKind kind, Bytes payload) {
    if (connection_ == nullptr) return;
    connection_->send(kind, dialog_, std::move(payload));
    std::exchange(connection_, nullptr)->close_dialog(dialog_);
  }

  void answer_cancelled() {
    answer(FrameKind::error, boxed(ContextCancelled("the call of " + function_.name +
                                                        " was cancelled in " + self_.to_string(),
                                                    self_),
                                   self_));
  }

  // An error or result that cannot be sent (too large, say) is an error, too.
  void answer_error(const std::exception_ptr& error) noexcept {
    try {
      answer(FrameKind::error, encoded(box_error(error, self_)));
    } catch (const std::exception& unsent) {
      try {
        answer(FrameKind::error, boxed(Error(unsent.what()), self_));
      } catch (const std::exception&) {  // nothing more can be said on this connection
      }
    }
  }

  const FunctionEntry& function_;
  const Uid& self_;
  Connection* connection_;
  std::uint64_t dialog_;
  Bytes arguments_;
  std::optional<Uid> caller_;
  CancelScope scope_;
};

Dispatcher::Dispatcher(Uid self, TaskNursery& nursery)
    : self_(std::move(self)),
      nursery_(nursery),
      served_(std::make_unique<IntrusiveList<ServedCall, InDispatcher>>()) {}

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

const FunctionEntry* Dispatcher::find(BytesView payload, BytesView& arguments,
                                      std::string& asked_for) const {
  const CallRequest request = CallRequest::decode(payload);
  arguments = request.arguments;
  if (request.by == CallRequest::By::id) {
    const FunctionEntry* known = FunctionTable::instance().find(request.id);
    asked_for = known != nullptr ? known->name : "a function that its program does not contain";
    const auto found = exposed_.find(request.id);
    return found == exposed_.end() ? nullptr : found->second;
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

DialogHandler* Dispatcher::on_start(Connection& connection, std::uint64_t dialog,
                                    BytesView payload) {
  try {
    BytesView arguments;
    std::string asked_for;
    const FunctionEntry* function = find(payload, arguments, asked_for);
    if (function == nullptr) {
      throw ModuleNotExposed(self_.to_string() + " does not expose " + asked_for +
                             "; name the function in a module and enable that for the actor");
    }
    auto call = std::make_unique<ServedCall>(*function, self_, connection, dialog, arguments);
    ServedCall* const handler = call.get();
    served_->push_back(*handler);
    if (tells_caller_.contains(function->id)) handler->keep_caller();
    nursery_.start_soon(function->name, [call = std::move(call)] { call->run(); });
    return handler;
  } catch (const ModuleNotExposed& error) {
    connection.send(FrameKind::error, dialog, boxed(error, self_));
  } catch (const MsgTypeError& error) {
    connection.send(FrameKind::error, dialog, boxed(error, self_));
  } catch (const std::exception& error) {
    connection.send(FrameKind::error, dialog, boxed(UsageError(error.what()), self_));
  }
  return nullptr;
}

}  // namespace troupe
