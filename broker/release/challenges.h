#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/secret_bytes.h"
#include "broker/custody/root.h"

namespace latchkey::release {

struct IssuedChallenge {
  Bytes challenge;
  absl::Time expires_at;
};

// `Challenges` issues and checks challenges. They are stateless: version, random bytes and expiry
// under a MAC that also covers deployment, tenant and the store's incarnation
// (docs/formats/challenge.md); any broker of the same root checks them. Single use is the
// transaction's part: a used challenge is a record under `UsedKey`. Thread-safe.
class Challenges {
 public:
  static absl::StatusOr<std::unique_ptr<Challenges>> Create(custody::Root& root, Random& random,
                                                            std::string deployment_id,
                                                            Bytes incarnation, absl::Duration ttl);

  absl::Duration ttl() const { return ttl_; }
  IssuedChallenge Issue(std::string_view tenant, absl::Time now);

  // CHALLENGE_FORGED or CHALLENGE_EXPIRED unless `challenge` was issued for `tenant` and `now` is
  // before its expiry, which is returned.
  absl::StatusOr<absl::Time> Check(ByteView challenge, std::string_view tenant,
                                   absl::Time now) const;

  // Store keys of a used challenge's record and of its kept answer.
  static std::string UsedKey(ByteView challenge);
  static std::string AnswerKey(ByteView challenge);

  // `InFlight` holds a challenge's place while it is answered.
  class InFlight {
   public:
    InFlight(InFlight&& other) noexcept : owner_(other.owner_), key_(std::move(other.key_)) {
      other.owner_ = nullptr;
    }
    InFlight& operator=(InFlight&&) = delete;
    ~InFlight() {
      if (owner_ != nullptr) owner_->Leave(key_);
    }

   private:
    friend class Challenges;
    InFlight(Challenges* owner, std::string key) : owner_(owner), key_(std::move(key)) {}
    Challenges* owner_;
    std::string key_;
  };
  // DUPLICATE_IN_FLIGHT when the same challenge is being answered by this process.
  absl::StatusOr<InFlight> Enter(ByteView challenge);

 private:
  Challenges(SecretBytes mac_key, Random& random, std::string deployment_id, Bytes incarnation,
             absl::Duration ttl)
      : mac_key_(std::move(mac_key)),
        random_(random),
        deployment_id_(std::move(deployment_id)),
        incarnation_(std::move(incarnation)),
        ttl_(ttl) {}

  Bytes Mac(std::string_view body, std::string_view tenant) const;
  void Leave(const std::string& key);

  const SecretBytes mac_key_;
  Random& random_;
  const std::string deployment_id_;
  const Bytes incarnation_;
  const absl::Duration ttl_;
  Mutex mutex_;
  std::set<std::string> in_flight_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace latchkey::release
