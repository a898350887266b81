#include "broker/release/reasons.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "base/text.h"

namespace latchkey::release {
namespace {

using absl::StatusCode;

constexpr v1::WireReason kMalformed = v1::WIRE_REASON_MALFORMED;
constexpr v1::WireReason kChallenge = v1::WIRE_REASON_CHALLENGE_INVALID;
constexpr v1::WireReason kAttestation = v1::WIRE_REASON_ATTESTATION_REFUSED;
constexpr v1::WireReason kPolicy = v1::WIRE_REASON_POLICY_REFUSED;
constexpr v1::WireReason kKey = v1::WIRE_REASON_KEY_NOT_RELEASABLE;
constexpr v1::WireReason kRate = v1::WIRE_REASON_RATE_LIMITED;
constexpr v1::WireReason kUnavailable = v1::WIRE_REASON_UNAVAILABLE;

constexpr int kExitError = 1;
constexpr int kExitRefused = 3;
constexpr int kExitAttestation = 4;
constexpr int kExitUnavailable = 7;

// Rows by kind, so that each states only what differs.
constexpr ReasonDefinition Malformed(std::string_view reason, std::string_view meaning) {
  return {reason, kMalformed, StatusCode::kInvalidArgument, kExitError, meaning};
}
constexpr ReasonDefinition Challenge(std::string_view reason, std::string_view meaning) {
  return {reason, kChallenge, StatusCode::kUnauthenticated, kExitAttestation, meaning};
}
constexpr ReasonDefinition Evidence(std::string_view reason, std::string_view meaning) {
  return {reason, kAttestation, StatusCode::kPermissionDenied, kExitAttestation, meaning};
}
constexpr ReasonDefinition PolicyRow(std::string_view reason, std::string_view meaning) {
  return {reason, kPolicy, StatusCode::kPermissionDenied, kExitRefused, meaning};
}
constexpr ReasonDefinition KeyRow(std::string_view reason, std::string_view meaning) {
  return {reason, kKey, StatusCode::kFailedPrecondition, kExitRefused, meaning};
}
constexpr ReasonDefinition Unavailable(std::string_view reason, std::string_view meaning) {
  return {reason, kUnavailable, StatusCode::kUnavailable, kExitUnavailable, meaning};
}

constexpr ReasonDefinition kReasons[] = {
    Evidence("ALG_DENIED", "the token's algorithm is not one its authority may use"),
    Evidence("BAD_SIGNATURE", "a signature over the evidence does not verify"),
    Evidence("BINDING_MISMATCH", "the report data is not SHA-512 of this request's binding"),
    Evidence("CHAIN_DENIED", "the certificate chain does not lead to a pinned root"),
    Challenge("CHALLENGE_EXPIRED", "the challenge is older than its life"),
    Challenge("CHALLENGE_FORGED", "the challenge was not issued here, or for another tenant"),
    Challenge("CHALLENGE_USED", "the challenge was used and its answer is no longer kept"),
    Evidence("CHIP_MISMATCH", "the chip id is not the one of the certificate, or is masked"),
    Evidence("CLAIMS_MISMATCH", "a claim has a value that its authority's profile does not allow"),
    Evidence("CLAIMS_MISSING", "a claim that the profile demands is absent"),
    PolicyRow("CLAIM_MISSING", "a rule needs a claim that the evidence does not carry"),
    Evidence("CLAIM_TYPE", "a claim has another type or form than its profile says"),
    KeyRow("CONTEXT_MISMATCH", "the context is not the one the DEK was wrapped with"),
    KeyRow("CONTEXT_MISSING", "the key's charter demands a context name that is absent"),
    Unavailable("DUPLICATE_IN_FLIGHT", "the same challenge is being answered at this moment"),
    Unavailable("EPOCH_MOVED", "administrative acts kept overtaking the decision"),
    PolicyRow("EVIDENCE_TOO_OLD", "the evidence is older than the policy's maxEvidenceAge"),
    Evidence("ISSUER_UNKNOWN", "no configured authority has exactly this issuer"),
    Evidence("JKU_MISMATCH", "the token's jku is not its issuer's key set"),
    Evidence("KEY_BINDING", "the recipient key is not the one that the evidence binds"),
    KeyRow("KEY_FROZEN", "the key's record in the store was edited: it does not authenticate"),
    Evidence("KEY_UNKNOWN", "the token's key is not in its authority's key set"),
    KeyRow("KEY_UNKNOWN_TO_US", "no key of this name"),
    KeyRow("KEY_VERSION_DISABLED",
           "the key version is disabled, scheduled for destruction, or gone"),
    KeyRow("KEY_WITHOUT_POLICY", "the key's charter names no policy, or one that does not exist"),
    Malformed("MALFORMED", "the request or a part of it does not parse, or breaks a limit"),
    Evidence("NONCE_MISMATCH", "the token carries another nonce than this request's"),
    PolicyRow("NO_FRESHNESS", "the evidence is not fresh and the policy states no maximum age"),
    PolicyRow("POLICY_DENIED_NO_RULE", "no permit rule holds"),
    PolicyRow("POLICY_DOES_NOT_GUARD_KEY", "the policy's guards do not list this key"),
    PolicyRow("POLICY_EXPIRED", "the policy's notAfter has passed"),
    PolicyRow("POLICY_FORBIDDEN", "a forbid rule applies"),
    PolicyRow("POLICY_NOT_YET_VALID", "the policy's notBefore has not come"),
    PolicyRow("POLICY_REVISION_TOO_LOW", "the policy is older than the key's charter accepts"),
    {"RATE_LIMITED", kRate, StatusCode::kResourceExhausted, kExitUnavailable,
     "too many requests from this peer, or too many waiting"},
    Challenge("REPLAYED", "the challenge was used by a request with other bytes"),
    PolicyRow("SOURCE_MISSING", "no attestation came from a source that a rule names"),
    Unavailable("STORE_UNAVAILABLE",
                "the store or the log cannot be written; nothing was released"),
    Evidence("TCB_MISMATCH", "the reported TCB is not the one of the certificate"),
    Evidence("TIME_INVALID", "the token is outside its dates, or they are absent"),
    Malformed("TOO_LARGE", "a part of the request is larger than its limit"),
    Evidence("TYPE_MISMATCH", "the token is of another type"),
    Evidence("UNSUPPORTED", "a version, product or form of evidence that is not verified here"),
    KeyRow("WRAPPED_DEK_DENIED", "the wrapped DEK does not authenticate"),
    KeyRow("WRAPPED_DEK_MALFORMED", "the wrapped DEK does not parse"),
    KeyRow("WRAPPED_DEK_WRONG_KEY", "the wrapped DEK belongs to another key"),
};

constexpr ReasonDefinition kUnlisted = {"UNLISTED", kUnavailable, StatusCode::kUnavailable,
                                        kExitUnavailable, "an internal fault"};

}  // namespace

std::span<const ReasonDefinition> AllReasons() { return kReasons; }

const ReasonDefinition& FindReason(std::string_view audit_reason) {
  const auto found = std::find_if(std::begin(kReasons), std::end(kReasons), [&](const auto& row) {
    return row.audit_reason == audit_reason;
  });
  return found == std::end(kReasons) ? kUnlisted : *found;
}

std::string_view WireMessage(v1::WireReason reason) {
  switch (reason) {
    case kMalformed:
      return "the request does not parse or breaks a limit";
    case kChallenge:
      return "the challenge is not valid for this request";
    case kAttestation:
      return "the attestation is not accepted";
    case kPolicy:
      return "the release policy does not permit this machine";
    case kKey:
      return "this key cannot be released with this wrapped DEK and context";
    case kRate:
      return "too many requests";
    default:
      return "the broker cannot answer now";
  }
}

std::string_view WireRemedy(v1::WireReason reason) {
  switch (reason) {
    case kMalformed:
      return "compare the request with the limits in key_release.proto";
    case kChallenge:
      return "ask for a new challenge and make fresh evidence for it";
    case kAttestation:
      return "run `latchkey inspect` on the evidence; ask an auditor to explain the refusal";
    case kPolicy:
      return "ask an auditor for `latchkey audit explain` of this decision";
    case kKey:
      return "check key name, wrapped DEK and context against what was used to wrap";
    case kRate:
      return "wait, then try again";
    default:
      return "try again; if it lasts, ask the operator to look at the broker's health";
  }
}

std::string ReasonsMarkdown() {
  std::string page =
      "# Reasons\n\n"
      "Every refusal has an exact audit reason, for those who may read decisions, and a coarse "
      "wire reason, for the\n"
      "caller. Generated from the table in `broker/release/reasons.cc`; a test keeps this page "
      "equal to it.\n\n"
      "| audit reason | wire reason | gRPC code | exit code | meaning |\n|---|---|---|---|---|\n";
  for (const ReasonDefinition& row : kReasons) {
    const std::string wire = v1::WireReason_Name(row.wire_reason);
    absl::StrAppend(&page, "| ", ToAbsl(row.audit_reason), " | ",
                    wire.substr(std::string_view("WIRE_REASON_").size()), " | ",
                    absl::StatusCodeToString(row.code), " | ", row.exit_code, " | ",
                    ToAbsl(row.meaning), " |\n");
  }
  return page;
}

}  // namespace latchkey::release
