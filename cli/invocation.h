#pragma once

// cli/ is the program `latchkey NOUN VERB`: one file per noun, which adds its verbs to the command
// line.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/context.h"
#include "cli/output.h"

namespace CLI {
class App;
}

namespace latchkey::cli {

// `Invocation` is one run of the program: what all verbs share, and the verb that was chosen.
struct Invocation {
  std::string output = "table";
  std::string config_path;
  Settings flags;
  // What stands after `--`: the program of `exec` and its arguments.
  std::vector<std::string> application;
  // Set by the verb on the command line.
  std::function<absl::Status()> run;

  Format format() const {
    if (output == "json") return Format::kJson;
    return output == "yaml" ? Format::kYaml : Format::kTable;
  }
  absl::StatusOr<Settings> settings() const { return LoadSettings(config_path, flags); }
};

// Each adds its noun or verb to `app`. `invocation` outlives `app`.
void AddKey(CLI::App& app, Invocation& invocation);
void AddPolicy(CLI::App& app, Invocation& invocation);
void AddAudit(CLI::App& app, Invocation& invocation);
void AddGet(CLI::App& app, Invocation& invocation);
void AddExec(CLI::App& app, Invocation& invocation);
void AddInspect(CLI::App& app, Invocation& invocation);
void AddExplain(CLI::App& app, Invocation& invocation);
void AddDev(CLI::App& app, Invocation& invocation);

// `RunDev` takes the place of this program by `latchkeyd-dev serve`, found beside it, with
// `arguments`. It returns only on failure.
absl::Status RunDev(const std::vector<std::string>& arguments);

}  // namespace latchkey::cli
