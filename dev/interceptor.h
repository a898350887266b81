#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "broker/front/core.h"
#include "client/transport.h"

namespace latchkey::dev {

// What an interceptor does to the traffic it relays.
enum class Attack {
  kRelay,   // nothing: the honest neighbour
  kPlant,   // replaces each released DEK by one of its own, properly sealed to the workload's
            // recipient key
  kReplay,  // lets the release pass, then sends its challenge again with other bytes and reports
            // the broker's answer
  kSwap,    // asks the broker for another context than the workload did
};
absl::StatusOr<Attack> ParseAttack(std::string_view name);

// `Interceptor` is a TLS-terminating proxy in front of a broker, as whoever runs the cloud may
// place one: it sees and may change every byte that TLS protected. For demonstrations and tests.
class Interceptor final : public front::Core {
 public:
  Interceptor(std::unique_ptr<client::Transport> broker, Attack attack)
      : broker_(std::move(broker)), attack_(attack) {}

  front::CoreReply Handle(std::string_view method, ByteView request, const front::PeerHint& peer,
                          absl::Time deadline) override;

 private:
  absl::StatusOr<Bytes> Relay(std::string_view method, ByteView request, absl::Duration timeout);

  const std::unique_ptr<client::Transport> broker_;
  const Attack attack_;
  Mutex mutex_;
  std::string deployment_id_ ABSL_GUARDED_BY(mutex_);  // seen in IssueChallenge's answer
};

}  // namespace latchkey::dev
