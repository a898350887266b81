#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/random.h"
#include "broker/attestation/verifier.h"
#include "broker/front/core.h"
#include "crypto/signature.h"
#include "dev/software_tee/maa_issuer.h"
#include "dev/software_tee/software_tee.h"

namespace latchkey::bench {

// One kind of release to measure.
enum class Profile {
  kMaaRsa,   // MAA token, recipient key of the vTPM (RSA-2048)
  kSnpHpke,  // SEV-SNP report, HPKE X25519
};
std::string_view ProfileName(Profile profile);

inline constexpr char kDeployment[] = "bench";
inline constexpr char kTenant[] = "default";

// `Workload` is the simulated machines of one profile: it mints requests, each with its own
// challenge and binding, as in life.
class Workload {
 public:
  Workload(Profile profile, Random& random);

  Profile profile() const { return profile_; }
  // What the broker must trust to serve it.
  std::unique_ptr<attestation::Verifiers> MakeVerifiers() const;
  // Puts the policy, creates the key and wraps one DEK, through the broker's admin core.
  void SetUp(front::Core& admin);
  // Serialized ReleaseKeysRequest for a challenge.
  Bytes Mint(const Bytes& challenge);

  const dev::SoftwareTee& tee() const { return tee_; }
  const dev::MaaIssuer& maa() const { return maa_; }
  const crypto::PrivateKey& platform_key() const { return platform_key_; }
  // The wrapped DEK as a child process that was forked before SetUp has it not.
  const Bytes& wrapped_dek() const { return wrapped_dek_; }
  void set_wrapped_dek(Bytes wrapped) { wrapped_dek_ = std::move(wrapped); }

 private:
  const Profile profile_;
  Random& random_;
  const dev::SoftwareTee tee_;
  const dev::MaaIssuer maa_;
  const crypto::PrivateKey platform_key_;
  Bytes wrapped_dek_;
};

// One call of an admin method by the bench's own administrator; ends the process on an error.
Bytes CallAdmin(front::Core& admin, std::string_view method, const Bytes& request);

}  // namespace latchkey::bench
