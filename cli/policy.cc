#include "policy/parse.h"

#include <cstdio>
#include <memory>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/files.h"
#include "cli/invocation.h"
#include "cli/wire_text.h"
#include "latchkey/v1/policy_admin.pb.h"

namespace latchkey::cli {
namespace {

// Returns whether the policy may be put. Issues go to standard output: they are what was asked for.
absl::StatusOr<bool> CheckOne(const Invocation& invocation, const std::string& file, Record& rows) {
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file));
  const policy::ParseResult parsed = policy::ParsePolicy(file, text);
  if (invocation.format() == Format::kTable) {
    std::fputs(policy::FormatIssues(file, text, parsed.issues).c_str(), stdout);
    if (parsed.issues.empty()) std::printf("%s: ok\n", file.c_str());
  }
  for (const policy::Issue& issue : parsed.issues) {
    rows.push_back({{"file", file},
                    {"line", issue.line},
                    {"column", issue.column},
                    {"severity", issue.severity == policy::Severity::kError ? "error" : "warning"},
                    {"message", issue.message},
                    {"suggestion", issue.suggestion}});
  }
  return parsed.issues.empty();
}

absl::Status Check(const Invocation& invocation, const std::vector<std::string>& files) {
  Record rows = Record::array();
  bool clean = true;
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(const bool ok, CheckOne(invocation, file, rows));
    clean = clean && ok;
  }
  if (invocation.format() != Format::kTable) PrintRecords(invocation.format(), rows);
  if (clean) return absl::OkStatus();
  return ErrorWithExit(ExitCode::kFindings, absl::StrCat("findings: ", rows.size()));
}

Record ToRecord(const v1::PolicyRevision& revision) {
  return {{"name", revision.name()},
          {"number", revision.number()},
          {"sha256", HexEncode(AsBytes(revision.digest()))},
          {"created", TimeText(revision.create_time())},
          {"actor", revision.actor()}};
}

absl::Status Put(const Invocation& invocation, const std::string& file) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  v1::PutPolicyRequest request;
  request.set_tenant(settings.tenant);
  ASSIGN_OR_RETURN(*request.mutable_document(), ReadTextFile(file));
  // Checked here too, so that findings come with the file's own name and lines.
  const policy::ParseResult parsed = policy::ParsePolicy(file, request.document());
  std::fputs(policy::FormatIssues(file, request.document(), parsed.issues).c_str(), stderr);
  if (parsed.policy == nullptr) {
    return ErrorWithExit(ExitCode::kFindings, absl::StrCat(file, ": not put, as it has errors"));
  }
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  v1::PutPolicyResponse response;
  RETURN_IF_ERROR(admin->Call("PolicyAdmin/PutPolicy", request, response));
  PrintRecord(invocation.format(), ToRecord(response.revision()));
  return absl::OkStatus();
}

absl::Status Show(const Invocation& invocation, const std::string& name) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  v1::GetPolicyRequest request;
  request.set_name(name.rfind("tenants/", 0) == 0
                       ? name
                       : absl::StrCat("tenants/", settings.tenant, "/policies/", name));
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  v1::GetPolicyResponse response;
  RETURN_IF_ERROR(admin->Call("PolicyAdmin/GetPolicy", request, response));
  Record record = ToRecord(response.revision());
  if (invocation.format() == Format::kTable) {
    // The document as it was put, so that it can be edited and put again; what is about it goes
    // beside.
    PrintNote(FormatRecord(Format::kTable, record));
    std::fputs(response.revision().document().c_str(), stdout);
    return absl::OkStatus();
  }
  record["document"] = response.revision().document();
  PrintRecord(invocation.format(), record);
  return absl::OkStatus();
}

absl::Status List(const Invocation& invocation) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  v1::ListPoliciesRequest request;
  request.set_tenant(settings.tenant);
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  v1::ListPoliciesResponse response;
  RETURN_IF_ERROR(admin->Call("PolicyAdmin/ListPolicies", request, response));
  Record rows = Record::array();
  for (const v1::PolicyRevision& revision : response.revisions()) {
    rows.push_back(ToRecord(revision));
  }
  PrintRecords(invocation.format(), rows);
  return absl::OkStatus();
}

}  // namespace

void AddPolicy(CLI::App& app, Invocation& invocation) {
  CLI::App* policy = app.add_subcommand("policy", "Release policies");
  policy->require_subcommand(1);
  const auto files = std::make_shared<std::vector<std::string>>();
  const auto name = std::make_shared<std::string>();

  CLI::App* put = policy->add_subcommand("put", "Check a policy and add it as the newest revision");
  put->add_option("FILE", *name, "policy document; `-`: standard input")->required();
  put->callback([&invocation, name] {
    invocation.run = [&invocation, name] { return Put(invocation, *name); };
  });
  put->footer("Example:\n  latchkey policy put payments-prod.yaml");

  CLI::App* check = policy->add_subcommand(
      "check", "Check policies offline; exit code 8 when there are findings, warnings included");
  check->add_option("FILE", *files, "policy documents")->required();
  check->callback([&invocation, files] {
    invocation.run = [&invocation, files] { return Check(invocation, *files); };
  });
  check->footer("Example:\n  latchkey policy check policies/*.yaml");

  CLI::App* show = policy->add_subcommand("show", "Print a policy as it was put");
  show->add_option("NAME", *name, "NAME, NAME/revisions/N or the full name")->required();
  show->callback([&invocation, name] {
    invocation.run = [&invocation, name] { return Show(invocation, *name); };
  });
  show->footer("Example:\n  latchkey policy show payments-prod > payments-prod.yaml");

  CLI::App* list = policy->add_subcommand("list", "List the newest revision of each policy");
  list->callback([&invocation] { invocation.run = [&invocation] { return List(invocation); }; });
  list->footer("Example:\n  latchkey policy list");
}

}  // namespace latchkey::cli
