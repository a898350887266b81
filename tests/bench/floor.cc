#include "tests/bench/floor.h"

#include <time.h>

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "broker/store/sqlite_store.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/hpke.h"
#include "crypto/kdf.h"
#include "crypto/system_random.h"
#include "tests/bench/must.h"

namespace latchkey::bench {
namespace {

double ThreadCpuMicroseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// The median of several rounds: a neighbour's burst must not count.
double Time(int repeats, const std::function<void()>& body) {
  constexpr int kRounds = 7;
  std::vector<double> rounds;
  for (int round = 0; round < kRounds; ++round) {
    const double start = ThreadCpuMicroseconds();
    for (int i = 0; i < repeats; ++i) body();
    rounds.push_back((ThreadCpuMicroseconds() - start) / repeats);
  }
  std::nth_element(rounds.begin(), rounds.begin() + kRounds / 2, rounds.end());
  return rounds[kRounds / 2];
}

// What one release writes: the leaf, the used challenge with its answer, the details.
double CommitShare(double group_size, const std::string& directory) {
  const auto store = Must(store::OpenSqliteStore(directory + "/floor.sqlite"));
  const int group = std::max(1, static_cast<int>(group_size + 0.5));
  const Bytes leaf(500, 'l'), used(50, 'u'), answer(700, 'a'), details(1500, 'd');
  uint64_t number = 0;
  const absl::Time now = absl::Now();
  return Time(20,
              [&] {
                const absl::Status status =
                    store->Transact(now, [&](store::Transaction& transaction) {
                      for (int i = 0; i < group; ++i) {
                        const std::string id =
                            HexEncode(crypto::Sha256(AsBytes(absl::StrCat("floor", number++))));
                        (void)transaction.Append("log", AsBytes(leaf));
                        (void)transaction.PutExpiring("challenge/" + id, AsBytes(used),
                                                      now + absl::Minutes(5));
                        (void)transaction.PutExpiring("answer/" + id, AsBytes(answer),
                                                      now + absl::Minutes(1));
                        (void)transaction.Put("decision/" + id, AsBytes(details));
                      }
                      return absl::OkStatus();
                    });
                if (!status.ok()) Die(status.ToString());
              }) /
         group;
}

}  // namespace

std::vector<FloorPart> MeasureFloor(const Workload& workload, double group_size,
                                    const std::string& directory) {
  crypto::SystemRandom random;
  std::vector<FloorPart> parts;
  const Bytes key(32, 'k'), nonce(12, 'n'), dek(32, 'd'), aad(200, 'a'), message(1200, 'm');
  if (workload.profile() == Profile::kMaaRsa) {
    const Bytes token(6000, 't');
    const Bytes signature =
        workload.maa().key().Sign(crypto::SignatureAlgorithm::kRsaPkcs1Sha256, AsBytes(token));
    parts.push_back({"RSA-2048 verify of the token", Time(500, [&] {
                       (void)crypto::VerifySignature(workload.maa().key().public_key(),
                                                     crypto::SignatureAlgorithm::kRsaPkcs1Sha256,
                                                     AsBytes(token), AsBytes(signature));
                     })});
    parts.push_back({"RSA-OAEP seal of the secret", Time(500, [&] {
                       (void)crypto::RsaOaepSha256Encrypt(workload.platform_key().public_key(),
                                                          AsBytes(key));
                     })});
  } else {
    const crypto::PrivateKey vcek = crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP384);
    const Bytes signature =
        vcek.Sign(crypto::SignatureAlgorithm::kEcdsaP384Sha384, AsBytes(message));
    parts.push_back({"P-384 verify of the report", Time(100, [&] {
                       (void)crypto::VerifySignature(vcek.public_key(),
                                                     crypto::SignatureAlgorithm::kEcdsaP384Sha384,
                                                     AsBytes(message), AsBytes(signature));
                     })});
    const auto recipient = crypto::HpkePrivateKey::Generate(crypto::HpkeKem::kX25519, random);
    parts.push_back({"HPKE X25519 sender", Time(200, [&] {
                       (void)crypto::HpkeSender::Create(crypto::HpkeKem::kX25519,
                                                        AsBytes(recipient.public_key()),
                                                        AsBytes(key), random);
                     })});
  }
  const Bytes wrapped = crypto::AeadSeal(AsBytes(key), AsBytes(nonce), AsBytes(aad), AsBytes(dek));
  parts.push_back(
      {"DEK unwrap (HKDF, AES-GCM)", Time(500, [&] {
         (void)crypto::Hkdf(crypto::Hash::kSha256, AsBytes(key), AsBytes(key), AsBytes(aad), 64);
         (void)crypto::AeadOpen(AsBytes(key), AsBytes(nonce), AsBytes(aad), AsBytes(wrapped));
       })});
  parts.push_back({"DEK seal (AES-GCM)", Time(500, [&] {
                     (void)crypto::AeadSeal(AsBytes(key), AsBytes(nonce), AsBytes(aad),
                                            AsBytes(dek));
                   })});
  parts.push_back({"two challenge MACs", Time(500, [&] {
                     (void)crypto::HmacSha256(AsBytes(key), {AsBytes(aad)});
                     (void)crypto::HmacSha256(AsBytes(key), {AsBytes(aad)});
                   })});
  parts.push_back({"digests of binding, items, statement", Time(500, [&] {
                     for (int i = 0; i < 10; ++i) (void)crypto::Sha256(AsBytes(aad));
                     (void)crypto::Sha512(AsBytes(aad));
                   })});
  const crypto::PrivateKey log_key = crypto::PrivateKey::GenerateEd25519(random);
  parts.push_back({"share of a checkpoint signature",
                   Time(200, [&] {
                     (void)log_key.Sign(crypto::SignatureAlgorithm::kEd25519, AsBytes(aad));
                   }) / std::max(1.0, group_size)});
  parts.push_back({absl::StrCat("share of a commit of ", static_cast<int>(group_size + 0.5)),
                   CommitShare(group_size, directory)});
  return parts;
}

}  // namespace latchkey::bench
