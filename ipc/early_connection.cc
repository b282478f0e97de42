// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/early_connection.h"

#include <utility>

#include "troupe/ipc/dial.h"

namespace troupe {

EarlyConnection::EarlyConnection(const Address& address, const TimeLimits& times)
    : dial_(std::make_unique<Dial>(times)) {
  dial_->begin(address);
}

EarlyConnection::EarlyConnection(EarlyConnection&&) noexcept = default;
EarlyConnection& EarlyConnection::operator=(EarlyConnection&&) noexcept = default;
EarlyConnection::~EarlyConnection() = default;

std::unique_ptr<Dial> EarlyConnection::take() && noexcept { return std::move(dial_); }

}  // namespace troupe
