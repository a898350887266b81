#pragma once

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "broker/audit/durable_answer.h"
#include "broker/front/core.h"
#include "broker/release/release_request.h"

namespace latchkey::server {

// `ParseReleaseRequest` reads a ReleaseKeysRequest and holds it to every limit of
// key_release.proto, before any costly work. MALFORMED names the field, its fault and the limit.
absl::StatusOr<release::ReleaseRequest> ParseReleaseRequest(ByteView bytes,
                                                            const front::PeerHint& peer);

// What an answer says beside its bytes, for the metrics.
struct AnswerSummary {
  int released = 0;
  std::vector<std::string> refusals;  // wire reasons, without prefix
};

// `SerializeReleaseResponse` is the ReleaseKeysResponse of a durable answer. Internal when the kept
// answer does not parse.
absl::StatusOr<Bytes> SerializeReleaseResponse(const audit::DurableAnswer& answer,
                                               AnswerSummary& summary);

// A tenant's name; empty means `default`.
absl::StatusOr<std::string> ParseTenant(std::string_view tenant);

}  // namespace latchkey::server
