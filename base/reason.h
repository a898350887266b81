#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace latchkey {

// A refusal is a Status that also carries its audit reason: one UPPER_SNAKE word of
// docs/reasons.md. The message is the whole sentence: what, which value, the mend.
absl::Status Refuse(absl::StatusCode code, std::string_view reason, std::string_view message);

// The audit reason of `status`; empty when it carries none.
std::string ReasonOf(const absl::Status& status);

}  // namespace latchkey
