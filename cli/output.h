#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/refusal.h"
#include "nlohmann/json.hpp"

namespace latchkey::cli {

using client::ExitCode;
// Members keep the order in which they were added: it is the order of columns and lines.
using Record = nlohmann::ordered_json;

enum class Format { kTable, kJson, kYaml };

// `PrintRecord` writes one object to standard output: a line a member, or JSON or YAML.
// `PrintRecords` writes an array of objects with equal members: a table with a column a member.
// Control characters of untrusted text are made visible.
void PrintRecord(Format format, const Record& record);
void PrintRecords(Format format, const Record& records);

// The same as text, for tests and files.
std::string FormatRecord(Format format, const Record& record);
std::string FormatRecords(Format format, const Record& records);

// `PrintNote` writes one line to standard error.
void PrintNote(const std::string& line);

// `PrintError` writes `status`, which is not OK, to standard error and returns its exit code. A
// refusal is one line that starts with `refused:` and has the reason, the sentence, the remedy and
// the decision id.
ExitCode PrintError(const absl::Status& status);

// An error that ends the program with `code`, whatever its status code says: usage errors and
// findings.
absl::Status ErrorWithExit(ExitCode code, const std::string& message);
absl::Status UsageError(const std::string& message);

}  // namespace latchkey::cli
