#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace latchkey {

// Limits of one untrusted JSON text.
struct JsonLimits {
  size_t max_size_bytes = 1 << 20;
  int max_depth = 32;
  size_t max_members = 5000;  // members and elements of the whole text
};

// `ParseStrictJson` is the one reader of untrusted JSON (RFC 8259, restricted): UTF-8 without BOM,
// no lone surrogate, no duplicate member names (compared after unescaping), no NUL in names,
// nothing after the value, integers kept exact as int64 or uint64 (an integer outside both is an
// error, never a double). InvalidArgument names the offset and the fault.
absl::StatusOr<nlohmann::json> ParseStrictJson(std::string_view text,
                                               const JsonLimits& limits = {});

// `JsonString`, `JsonInt`, `JsonBool` read one member of `object`: InvalidArgument "<name>:
// missing" or "<name>: not a string" (int, bool). No conversion takes place.
absl::StatusOr<std::string> JsonString(const nlohmann::json& object, std::string_view name);
absl::StatusOr<int64_t> JsonInt(const nlohmann::json& object, std::string_view name);
absl::StatusOr<bool> JsonBool(const nlohmann::json& object, std::string_view name);

}  // namespace latchkey
