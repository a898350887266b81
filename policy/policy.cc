#include "policy/policy.h"

#include <algorithm>

namespace latchkey::policy {

bool Policy::Guards(std::string_view key_name) const {
  return std::find(guards_.begin(), guards_.end(), key_name) != guards_.end();
}

}  // namespace latchkey::policy
