#include "broker/server/log.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/text.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace latchkey::server {
namespace {

constexpr size_t kMaxValueBytes = 512;

// RFC 8259, section 7; bytes that are not ASCII are escaped too, so that a line is always valid.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, kMaxValueBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      absl::StrAppendFormat(&out, "\\u%04x", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view LevelName(LogLevel level) {
  return level == LogLevel::kInfo ? "info" : level == LogLevel::kWarning ? "warning" : "error";
}

}  // namespace

void InitLog() {
  auto logger = spdlog::stderr_logger_mt("latchkey");
  logger->set_pattern("%v");
  spdlog::set_default_logger(std::move(logger));
}

void Log(LogLevel level, std::string_view event,
         std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string line = absl::StrCat(
      "{\"time\":\"", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone()),
      "\",\"level\":\"", ToAbsl(LevelName(level)), "\",\"event\":", Quoted(event));
  for (const auto& [name, value] : fields) {
    absl::StrAppend(&line, ",", Quoted(name), ":", Quoted(value));
  }
  line += "}";
  spdlog::log(SpdlogLevel(level), "{}", line);
}

}  // namespace latchkey::server
