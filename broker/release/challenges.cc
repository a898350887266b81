#include "broker/release/challenges.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/byte_reader.h"
#include "base/reason.h"
#include "base/status_macros.h"
#include "crypto/digest.h"

namespace latchkey::release {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kRandomSize = 32;
constexpr size_t kBodySize = 1 + kRandomSize + 8;
constexpr size_t kMacSize = 32;

absl::Status Forged() {
  return Refuse(absl::StatusCode::kUnauthenticated, "CHALLENGE_FORGED",
                "challenge: not issued by this deployment for this tenant; ask for a new one");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Challenges>> Challenges::Create(custody::Root& root, Random& random,
                                                               std::string deployment_id,
                                                               Bytes incarnation,
                                                               absl::Duration ttl) {
  ASSIGN_OR_RETURN(SecretBytes mac_key, root.Derive("latchkey/v1/challenge-mac"));
  return std::unique_ptr<Challenges>(new Challenges(
      std::move(mac_key), random, std::move(deployment_id), std::move(incarnation), ttl));
}

Bytes Challenges::Mac(std::string_view body, std::string_view tenant) const {
  Bytes bound;
  AppendLp(bound, deployment_id_);
  AppendLp(bound, tenant);
  AppendLp(bound, incarnation_);
  AppendLp(bound, body);
  return ToBytes(crypto::HmacSha256(mac_key_.view(), {AsBytes(bound)}));
}

IssuedChallenge Challenges::Issue(std::string_view tenant, absl::Time now) {
  const absl::Time expires_at = now + ttl_;
  Bytes challenge(1, static_cast<char>(kVersion));
  challenge += RandomBytes(random_, kRandomSize);
  AppendU64(challenge, static_cast<uint64_t>(absl::ToUnixMicros(expires_at)));
  challenge += Mac(challenge, tenant);
  return {std::move(challenge), expires_at};
}

absl::StatusOr<absl::Time> Challenges::Check(ByteView challenge, std::string_view tenant,
                                             absl::Time now) const {
  if (challenge.size() != kBodySize + kMacSize || challenge[0] != kVersion) return Forged();
  const ByteView body = challenge.first(kBodySize);
  if (!ConstantTimeEquals(AsBytes(Mac(AsText(body), tenant)), challenge.subspan(kBodySize))) {
    return Forged();
  }
  ByteReader reader(body.subspan(1 + kRandomSize), "challenge");
  ASSIGN_OR_RETURN(const uint64_t expiry_us, reader.ReadU64());
  const absl::Time expires_at = absl::FromUnixMicros(static_cast<int64_t>(expiry_us));
  if (now >= expires_at) {
    return Refuse(
        absl::StatusCode::kUnauthenticated, "CHALLENGE_EXPIRED",
        absl::StrCat("challenge: expired at ", absl::FormatTime(expires_at, absl::UTCTimeZone()),
                     "; ask for a new one"));
  }
  return expires_at;
}

std::string Challenges::UsedKey(ByteView challenge) {
  return absl::StrCat("challenge/", HexEncode(crypto::Sha256(challenge)));
}

std::string Challenges::AnswerKey(ByteView challenge) {
  return absl::StrCat("answer/", HexEncode(crypto::Sha256(challenge)));
}

absl::StatusOr<Challenges::InFlight> Challenges::Enter(ByteView challenge) {
  std::string key = ToBytes(challenge);
  MutexLock lock(mutex_);
  if (!in_flight_.insert(key).second) {
    return Refuse(absl::StatusCode::kUnavailable, "DUPLICATE_IN_FLIGHT",
                  "challenge: being answered at this moment; try again for the same answer");
  }
  return InFlight(this, std::move(key));
}

void Challenges::Leave(const std::string& key) {
  MutexLock lock(mutex_);
  in_flight_.erase(key);
}

}  // namespace latchkey::release
