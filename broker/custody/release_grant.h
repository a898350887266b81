#pragma once

#include <utility>

#include "protocol/names.h"

namespace latchkey::release {
class Releaser;
}

namespace latchkey::custody {

// `ReleaseGrant` is the right to take one DEK of one key out of custody, sealed, once. Only the
// releaser mints it, after policy permitted the item.
class ReleaseGrant {
 public:
  ReleaseGrant(ReleaseGrant&&) = default;
  ReleaseGrant& operator=(ReleaseGrant&&) = default;
  ReleaseGrant(const ReleaseGrant&) = delete;
  ReleaseGrant& operator=(const ReleaseGrant&) = delete;

  const protocol::KeyName& key() const { return key_; }

 private:
  friend class latchkey::release::Releaser;
  friend class ReleaseGrantForTest;
  explicit ReleaseGrant(protocol::KeyName key) : key_(std::move(key)) {}

  protocol::KeyName key_;
};

}  // namespace latchkey::custody
