#include <memory>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "cli/evidence_input.h"
#include "cli/invocation.h"

namespace latchkey::cli {
namespace {

// Whole and typed: a measurement is copied from here into policies.
Record ClaimRecord(const policy::Value& value) {
  if (const auto* flag = value.Get<bool>()) return *flag;
  if (const auto* number = value.Get<int64_t>()) return *number;
  if (const auto* text = value.Get<std::string>()) return *text;
  if (const auto* binary = value.Get<policy::BytesValue>())
    return HexEncode(AsBytes(binary->bytes));
  if (const auto* list = value.Get<policy::StringList>()) return *list;
  return policy::ToDisplay(value);
}

absl::Status RunInspect(const Invocation& invocation, const EvidenceOptions& options) {
  ASSIGN_OR_RETURN(const Inspected inspected, Inspect(options));
  for (const std::string& note : inspected.notes) PrintNote("note: " + note);
  Record claims = Record::object();
  for (const auto& [definition, value] : inspected.result.claims().entries()) {
    claims[std::string(definition->name)] = ClaimRecord(value);
  }
  const std::string at = absl::FormatTime(absl::RFC3339_sec, inspected.at, absl::UTCTimeZone());
  const std::string digest = HexEncode(inspected.result.evidence_digest());
  if (invocation.format() == Format::kTable) {
    Record lines = {
        {"verified", inspected.is_token ? "token signature, issuer and dates"
                                        : "report signature, certificate chain and dates"},
        {"at", at},
        {"source", inspected.result.claims().source()},
        {"evidence sha256", digest}};
    for (const auto& [name, value] : claims.items()) lines[name] = value;
    lines["not judged"] = inspected.not_judged;
    PrintRecord(Format::kTable, lines);
    return absl::OkStatus();
  }
  PrintRecord(invocation.format(), {{"verified", true},
                                    {"at", at},
                                    {"source", inspected.result.claims().source()},
                                    {"evidence_sha256", digest},
                                    {"claims", claims},
                                    {"not_judged", inspected.not_judged},
                                    {"notes", inspected.notes}});
  return absl::OkStatus();
}

}  // namespace

void AddInspect(CLI::App& app, Invocation& invocation) {
  CLI::App* inspect =
      app.add_subcommand("inspect", "Verify evidence offline and print the claims it proves");
  const auto options = std::make_shared<EvidenceOptions>();
  AddEvidenceOptions(*inspect, *options);
  inspect->callback([&invocation, options] {
    invocation.run = [&invocation, options] { return RunInspect(invocation, *options); };
  });
  inspect->footer(
      "Exit code 4 when the evidence is not accepted.\n"
      "Examples:\n"
      "  latchkey inspect --evidence report.bin --endorsements vcek.der\n"
      "  latchkey inspect --token token.jwt --jwks certs.json --issuer "
      "https://sharedweu.weu.attest.azure.net "
      "--at 2025-06-30T12:00:00Z");
}

}  // namespace latchkey::cli
