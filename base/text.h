#pragma once

#include <string_view>

#include "absl/strings/string_view.h"

namespace latchkey {

// `ToAbsl` and `ToStd` convert between the two string views: Debian's abseil is built with its own,
// which does not convert to or from the standard one.
inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace latchkey
