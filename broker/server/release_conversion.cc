#include "broker/server/release_conversion.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "broker/server/strict_parse.h"
#include "crypto/digest.h"
#include "latchkey/storage/v1/records.pb.h"
#include "latchkey/v1/key_release.pb.h"

namespace latchkey::server {
namespace {

constexpr size_t kMaxChallengeBytes = 256;
constexpr int kMaxAttestations = 4;
constexpr size_t kSnpReportBytes = 1184;
constexpr size_t kMaxTokenBytes = 64 << 10;
constexpr int kMaxEndorsements = 8;
constexpr size_t kMaxEndorsementBytes = 16 << 10;
constexpr size_t kMaxRsaKeyBytes = 1024;
constexpr int kMaxItems = 256;
constexpr size_t kMaxWrappedDekBytes = 8 << 10;

absl::Status Malformed(const std::string& message) {
  return Refuse(absl::StatusCode::kInvalidArgument, "MALFORMED", message);
}

// The status of a checker of the domain, which knows no reasons, as a refusal of field `where`.
absl::Status MalformedAt(std::string_view where, const absl::Status& status) {
  return Malformed(absl::StrCat(ToAbsl(where), ": ", status.message()));
}

absl::Status EnsureSize(std::string_view where, size_t size, size_t min, size_t max) {
  if (size >= min && size <= max) return absl::OkStatus();
  return Malformed(
      absl::StrCat(ToAbsl(where), ": ", size, " bytes; ", min, " to ", max, " are allowed"));
}

absl::StatusOr<attestation::Evidence> ParseAttestation(const v1::Attestation& wire,
                                                       const std::string& where) {
  attestation::Evidence evidence;
  switch (wire.evidence_case()) {
    case v1::Attestation::kSnpReport:
      RETURN_IF_ERROR(EnsureSize(absl::StrCat(where, ".snp_report"), wire.snp_report().size(),
                                 kSnpReportBytes, kSnpReportBytes));
      evidence.kind = attestation::EvidenceKind::kSnpReport;
      evidence.bytes = wire.snp_report();
      break;
    case v1::Attestation::kToken:
      RETURN_IF_ERROR(
          EnsureSize(absl::StrCat(where, ".token"), wire.token().size(), 1, kMaxTokenBytes));
      evidence.kind = attestation::EvidenceKind::kToken;
      evidence.bytes = wire.token();
      break;
    default:
      return Malformed(absl::StrCat(where, ": has no evidence; set snp_report or token"));
  }
  if (wire.endorsements_size() > kMaxEndorsements) {
    return Malformed(absl::StrCat(where, ": ", wire.endorsements_size(), " endorsements; at most ",
                                  kMaxEndorsements, " are allowed"));
  }
  for (const std::string& endorsement : wire.endorsements()) {
    RETURN_IF_ERROR(EnsureSize(absl::StrCat(where, ".endorsements"), endorsement.size(), 1,
                               kMaxEndorsementBytes));
    evidence.endorsements.push_back(endorsement);
  }
  return evidence;
}

// Sizes of public keys; whether the point or the RSA key is sound is found out where it is used.
absl::Status EnsureKeySize(protocol::Scheme scheme, size_t size) {
  constexpr char kWhere[] = "recipient.public_key";
  switch (scheme) {
    case protocol::Scheme::kHpkeX25519:
      return EnsureSize(kWhere, size, 32, 32);
    case protocol::Scheme::kHpkeP256:
      return EnsureSize(kWhere, size, 65, 65);
    case protocol::Scheme::kHpkeP384:
      return EnsureSize(kWhere, size, 97, 97);
    case protocol::Scheme::kRsaOaepSha256:
      return EnsureSize(kWhere, size, 1, kMaxRsaKeyBytes);
  }
  return Malformed("recipient.scheme: unknown");
}

absl::StatusOr<protocol::RequestItem> ParseItem(const v1::ReleaseItem& wire,
                                                const std::string& tenant,
                                                const std::string& where) {
  protocol::RequestItem item;
  auto key = protocol::ParseKeyName(wire.key(), tenant);
  if (!key.ok()) return MalformedAt(where, key.status());
  // The record of a release stands in the request's tenant's log; another tenant's would never hear
  // of it.
  if (key->tenant != tenant) {
    return Malformed(absl::StrCat(where, ": key of tenant ", key->tenant,
                                  " in a request of tenant ", tenant,
                                  "; send one request for each tenant"));
  }
  item.key = *std::move(key);
  item.context = protocol::Context(wire.context().begin(), wire.context().end());
  if (absl::Status context = protocol::CheckContext(item.context); !context.ok()) {
    return MalformedAt(where, context);
  }
  if (wire.want_case() == v1::ReleaseItem::kWrappedDek) {
    RETURN_IF_ERROR(EnsureSize(absl::StrCat(where, ".wrapped_dek"), wire.wrapped_dek().size(), 1,
                               kMaxWrappedDekBytes));
    item.wrapped_dek = wire.wrapped_dek();
  } else if (wire.want_case() == v1::ReleaseItem::kGenerate) {
    const uint32_t size = wire.generate().size_bytes();
    if (size != 16 && size != 24 && size != 32 && size != 64) {
      return Malformed(
          absl::StrCat(where, ".generate.size_bytes: ", size, "; use 16, 24, 32 or 64"));
    }
    item.generate_size_bytes = size;
  } else {
    return Malformed(absl::StrCat(where, ": wants nothing; set wrapped_dek or generate"));
  }
  return item;
}

absl::Status EnsureCount(std::string_view where, int count, int max) {
  if (count >= 1 && count <= max) return absl::OkStatus();
  return Malformed(absl::StrCat(ToAbsl(where), ": ", count, " given; 1 to ", max, " are allowed"));
}

}  // namespace

absl::StatusOr<std::string> ParseTenant(std::string_view tenant) {
  if (tenant.empty()) return std::string("default");
  if (absl::Status name = protocol::CheckName("tenant", tenant); !name.ok()) {
    return Malformed(std::string(name.message()));
  }
  return std::string(tenant);
}

absl::StatusOr<release::ReleaseRequest> ParseReleaseRequest(ByteView bytes,
                                                            const front::PeerHint& peer) {
  v1::ReleaseKeysRequest wire;
  RETURN_IF_ERROR(ParseStrict(bytes, wire));
  release::ReleaseRequest request;
  ASSIGN_OR_RETURN(request.tenant, ParseTenant(wire.tenant()));
  RETURN_IF_ERROR(EnsureSize("challenge", wire.challenge().size(), 1, kMaxChallengeBytes));
  request.challenge = wire.challenge();
  RETURN_IF_ERROR(EnsureCount("attestations", wire.attestations_size(), kMaxAttestations));
  RETURN_IF_ERROR(EnsureCount("items", wire.items_size(), kMaxItems));

  const std::optional<protocol::Scheme> scheme =
      protocol::SchemeFromNumber(wire.recipient().scheme());
  if (!scheme.has_value()) {
    return Malformed(absl::StrCat("recipient.scheme: ", static_cast<int>(wire.recipient().scheme()),
                                  " is no scheme known here"));
  }
  request.scheme = *scheme;
  RETURN_IF_ERROR(EnsureKeySize(*scheme, wire.recipient().public_key().size()));
  request.recipient_public_key = wire.recipient().public_key();

  for (int i = 0; i < wire.attestations_size(); ++i) {
    ASSIGN_OR_RETURN(attestation::Evidence evidence,
                     ParseAttestation(wire.attestations(i), absl::StrCat("attestations[", i, "]")));
    request.attestations.push_back(std::move(evidence));
  }
  request.items.reserve(wire.items_size());
  for (int i = 0; i < wire.items_size(); ++i) {
    ASSIGN_OR_RETURN(protocol::RequestItem item,
                     ParseItem(wire.items(i), request.tenant, absl::StrCat("items[", i, "]")));
    request.items.push_back(std::move(item));
  }
  request.bytes_digest = crypto::Sha256(bytes);
  request.caller = peer.address;
  return request;
}

absl::StatusOr<Bytes> SerializeReleaseResponse(const audit::DurableAnswer& answer,
                                               AnswerSummary& summary) {
  storage::v1::KeptAnswer kept;
  if (!kept.ParseFromString(answer.payload())) {
    return absl::InternalError("kept answer: does not parse");
  }
  v1::ReleaseKeysResponse response;
  response.set_leaf(std::move(*kept.mutable_leaf()));
  response.set_encapsulation(std::move(*kept.mutable_encapsulation()));
  for (storage::v1::KeptItem& item : *kept.mutable_items()) {
    v1::ItemResult& result = *response.add_items();
    if (item.reason() == 0) {
      ++summary.released;
      result.mutable_released()->set_sealed_dek(std::move(*item.mutable_sealed_dek()));
      result.mutable_released()->set_wrapped_dek(std::move(*item.mutable_wrapped_dek()));
      continue;
    }
    v1::Refusal& refusal = *result.mutable_refusal();
    refusal.set_reason(static_cast<v1::WireReason>(item.reason()));
    refusal.set_message(std::move(*item.mutable_message()));
    refusal.set_remedy(std::move(*item.mutable_remedy()));
    refusal.set_decision_id(std::move(*item.mutable_decision_id()));
    refusal.mutable_clauses()->Swap(item.mutable_clauses());
    summary.refusals.push_back(
        v1::WireReason_Name(refusal.reason()).substr(std::string_view("WIRE_REASON_").size()));
  }
  *response.mutable_receipt() = answer.receipt();
  return response.SerializeAsString();
}

}  // namespace latchkey::server
