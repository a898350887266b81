#pragma once

#include <string>

#include "cli/output.h"
#include "google/protobuf/timestamp.pb.h"
#include "latchkey/v1/key_admin.pb.h"
#include "latchkey/v1/statement.pb.h"

namespace latchkey::cli {

// The words and times of wire messages, for people.
std::string StateWord(v1::KeyVersionState state);  // ENABLED
std::string TimeText(const google::protobuf::Timestamp& time);
std::string TimeText(int64_t unix_us);

// `LeafSummary` is one row of `audit list`; `LeafRecord` is everything a leaf says. A leaf that
// does not parse says so.
Record LeafSummary(uint64_t index, const std::string& leaf);
Record LeafRecord(uint64_t index, const std::string& leaf);

}  // namespace latchkey::cli
