#include "policy/literals.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "base/text.h"

namespace latchkey::policy {
namespace {

// The shape of RFC 3339, section 5.6: absl::ParseTime alone would also take blanks, signs and
// "infinite-future".
bool HasTimestampShape(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() <= kShape.size()) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == '0' ? !absl::ascii_isdigit(text[i]) : text[i] != kShape[i]) return false;
  }
  std::string_view zone = text.substr(kShape.size());
  if (zone[0] == '.') {
    zone.remove_prefix(1);
    size_t digits = 0;
    while (digits < zone.size() && absl::ascii_isdigit(zone[digits])) ++digits;
    if (digits == 0 || digits > 9) return false;
    zone.remove_prefix(digits);
  }
  return zone == "Z" || (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-'));
}

}  // namespace

std::optional<absl::Time> ParseTimestamp(std::string_view text) {
  absl::Time time;
  std::string error;
  if (!HasTimestampShape(text) ||
      !absl::ParseTime(absl::RFC3339_full, std::string(text), &time, &error)) {
    return std::nullopt;
  }
  if (time < absl::UnixEpoch()) return std::nullopt;
  return time;
}

std::optional<absl::Duration> ParseDuration(std::string_view text) {
  absl::Duration total = absl::ZeroDuration();
  std::string_view units = "hms";
  while (!text.empty()) {
    size_t digits = 0;
    while (digits < text.size() && absl::ascii_isdigit(text[digits])) ++digits;
    int64_t number = 0;
    if (digits == 0 || digits == text.size() || digits > 9) return std::nullopt;
    if (!absl::SimpleAtoi(ToAbsl(text.substr(0, digits)), &number)) return std::nullopt;
    const size_t unit = units.find(text[digits]);
    if (unit == std::string_view::npos) return std::nullopt;
    const absl::Duration one = units[unit] == 'h'   ? absl::Hours(1)
                               : units[unit] == 'm' ? absl::Minutes(1)
                                                    : absl::Seconds(1);
    total += number * one;
    units.remove_prefix(unit + 1);
    text.remove_prefix(digits + 1);
  }
  if (total <= absl::ZeroDuration() || total > absl::Hours(24 * 3653)) return std::nullopt;
  return total;
}

}  // namespace latchkey::policy
