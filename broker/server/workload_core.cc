#include "broker/server/workload_core.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "broker/server/log.h"
#include "broker/server/release_conversion.h"
#include "broker/server/status_to_grpc.h"
#include "broker/server/strict_parse.h"
#include "broker/server/timestamp.h"
#include "latchkey/v1/key_release.pb.h"

namespace latchkey::server {
namespace {

constexpr std::string_view kIssueChallenge = "/latchkey.v1.KeyRelease/IssueChallenge";
constexpr std::string_view kReleaseKeys = "/latchkey.v1.KeyRelease/ReleaseKeys";

// The method as a metric's label: a caller's own invention is not one.
std::string_view MethodLabel(std::string_view method) {
  if (method == kIssueChallenge) return "IssueChallenge";
  if (method == kReleaseKeys) return "ReleaseKeys";
  return "other";
}

}  // namespace

front::CoreReply WorkloadCore::Handle(std::string_view method, ByteView request,
                                      const front::PeerHint& peer, absl::Time /*deadline*/) {
  const absl::Time start = absl::Now();
  auto answer = Dispatch(method, request, peer);
  parts_.metrics.request_seconds.With(MethodLabel(method))
      .Observe(absl::ToDoubleSeconds(absl::Now() - start));
  if (answer.ok()) {
    front::CoreReply reply;
    reply.message = *std::move(answer);
    return reply;
  }
  parts_.metrics.refusals.With(WireReasonOf(answer.status())).Add();
  LogRefusal(MethodLabel(method), peer, ReasonOf(answer.status()),
             ToStd(answer.status().message()));
  return ErrorReply(answer.status(), Audience::kWorkload);
}

absl::StatusOr<Bytes> WorkloadCore::Dispatch(std::string_view method, ByteView request,
                                             const front::PeerHint& peer) {
  if (method == kIssueChallenge) return IssueChallenge(request, peer);
  if (method == kReleaseKeys) return ReleaseKeys(request, peer);
  return absl::UnimplementedError("this port serves latchkey.v1.KeyRelease only");
}

absl::StatusOr<Bytes> WorkloadCore::IssueChallenge(ByteView request, const front::PeerHint& peer) {
  if (!limiter_.Admit(RateLimiter::HostOf(peer.address), parts_.clock.Now())) {
    return Refuse(absl::StatusCode::kResourceExhausted, "RATE_LIMITED",
                  "IssueChallenge: too many challenges for one peer");
  }
  v1::IssueChallengeRequest wire;
  RETURN_IF_ERROR(ParseStrict(request, wire));
  ASSIGN_OR_RETURN(const std::string tenant, ParseTenant(wire.tenant()));
  RETURN_IF_ERROR(EnsureTenant(tenant));
  release::IssuedChallenge issued = parts_.releaser.IssueChallenge(tenant);
  parts_.metrics.challenges.Add();
  v1::IssueChallengeResponse response;
  response.set_challenge(std::move(issued.challenge));
  *response.mutable_expires_at() = ToTimestamp(issued.expires_at);
  response.set_deployment_id(parts_.deployment_id);
  return response.SerializeAsString();
}

absl::StatusOr<Bytes> WorkloadCore::ReleaseKeys(ByteView request, const front::PeerHint& peer) {
  const auto parsed = ParseReleaseRequest(request, peer);
  if (!parsed.ok()) {
    parts_.releaser.attempts().Count(ReasonOf(parsed.status()));
    return parsed.status();
  }
  RETURN_IF_ERROR(EnsureTenant(parsed->tenant));
  ASSIGN_OR_RETURN(const audit::DurableAnswer answer, parts_.releaser.Release(*parsed));
  AnswerSummary summary;
  ASSIGN_OR_RETURN(Bytes response, SerializeReleaseResponse(answer, summary));
  parts_.metrics.log_size.Raise(static_cast<int64_t>(answer.leaf_index()) + 1);
  parts_.metrics.releases.With("released").Add(summary.released);
  parts_.metrics.releases.With("refused").Add(summary.refusals.size());
  for (const std::string& reason : summary.refusals) {
    parts_.metrics.refusals.With(reason).Add();
  }
  if (!summary.refusals.empty()) {
    LogRefusal(
        "ReleaseKeys", peer, summary.refusals.front(),
        absl::StrCat(summary.refusals.size(), " of ", parsed->items.size(), " items refused; leaf ",
                     answer.leaf_index(), " of tenant ", parsed->tenant));
  }
  return response;
}

absl::Status WorkloadCore::EnsureTenant(std::string_view tenant) const {
  if (parts_.tenants.contains(tenant)) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("tenant ", ToAbsl(tenant), ": not one of this deployment"));
}

void WorkloadCore::LogRefusal(std::string_view method, const front::PeerHint& peer,
                              std::string_view audit_reason, std::string_view message) {
  if (!refusal_log_.Admit("", absl::Now())) return;
  Log(LogLevel::kWarning, "refused",
      {{"method", method}, {"reason", audit_reason}, {"message", message}, {"peer", peer.address}});
}

}  // namespace latchkey::server
