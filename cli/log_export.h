#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace latchkey::cli {

// `LogExport` is a whole log in a file: JSON lines, the first {"origin": text, "checkpoint": text},
// then
// {"index": n, "leaf": base64} for each leaf in order from 0.
struct LogExport {
  std::string origin;
  std::string checkpoint;
  std::vector<Bytes> leaves;
};

absl::Status WriteLogExport(const std::string& path, const LogExport& log);
// InvalidArgument names the line that does not parse or is out of order.
absl::StatusOr<LogExport> ReadLogExport(const std::string& path);

}  // namespace latchkey::cli
