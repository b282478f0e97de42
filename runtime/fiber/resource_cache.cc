// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/resource_cache.h"

#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/fiber/errors.h"

namespace troupe::detail {

void SharedResource::serve(UniqueFunction<void()>& open) {
  CancelScope life;
  life_ = &life;
  struct AtEnd {
    SharedResource& self;
    ~AtEnd() {
      self.life_ = nullptr;
      self.state_ = State::closed;
      self.opened_.set();
      self.closed_.set();
    }
  } const at_end{*this};
  if (state_ != State::opening) return;  // its users have left already
  try {
    life.run(open);
    if (state_ == State::opening) {
      throw UsageError(
          "the function that opens a shared resource returned without lending it out: it must call "
          "what it was given with the resource");
    }
  } catch (const Cancelled&) {
    throw;
  } catch (...) {
    error_ = std::current_exception();
  }
}

void SharedResource::lend(void* resource) {
  if (resource_ != nullptr)
    throw UsageError("the function that opens a shared resource lends it out once, not twice");
  if (state_ != State::opening) return;  // nobody waits for it any more
  state_ = State::open;
  resource_ = resource;
  opened_.set();
  try {
    unused_.wait();
  } catch (const Cancelled&) {
    lose_users();
    throw;
  }
}

// The opener's own scopes are cancelled: its users are told, and still must let go first.
void SharedResource::lose_users() {
  if (users_ == 0) return;
  lost_ = true;
  state_ = State::closing;
  uses_.for_each([](ResourceUse& use) { use.scope.cancel("the shared resource is gone"); });
  CancelScope shield({.shield = true});
  shield.run([this] { unused_.wait(); });
}

bool SharedResource::join(bool opener) {
  if (state_ == State::closing || state_ == State::closed) {
    closed_.wait();
    return false;
  }
  ++users_;
  opener_waits_ |= opener;
  try {
    opened_.wait();
  } catch (const Cancelled&) {
    if (opener) opener_waits_ = false;
    drop_user();
    if (users_ == 0) await_close();
    if (users_ == 0) throw_error();
    throw;
  }
  const bool errors_are_ours = opener || !opener_waits_;
  if (opener) opener_waits_ = false;
  if (state_ == State::open) return true;
  drop_user();
  await_close();
  if (errors_are_ours && !error_told_) throw_error();
  return false;
}

void* SharedResource::enter(ResourceUse& use) noexcept {
  uses_.push_back(use);
  return resource_;
}

void SharedResource::leave(ResourceUse& use, const std::exception_ptr& error) {
  use.unlink();
  drop_user();
  const bool last = users_ == 0;
  if (!last && !lost_) return;
  await_close();
  if (!last) return;
  if (error && error_) {
    error_told_ = true;
    throw_collected({error, error_}, "the use and the closing of a shared resource");
  }
  throw_error();
}

void SharedResource::drop_user() noexcept {
  if (--users_ > 0) return;
  if (state_ == State::opening && life_ != nullptr)
    life_->cancel("nobody waits for the shared resource any more");
  if (state_ != State::closed) state_ = State::closing;
  unused_.set();
}

void SharedResource::await_close() {
  CancelScope shield({.shield = true});
  shield.run([this] { closed_.wait(); });
}

void SharedResource::throw_error() {
  if (!error_) return;
  error_told_ = true;
  std::rethrow_exception(error_);
}

void SharedResource::throw_lost() {
  throw_error();
  throw BrokenChannel(
      "the shared resource was closed by the function that opened it while it was in use: let that "
      "function wait until it is given back");
}

}  // namespace troupe::detail
