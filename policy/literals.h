#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"

namespace latchkey::policy {

inline constexpr std::string_view kTimestampHelp =
    "write RFC 3339 with a zone, for instance 2027-06-30T00:00:00Z";
inline constexpr std::string_view kDurationHelp =
    "write whole numbers with h, m or s, for instance 5m or 1h30m";

// `ParseTimestamp` reads RFC 3339 with a zone, years 1970 to 9999.
std::optional<absl::Time> ParseTimestamp(std::string_view text);

// `ParseDuration` reads whole numbers of h, m and s in that order, each at most once: more than
// nothing, at most 10 years.
std::optional<absl::Duration> ParseDuration(std::string_view text);

}  // namespace latchkey::policy
