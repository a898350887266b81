#pragma once

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/text.h"

namespace latchkey::policy {

template <typename Part>
const Part& ToAbslPart(const Part& part) {
  return part;
}
inline absl::string_view ToAbslPart(const std::string_view& part) { return ToAbsl(part); }

// `StrCat` and `StrAppend` are abseil's, and take std::string_view too (base/text.h says why that
// needs help).
template <typename... Parts>
std::string StrCat(const Parts&... parts) {
  return absl::StrCat(ToAbslPart(parts)...);
}
template <typename... Parts>
void StrAppend(std::string* out, const Parts&... parts) {
  absl::StrAppend(out, ToAbslPart(parts)...);
}

}  // namespace latchkey::policy
