#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "broker/attestation/snp/certificates.h"
#include "broker/attestation/snp/roots.h"
#include "crypto/x509.h"

namespace latchkey::attestation::snp {

// `VerifiedLeaf` is a VCEK or VLEK whose chain to a pinned ARK was verified; it may be relied on
// inside [not_before, not_after], the window in which all three certificates are valid. Only
// ChainVerifier makes one.
class VerifiedLeaf {
 public:
  const LeafCertificate& leaf() const { return leaf_; }
  const crypto::PublicKey& key() const { return key_; }
  bool ValidAt(absl::Time at) const { return at >= not_before_ && at <= not_after_; }

 private:
  friend class ChainVerifier;
  VerifiedLeaf(LeafCertificate leaf, crypto::PublicKey key, absl::Time not_before,
               absl::Time not_after)
      : leaf_(std::move(leaf)),
        key_(std::move(key)),
        not_before_(not_before),
        not_after_(not_after) {}

  LeafCertificate leaf_;
  crypto::PublicKey key_;
  absl::Time not_before_;
  absl::Time not_after_;
};

// `ChainVerifier` verifies leaf <- ASK or ASVK <- ARK by explicit steps, without path building from
// what a caller sent. It remembers leaves that it verified, at most kMaxRemembered of them: each
// costs an RSA-4096 verification. Thread-safe.
class ChainVerifier {
 public:
  static constexpr size_t kMaxRemembered = 4096;

  explicit ChainVerifier(const Roots& roots) : roots_(roots) {}

  // CHAIN_DENIED when the leaf is not `kind`'s, no pinned issuer signed it, or a certificate is
  // outside its dates at `now`; MALFORMED and UNSUPPORTED as ParseLeaf.
  absl::StatusOr<std::shared_ptr<const VerifiedLeaf>> Verify(const crypto::Certificate& certificate,
                                                             SigningKey kind, absl::Time now);

 private:
  absl::StatusOr<std::shared_ptr<const VerifiedLeaf>> VerifyAnew(
      const crypto::Certificate& certificate, SigningKey kind, absl::Time now) const;

  const Roots& roots_;
  Mutex mutex_;
  // By the SHA-256 of the leaf's DER, and its kind.
  std::unordered_map<std::string, std::shared_ptr<const VerifiedLeaf>> remembered_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace latchkey::attestation::snp
