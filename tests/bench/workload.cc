#include "tests/bench/workload.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "crypto/hpke.h"
#include "latchkey/v1/key_admin.pb.h"
#include "latchkey/v1/key_release.pb.h"
#include "latchkey/v1/key_wrap.pb.h"
#include "latchkey/v1/policy_admin.pb.h"
#include "protocol/binding.h"
#include "tests/bench/must.h"

namespace latchkey::bench {
namespace {

constexpr char kVmId[] = "5a1e0c1d-0000-4000-8000-1a7c4be70001";

// Roughly the size of a real rule: five conditions over claims of the profile.
std::string PolicyDocument(Profile profile) {
  const bool is_maa = profile == Profile::kMaaRsa;
  return absl::StrCat(
      "apiVersion: latchkey.dev/v1\nkind: ReleasePolicy\nmetadata: {name: bench}\nspec:\n"
      "  guards: [bench]\n  rules:\n  - name: own\n    effect: permit\n    source: ",
      is_maa ? "maa" : "hardware",
      "\n    conditions:\n    - expression: tee.type == \"snp\" && !tee.debug\n"
      "    - expression: snp.measurement == \"",
      HexEncode(AsBytes(Bytes(48, '\x4d'))), "\"\n",
      is_maa ? absl::StrCat("    - expression: azure.vm_id == \"", kVmId, "\"\n") : "",
      "    - expression: snp.reported_tcb.snp >= 20\n    - expression: snp.reported_tcb.microcode "
      ">= 200\n"
      "    - expression: request.context[\"environment\"] == \"prod\"\n");
}

protocol::Context BenchContext() { return {{"environment", "prod"}}; }

}  // namespace

std::string_view ProfileName(Profile profile) {
  return profile == Profile::kMaaRsa ? "maa-rsa" : "snp-hpke";
}

Bytes CallAdmin(front::Core& admin, std::string_view method, const Bytes& request) {
  static const Bytes* const certificate = [] {
    const crypto::PrivateKey key = crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP256);
    crypto::CertificateSpec spec;
    spec.common_name = "bench-admin";
    spec.not_before = absl::Now() - absl::Hours(1);
    spec.not_after = absl::Now() + absl::Hours(24);
    return new Bytes(
        ToBytes(Must(crypto::MakeCertificate(spec, key.public_key(), nullptr, key)).der()));
  }();
  const front::CoreReply reply = admin.Handle(
      method, AsBytes(request), {"127.0.0.1:1", *certificate}, absl::Now() + absl::Seconds(10));
  if (reply.grpc_code != 0) Die(reply.error_message);
  return reply.message;
}

Workload::Workload(Profile profile, Random& random)
    : profile_(profile),
      random_(random),
      tee_(Must(dev::SoftwareTee::Create(random, absl::Now()))),
      maa_(dev::MaaIssuer::Create()),
      platform_key_(crypto::PrivateKey::GenerateRsa(2048)) {}

std::unique_ptr<attestation::Verifiers> Workload::MakeVerifiers() const {
  attestation::SnpConfig snp;
  snp.extra_roots.push_back(
      {std::string(dev::SoftwareTee::kProduct), tee_.ark(), {tee_.ask(), tee_.asvk()}});
  return Must(attestation::MakeVerifiers(
      {{"maa", "maa", maa_.issuer(), maa_.Jwks(), {dev::MaaIssuer::PolicyHash()}}}, snp));
}

void Workload::SetUp(front::Core& admin) {
  v1::PutPolicyRequest policy;
  policy.set_document(PolicyDocument(profile_));
  CallAdmin(admin, "/latchkey.v1.PolicyAdmin/PutPolicy", policy.SerializeAsString());
  v1::CreateKeyRequest key;
  key.set_name("bench");
  key.mutable_charter()->set_policy("bench");
  CallAdmin(admin, "/latchkey.v1.KeyAdmin/CreateKey", key.SerializeAsString());
  v1::GenerateDataKeyRequest generate;
  generate.set_key("bench");
  for (const auto& [name, value] : BenchContext()) (*generate.mutable_context())[name] = value;
  v1::GenerateDataKeyResponse generated;
  generated.ParseFromString(
      CallAdmin(admin, "/latchkey.v1.KeyWrap/GenerateDataKey", generate.SerializeAsString()));
  wrapped_dek_ = generated.wrapped_dek();
}

Bytes Workload::Mint(const Bytes& challenge) {
  const bool is_maa = profile_ == Profile::kMaaRsa;
  const protocol::Scheme scheme =
      is_maa ? protocol::Scheme::kRsaOaepSha256 : protocol::Scheme::kHpkeX25519;
  const Bytes recipient =
      is_maa ? platform_key_.public_key().SpkiDer()
             : crypto::HpkePrivateKey::Generate(crypto::HpkeKem::kX25519, random_).public_key();
  const auto digest =
      protocol::RequestDigest(kTenant, {{{kTenant, "bench"}, BenchContext(), wrapped_dek_, 0}});
  const Bytes transcript = protocol::BindingTranscript(
      kDeployment, AsBytes(challenge), scheme, is_maa ? ByteView() : AsBytes(recipient), digest);

  v1::ReleaseKeysRequest request;
  request.set_challenge(challenge);
  request.mutable_recipient()->set_scheme(static_cast<v1::RecipientScheme>(scheme));
  request.mutable_recipient()->set_public_key(recipient);
  v1::ReleaseItem& item = *request.add_items();
  item.set_key("bench");
  item.set_wrapped_dek(wrapped_dek_);
  for (const auto& [name, value] : BenchContext()) (*item.mutable_context())[name] = value;
  v1::Attestation& attestation = *request.add_attestations();
  if (is_maa) {
    dev::MaaTokenFields fields;
    fields.issued_at = absl::Now();
    fields.recipient_modulus = platform_key_.public_key().RsaModulus();
    fields.nonce = Base64UrlEncode(protocol::BindingDigest(AsBytes(transcript)));
    attestation.set_token(maa_.MintToken(fields));
  } else {
    dev::ReportFields fields;
    fields.report_data = ToBytes(protocol::ReportData(AsBytes(transcript)));
    attestation.set_snp_report(tee_.SignReport(fields));
    attestation.add_endorsements(ToBytes(tee_.vcek().der()));
  }
  return request.SerializeAsString();
}

}  // namespace latchkey::bench
