#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

namespace latchkey::server {

enum class LogLevel { kInfo, kWarning, kError };

// `InitLog` sends the log to standard error, one JSON object a line. Without it the log goes where
// spdlog's default goes.
void InitLog();

// `Log` writes one line: time, level, `event` and `fields`. Callers name each field, so nothing of
// a request is in a line that was not meant to be; values are escaped and cut at 512 bytes.
void Log(LogLevel level, std::string_view event,
         std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

}  // namespace latchkey::server
