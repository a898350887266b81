#pragma once

// What the tests of this folder share: a software TEE and attestation service, verifiers that trust
// them, and the real data.

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/reason.h"
#include "broker/attestation/verifier.h"
#include "dev/software_tee/maa_issuer.h"
#include "dev/software_tee/software_tee.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace latchkey::attestation {

// 2026-06-01T00:00:00Z.
inline const absl::Time kNow = absl::FromUnixSeconds(1780272000);

// The audit reason must be exactly this one.
MATCHER_P(RefusedAs, reason, std::string("is refused as ") + reason) {
  if (arg.ok()) {
    *result_listener << "which was accepted";
    return false;
  }
  *result_listener << "whose status is " << arg.status().ToString();
  return ReasonOf(arg.status()) == reason;
}
MATCHER(IsAccepted, "is accepted") {
  if (!arg.ok()) *result_listener << "whose status is " << arg.status().ToString();
  return arg.ok();
}

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint32_t seed) : engine_(seed) {}
  void Fill(std::span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = static_cast<uint8_t>(engine_());
  }

 private:
  std::mt19937 engine_;
};

inline dev::SoftwareTee MakeTee(uint32_t seed) {
  SeededRandom random(seed);
  return *dev::SoftwareTee::Create(random, kNow);
}
inline const dev::SoftwareTee& Tee() {
  static const dev::SoftwareTee& tee = *new dev::SoftwareTee(MakeTee(1));
  return tee;
}
// Another vendor with names all alike, which nothing trusts.
inline const dev::SoftwareTee& Stranger() {
  static const dev::SoftwareTee& tee = *new dev::SoftwareTee(MakeTee(2));
  return tee;
}
inline const dev::MaaIssuer& Maa() {
  static const dev::MaaIssuer& issuer = *new dev::MaaIssuer(dev::MaaIssuer::Create());
  return issuer;
}
inline const crypto::PublicKey& VtpmKey() {
  static const crypto::PublicKey& key =
      *new crypto::PublicKey(crypto::PrivateKey::GenerateRsa(2048).public_key());
  return key;
}

inline AuthorityConfig MaaAuthority() {
  return {"maa-test", "maa", Maa().issuer(), Maa().Jwks(), {dev::MaaIssuer::PolicyHash()}};
}
inline SnpConfig TrustingTee() {
  SnpConfig config;
  config.extra_roots.push_back(
      {std::string(dev::SoftwareTee::kProduct), Tee().ark(), {Tee().ask(), Tee().asvk()}});
  return config;
}
// Verifiers that trust Tee() and Maa().
inline const Verifiers& TestVerifiers() {
  static const Verifiers& verifiers = *MakeVerifiers({MaaAuthority()}, TrustingTee())->release();
  return verifiers;
}

inline ExpectedBinding TestBinding() {
  return {crypto::Sha512(AsBytes("binding")), crypto::Sha256(AsBytes("binding")),
          crypto::Sha256(AsBytes("binding without recipient")), VtpmKey().SpkiDer()};
}

// A report with the test binding, and the VCEK certificate with it.
inline dev::ReportFields TestReport() {
  dev::ReportFields fields;
  fields.report_data = ToBytes(TestBinding().report_data);
  return fields;
}
inline Evidence SnpEvidence(Bytes report, std::vector<crypto::Certificate> certificates) {
  Evidence evidence{EvidenceKind::kSnpReport, std::move(report), {}};
  for (const crypto::Certificate& certificate : certificates) {
    evidence.endorsements.push_back(ToBytes(certificate.der()));
  }
  return evidence;
}

// A token that was issued a minute ago for VtpmKey() and echoes the test nonce.
inline dev::MaaTokenFields TestToken() {
  dev::MaaTokenFields fields;
  fields.issued_at = kNow - absl::Minutes(1);
  fields.recipient_modulus = VtpmKey().RsaModulus();
  fields.nonce = Base64UrlEncode(TestBinding().platform_key_nonce);
  return fields;
}
inline Evidence TokenEvidence(std::string token) {
  return {EvidenceKind::kToken, std::move(token), {}};
}

// The value of a claim; fails the test and returns T() when it was not stated so.
template <typename T>
T ClaimOf(const AttestationResult& result, std::string_view name) {
  const policy::Value* value = result.claims().Find(name);
  const T* typed = value == nullptr ? nullptr : value->Get<T>();
  EXPECT_NE(typed, nullptr) << name << " is not stated, or is of another type";
  return typed == nullptr ? T() : *typed;
}

// Real data lies outside the tree; tests that need it are skipped where it is absent.
inline std::optional<Bytes> ReadVector(const std::string& path) {
  const char* root = std::getenv("LATCHKEY_VECTORS");
  std::ifstream file(std::string(root != nullptr ? root : "../shared/vectors") + "/" + path,
                     std::ios::binary);
  if (!file) return std::nullopt;
  return Bytes(std::istreambuf_iterator<char>(file), {});
}
#define REQUIRE_VECTORS(path)                                                         \
  if (!ReadVector(path).has_value()) {                                                \
    GTEST_SKIP() << "no real data: set LATCHKEY_VECTORS to a folder with " << (path); \
  }

}  // namespace latchkey::attestation
