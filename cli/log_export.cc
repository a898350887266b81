#include "cli/log_export.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/strict_json.h"
#include "cli/files.h"

namespace latchkey::cli {
namespace {

absl::Status ReadLine(const std::string& line, bool is_first, LogExport& log) {
  ASSIGN_OR_RETURN(const nlohmann::json json, ParseStrictJson(line, {.max_size_bytes = 4 << 20}));
  if (!json.is_object()) return absl::InvalidArgumentError("not a JSON object");
  if (is_first) {
    ASSIGN_OR_RETURN(log.origin, JsonString(json, "origin"));
    ASSIGN_OR_RETURN(log.checkpoint, JsonString(json, "checkpoint"));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const int64_t index, JsonInt(json, "index"));
  if (index != static_cast<int64_t>(log.leaves.size())) {
    return absl::InvalidArgumentError(
        absl::StrCat("leaf ", index, " where leaf ", log.leaves.size(), " belongs"));
  }
  ASSIGN_OR_RETURN(const std::string text, JsonString(json, "leaf"));
  ASSIGN_OR_RETURN(Bytes leaf, Base64Decode(text));
  log.leaves.push_back(std::move(leaf));
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteLogExport(const std::string& path, const LogExport& log) {
  std::string text =
      nlohmann::json({{"origin", log.origin}, {"checkpoint", log.checkpoint}}).dump() + "\n";
  for (size_t i = 0; i < log.leaves.size(); ++i) {
    const nlohmann::json line = {{"index", i}, {"leaf", Base64Encode(AsBytes(log.leaves[i]))}};
    text += line.dump() + "\n";
  }
  return WriteTextFile(path, text);
}

absl::StatusOr<LogExport> ReadLogExport(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be opened"));
  LogExport log;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const absl::Status read = ReadLine(line, number == 1, log);
    if (!read.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(path, " line ", number, ": ", read.message()));
    }
  }
  if (file.bad()) return absl::DataLossError(absl::StrCat(path, ": cannot be read"));
  return log;
}

}  // namespace latchkey::cli
