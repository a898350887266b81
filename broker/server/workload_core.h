#pragma once

#include <set>
#include <string>

#include "base/clock.h"
#include "broker/front/core.h"
#include "broker/release/releaser.h"
#include "broker/server/metrics.h"
#include "broker/server/rate_limiter.h"

namespace latchkey::server {

// `WorkloadCore` is the core of the workload port: KeyRelease, and nothing else. Callers are
// anonymous; what they may have is decided by their evidence alone.
class WorkloadCore final : public front::Core {
 public:
  // All references must outlive it.
  struct Parts {
    std::string deployment_id;
    std::set<std::string, std::less<>> tenants;
    release::Releaser& releaser;
    Clock& clock;
    Metrics& metrics;
    double challenges_per_second = 0;  // of one peer; 0: no limit
  };
  explicit WorkloadCore(Parts parts)
      : parts_(std::move(parts)), limiter_(parts_.challenges_per_second), refusal_log_(20) {}

  front::CoreReply Handle(std::string_view method, ByteView request, const front::PeerHint& peer,
                          absl::Time deadline) override;

 private:
  absl::StatusOr<Bytes> Dispatch(std::string_view method, ByteView request,
                                 const front::PeerHint& peer);
  absl::StatusOr<Bytes> IssueChallenge(ByteView request, const front::PeerHint& peer);
  absl::StatusOr<Bytes> ReleaseKeys(ByteView request, const front::PeerHint& peer);
  absl::Status EnsureTenant(std::string_view tenant) const;
  void LogRefusal(std::string_view method, const front::PeerHint& peer,
                  std::string_view audit_reason, std::string_view message);

  const Parts parts_;
  RateLimiter limiter_;
  // A flood of refusals must not become a flood of log lines; the metrics count them all.
  RateLimiter refusal_log_;
};

}  // namespace latchkey::server
