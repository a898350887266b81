#include "cli/output.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/reason.h"
#include "yaml-cpp/yaml.h"

namespace latchkey::cli {
namespace {

constexpr char kExitCodeUrl[] = "latchkey.dev/exit-code";

// What came from the network or a token must not move the cursor or change colours.
std::string Visible(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string Cell(const Record& value) {
  if (value.is_string()) return Visible(value.get<std::string>());
  if (value.is_null()) return "-";
  if (value.is_array() || value.is_object()) {
    std::string text;
    for (const auto& [name, element] : value.items()) {
      absl::StrAppend(&text, text.empty() ? "" : ", ",
                      value.is_object() ? absl::StrCat(Visible(name), "=") : "", Cell(element));
    }
    return text.empty() ? "-" : text;
  }
  return value.dump();
}

void EmitYaml(YAML::Emitter& out, const Record& value) {
  if (value.is_object()) {
    out << YAML::BeginMap;
    for (const auto& [name, element] : value.items()) {
      out << YAML::Key << name << YAML::Value;
      EmitYaml(out, element);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    out << YAML::BeginSeq;
    for (const Record& element : value) EmitYaml(out, element);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    // Always quoted: "true" and "12" stay text.
    out << YAML::DoubleQuoted << value.get<std::string>();
  } else {
    out << value.dump();
  }
}

std::string Yaml(const Record& value) {
  YAML::Emitter out;
  EmitYaml(out, value);
  return std::string(out.c_str()) + "\n";
}

std::string Json(const Record& value) {
  return value.dump(2, ' ', false, Record::error_handler_t::replace) + "\n";
}

std::string Rows(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppend(&line, row[i]);
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    absl::StripTrailingAsciiWhitespace(&line);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

// Lists of texts, such as clauses, get a line an element below their name.
bool IsLong(const Record& value) {
  return value.is_array() &&
         (value.size() > 1 || (value.size() == 1 && Cell(value[0]).size() > 60));
}

std::string RecordAsLines(const Record& record) {
  size_t width = 0;
  for (const auto& [name, value] : record.items()) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, value] : record.items()) {
    if (IsLong(value)) {
      absl::StrAppend(&text, Visible(name), ":\n");
      for (const Record& element : value) absl::StrAppend(&text, "  ", Cell(element), "\n");
    } else {
      absl::StrAppend(&text, Visible(name), ":", std::string(width - name.size() + 1, ' '),
                      Cell(value), "\n");
    }
  }
  return text;
}

void Write(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::optional<ExitCode> ForcedExitCode(const absl::Status& status) {
  const auto payload = status.GetPayload(kExitCodeUrl);
  int code = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &code)) return std::nullopt;
  return static_cast<ExitCode>(code);
}

}  // namespace

std::string FormatRecord(Format format, const Record& record) {
  if (format == Format::kJson) return Json(record);
  if (format == Format::kYaml) return Yaml(record);
  return RecordAsLines(record);
}

std::string FormatRecords(Format format, const Record& records) {
  if (format == Format::kJson) return Json(records);
  if (format == Format::kYaml) return Yaml(records);
  std::vector<std::vector<std::string>> rows;
  for (const Record& record : records) {
    if (rows.empty()) {
      rows.emplace_back();
      for (const auto& [name, value] : record.items()) {
        rows[0].push_back(absl::AsciiStrToUpper(name));
      }
    }
    rows.emplace_back();
    for (const auto& [name, value] : record.items()) rows.back().push_back(Cell(value));
  }
  return Rows(rows);
}

void PrintRecord(Format format, const Record& record) { Write(FormatRecord(format, record)); }
void PrintRecords(Format format, const Record& records) {
  if (records.empty() && format == Format::kTable) PrintNote("none");
  Write(FormatRecords(format, records));
}

void PrintNote(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

ExitCode PrintError(const absl::Status& status) {
  const std::string message = std::string(status.message());
  if (const auto code = ForcedExitCode(status)) {
    if (!message.empty()) PrintNote(message);
    return *code;
  }
  if (const auto refusal = client::RefusalOf(status)) {
    std::string line =
        absl::StrCat("refused: ", client::ReasonWord(refusal->reason()), ": ", Visible(message));
    if (!refusal->remedy().empty()) absl::StrAppend(&line, "; ", Visible(refusal->remedy()));
    if (!refusal->decision_id().empty()) {
      absl::StrAppend(&line, " (decision ", Visible(refusal->decision_id()), ")");
    }
    PrintNote(line);
    for (const std::string& clause : refusal->clauses()) PrintNote("  " + Visible(clause));
  } else if (const std::string reason = ReasonOf(status); !reason.empty()) {
    // Evidence or an answer that does not parse is as unproven as one with a bad signature.
    PrintNote(absl::StrCat("refused: ", reason, ": ", Visible(message)));
    const ExitCode code = client::ExitCodeOf(status);
    return code == ExitCode::kError ? ExitCode::kNotAccepted : code;
  } else {
    PrintNote(absl::StrCat("error: ", Visible(message)));
  }
  return client::ExitCodeOf(status);
}

absl::Status ErrorWithExit(ExitCode code, const std::string& message) {
  absl::Status status = absl::UnknownError(message);
  status.SetPayload(kExitCodeUrl, absl::Cord(absl::StrCat(static_cast<int>(code))));
  return status;
}

absl::Status UsageError(const std::string& message) {
  return ErrorWithExit(ExitCode::kUsage, absl::StrCat("usage: ", message));
}

}  // namespace latchkey::cli
