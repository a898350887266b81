#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace latchkey::protocol {

// A short name: lower-case letters, digits and `-`, 1 to 63. InvalidArgument names `what` and the
// fault.
absl::Status CheckName(std::string_view what, std::string_view name);

// `KeyName` is a tenant and a key.
struct KeyName {
  std::string tenant;
  std::string key;
  std::string Full() const;                     // tenants/{t}/keys/{k}
  std::string Version(uint32_t version) const;  // .../versions/{n}
  bool operator==(const KeyName&) const = default;
};
// Takes `tenants/{t}/keys/{k}` or `{k}` in `default_tenant`.
absl::StatusOr<KeyName> ParseKeyName(std::string_view text, std::string_view default_tenant);

// A DEK's context: sorted by name, so that order never matters.
using Context = std::map<std::string, std::string>;
// At most 32 pairs, names 1 to 128 bytes, values to 1024, all UTF-8 without control characters.
absl::Status CheckContext(const Context& context);
// u32 count, then lp(name) lp(value) in bytewise order of names.
Bytes EncodeContext(const Context& context);

}  // namespace latchkey::protocol
