#include "client/attesters/command.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/strict_json.h"
#include "client/attesters/token_file.h"
#include "client/run_command.h"

namespace latchkey::client {
namespace {

constexpr size_t kMaxOutputBytes = 256 << 10;
constexpr size_t kMaxEndorsements = 8;

absl::Status AddEndorsements(const nlohmann::json& list, v1::Attestation& attestation) {
  if (!list.is_array() || list.size() > kMaxEndorsements) {
    return absl::InvalidArgumentError(
        absl::StrCat("endorsements: not an array of at most ", kMaxEndorsements, " texts"));
  }
  for (const nlohmann::json& certificate : list) {
    if (!certificate.is_string()) {
      return absl::InvalidArgumentError("endorsements: a certificate is not PEM text");
    }
    attestation.add_endorsements(certificate.get<std::string>());
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Attestation> ParseOutput(std::string_view text) {
  ASSIGN_OR_RETURN(const nlohmann::json json,
                   ParseStrictJson(text, {.max_size_bytes = kMaxOutputBytes}));
  if (!json.is_object()) return absl::InvalidArgumentError("not a JSON object");
  if (json.contains("snp_report") == json.contains("token")) {
    return absl::InvalidArgumentError("give exactly one of snp_report and token");
  }
  v1::Attestation attestation;
  for (const auto& [name, value] : json.items()) {
    if (name == "snp_report") {
      ASSIGN_OR_RETURN(const std::string base64, JsonString(json, name));
      ASSIGN_OR_RETURN(*attestation.mutable_snp_report(), Base64Decode(base64));
    } else if (name == "token") {
      ASSIGN_OR_RETURN(*attestation.mutable_token(), JsonString(json, name));
    } else if (name == "endorsements") {
      RETURN_IF_ERROR(AddEndorsements(value, attestation));
    } else {
      return absl::InvalidArgumentError(absl::StrCat("unknown member `", name, "`"));
    }
  }
  return attestation;
}

class CommandAttester final : public Attester {
 public:
  CommandAttester(std::vector<std::string> argv, absl::Duration timeout,
                  std::optional<PlatformRecipient> recipient)
      : argv_(std::move(argv)), timeout_(timeout), recipient_(std::move(recipient)) {}

  absl::StatusOr<AttesterOutput> Attest(const AttestationRequest& request) override {
    const nlohmann::json input = {{"report_data", HexEncode(request.report_data)},
                                  {"nonce", HexEncode(request.nonce)},
                                  {"platform_nonce", HexEncode(request.platform_nonce)}};
    ASSIGN_OR_RETURN(const Bytes output,
                     RunCommand(argv_, AsBytes(input.dump() + "\n"), kMaxOutputBytes, timeout_));
    auto attestation = ParseOutput(output);
    if (!attestation.ok()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "command ", argv_[0], ": its output is no evidence: ", attestation.status().message()));
    }
    return AttesterOutput{.attestations = {*std::move(attestation)}, .recipient = recipient_};
  }

 private:
  const std::vector<std::string> argv_;
  const absl::Duration timeout_;
  const std::optional<PlatformRecipient> recipient_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Attester>> MakeCommandAttester(
    const CommandAttesterOptions& options) {
  if (options.argv.empty() || !absl::StartsWith(options.argv[0], "/")) {
    return absl::InvalidArgumentError(
        "attester command: give the program by its absolute path, so that nobody's PATH chooses "
        "it");
  }
  std::optional<PlatformRecipient> recipient;
  if (!options.recipient_key_path.empty()) {
    ASSIGN_OR_RETURN(recipient, ReadRecipientKey(options.recipient_key_path));
  }
  return std::make_unique<CommandAttester>(options.argv, options.timeout, std::move(recipient));
}

}  // namespace latchkey::client
