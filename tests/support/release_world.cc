#include "tests/support/release_world.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "broker/custody/software_root.h"
#include "broker/store/memory_store.h"
#include "crypto/system_random.h"
#include "latchkey/v1/statement.pb.h"
#include "protocol/sealed_item.h"
#include "protocol/statement.h"

namespace latchkey {
namespace {

template <typename T>
T Must(absl::StatusOr<T> result) {
  if (!result.ok()) std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  LATCHKEY_CHECK(result.ok());
  return std::move(result).value();
}

absl::StatusOr<Bytes> ActLeaf(store::Transaction& transaction, std::string_view action) {
  ASSIGN_OR_RETURN(const uint64_t epoch, audit::AdvanceEpoch(transaction, ReleaseWorld::kTenant));
  v1::Leaf leaf;
  leaf.mutable_admin_act()->set_action(std::string(action));
  leaf.mutable_admin_act()->set_epoch(epoch);
  return leaf.SerializeAsString();
}

}  // namespace

const dev::SoftwareTee& ReleaseWorld::Tee() {
  static const dev::SoftwareTee* const tee = [] {
    crypto::SystemRandom random;
    return new dev::SoftwareTee(Must(dev::SoftwareTee::Create(random, ManualClock().Now())));
  }();
  return *tee;
}

const dev::MaaIssuer& ReleaseWorld::Maa() {
  static const dev::MaaIssuer* const issuer = new dev::MaaIssuer(dev::MaaIssuer::Create());
  return *issuer;
}

ReleaseWorld::ReleaseWorld(std::unique_ptr<store::Store> given_store)
    : store(given_store != nullptr ? std::move(given_store) : store::NewMemoryStore()) {
  SecretBytes root_key(32);
  random.Fill(root_key.mutable_view());
  root = custody::MakeSoftwareRoot("test-root", std::move(root_key), random);
  const audit::GenesisResult genesis =
      Must(audit::CreateTenantLog(*store, *root, random, kDeployment, kTenant, clock.Now()));
  log_public_key = genesis.log_public_key;
  genesis_digest = ToBytes(genesis.genesis_digest);
  audit_log = Must(audit::OpenAuditLog(*store, *root, clock, failpoints, kDeployment,
                                       {{kTenant, genesis_digest}}));
  keyring = Must(custody::MakeKeyring(*root, random));
  policies = Must(release::PolicyBook::Create(*root));
  challenges = Must(
      release::Challenges::Create(*root, random, kDeployment, "incarnation-1", absl::Minutes(5)));
  attestation::SnpConfig snp;
  snp.extra_roots.push_back(
      {std::string(dev::SoftwareTee::kProduct), Tee().ark(), {Tee().ask(), Tee().asvk()}});
  verifiers = Must(attestation::MakeVerifiers(
      {{"maa-test", "maa", Maa().issuer(), Maa().Jwks(), {dev::MaaIssuer::PolicyHash()}}}, snp));
  releaser = std::make_unique<release::Releaser>(
      release::Releaser::Parts{kDeployment, *store, *verifiers, *keyring, *policies, *challenges,
                               *audit_log, clock, random, failpoints});
}

absl::Status ReleaseWorld::Act(const audit::EntryBody& body) {
  return audit_log->Append(kTenant, body).status();
}

absl::Status ReleaseWorld::PutPolicy(std::string_view document) {
  return Act([&](store::Transaction& transaction, uint64_t) -> absl::StatusOr<audit::Entry> {
    RETURN_IF_ERROR(
        policies->Put(transaction, kTenant, document, std::nullopt, "test", clock.Now()).status());
    ASSIGN_OR_RETURN(Bytes leaf, ActLeaf(transaction, "POLICY_PUT"));
    return audit::Entry{std::move(leaf), ""};
  });
}

absl::Status ReleaseWorld::CreateKey(const std::string& name, const std::string& policy) {
  return Act([&](store::Transaction& transaction, uint64_t) -> absl::StatusOr<audit::Entry> {
    RETURN_IF_ERROR(
        keyring->CreateKey(transaction, {kTenant, name}, {policy, 0, {}}, {}, clock.Now())
            .status());
    ASSIGN_OR_RETURN(Bytes leaf, ActLeaf(transaction, "KEY_CREATED"));
    return audit::Entry{std::move(leaf), ""};
  });
}

absl::Status ReleaseWorld::DisableVersion(const std::string& name, uint32_t version) {
  return Act([&](store::Transaction& transaction, uint64_t) -> absl::StatusOr<audit::Entry> {
    RETURN_IF_ERROR(keyring
                        ->SetVersionState(transaction, {kTenant, name}, version,
                                          custody::VersionState::kDisabled)
                        .status());
    ASSIGN_OR_RETURN(Bytes leaf, ActLeaf(transaction, "KEY_VERSION_DISABLED"));
    return audit::Entry{std::move(leaf), ""};
  });
}

Bytes ReleaseWorld::WrapNewDek(const std::string& name, const protocol::Context& context) {
  Bytes wrapped;
  const absl::Status status =
      store->Read(clock.Now(), [&](store::ReadTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const auto key, keyring->Open(transaction, {kTenant, name}));
        ASSIGN_OR_RETURN(custody::WrappedDek made, keyring->GenerateWrapped(*key, context, 32));
        wrapped = std::move(made.wrapped_dek);
        return absl::OkStatus();
      });
  LATCHKEY_CHECK(status.ok());
  return wrapped;
}

std::string ReleaseWorld::SnpPolicy(const std::string& name,
                                    const std::vector<std::string>& guards) {
  return absl::StrCat(
      "apiVersion: latchkey.dev/v1\nkind: ReleasePolicy\nmetadata: {name: ", name,
      "}\nspec:\n  guards: [", absl::StrJoin(guards, ", "),
      "]\n  rules:\n  - name: own-machines\n    effect: permit\n    source: hardware\n"
      "    conditions:\n    - expression: tee.type == \"snp\" && !tee.debug\n"
      "    - expression: snp.measurement == \"",
      HexEncode(AsBytes(Bytes(48, '\x4d'))), "\"\n    - expression: snp.reported_tcb.snp >= 20\n");
}

std::string ReleaseWorld::MaaPolicy(const std::string& name,
                                    const std::vector<std::string>& guards) {
  return absl::StrCat("apiVersion: latchkey.dev/v1\nkind: ReleasePolicy\nmetadata: {name: ", name,
                      "}\nspec:\n  guards: [", absl::StrJoin(guards, ", "),
                      "]\n  rules:\n  - name: azure\n    effect: permit\n    source: maa-test\n"
                      "    conditions:\n    - expression: tee.type == \"snp\" && !tee.debug\n"
                      "    - expression: azure.vm_id == \"5a1e0c1d-0000-4000-8000-1a7c4be70001\"\n"
                      "    - expression: snp.reported_tcb.snp >= 20\n");
}

ReleaseWorld::Asked ReleaseWorld::Ask(std::vector<protocol::RequestItem> items,
                                      dev::ReportFields fields) {
  Asked asked;
  asked.recipient = std::make_shared<crypto::HpkePrivateKey>(
      crypto::HpkePrivateKey::Generate(crypto::HpkeKem::kX25519, random));
  release::ReleaseRequest& request = asked.request;
  request.tenant = kTenant;
  request.challenge = releaser->IssueChallenge(kTenant).challenge;
  request.scheme = protocol::Scheme::kHpkeX25519;
  request.recipient_public_key = asked.recipient->public_key();
  request.items = std::move(items);
  asked.transcript = protocol::BindingTranscript(
      kDeployment, AsBytes(request.challenge), request.scheme,
      AsBytes(request.recipient_public_key), protocol::RequestDigest(kTenant, request.items));
  fields.report_data = ToBytes(protocol::ReportData(AsBytes(asked.transcript)));
  Bytes report = Tee().SignReport(fields);
  request.bytes_digest = crypto::Sha256({AsBytes(asked.transcript), AsBytes(report)});
  request.attestations.push_back(
      {attestation::EvidenceKind::kSnpReport, std::move(report), {ToBytes(Tee().vcek().der())}});
  return asked;
}

ReleaseWorld::Asked ReleaseWorld::AskWithToken(std::vector<protocol::RequestItem> items) {
  static const crypto::PrivateKey* const platform_key =
      new crypto::PrivateKey(crypto::PrivateKey::GenerateRsa(2048));
  Asked asked;
  release::ReleaseRequest& request = asked.request;
  request.tenant = kTenant;
  request.challenge = releaser->IssueChallenge(kTenant).challenge;
  request.scheme = protocol::Scheme::kRsaOaepSha256;
  request.recipient_public_key = platform_key->public_key().SpkiDer();
  request.items = std::move(items);
  const auto digest = protocol::RequestDigest(kTenant, request.items);
  asked.transcript =
      protocol::BindingTranscript(kDeployment, AsBytes(request.challenge), request.scheme,
                                  AsBytes(request.recipient_public_key), digest);
  const Bytes keyless = protocol::BindingTranscript(kDeployment, AsBytes(request.challenge),
                                                    request.scheme, {}, digest);
  dev::MaaTokenFields fields;
  fields.issued_at = clock.Now();
  fields.recipient_modulus = platform_key->public_key().RsaModulus();
  fields.nonce = Base64UrlEncode(protocol::BindingDigest(AsBytes(keyless)));
  std::string token = Maa().MintToken(fields);
  request.bytes_digest = crypto::Sha256({AsBytes(asked.transcript), AsBytes(token)});
  request.attestations.push_back({attestation::EvidenceKind::kToken, std::move(token), {}});
  return asked;
}

protocol::RequestItem ReleaseWorld::Unwrap(const std::string& key, Bytes wrapped,
                                           protocol::Context context) {
  return {{kTenant, key}, std::move(context), std::move(wrapped), 0};
}

protocol::RequestItem ReleaseWorld::Generate(const std::string& key, protocol::Context context) {
  return {{kTenant, key}, std::move(context), {}, 32};
}

storage::v1::KeptAnswer ReleaseWorld::Parse(const audit::DurableAnswer& answer) {
  storage::v1::KeptAnswer kept;
  LATCHKEY_CHECK(kept.ParseFromString(answer.payload()));
  return kept;
}

absl::StatusOr<SecretBytes> ReleaseWorld::OpenFirst(const Asked& asked,
                                                    const storage::v1::KeptAnswer& answer) {
  ASSIGN_OR_RETURN(const protocol::StatementLeaf leaf,
                   protocol::ParseStatementLeaf(AsBytes(answer.leaf())));
  ASSIGN_OR_RETURN(const std::unique_ptr<protocol::ItemOpener> opener,
                   protocol::MakeHpkeOpener(*asked.recipient, AsBytes(answer.encapsulation()),
                                            protocol::BindingDigest(AsBytes(asked.transcript))));
  return opener->Open(protocol::ItemAssociatedData(0, AsBytes(leaf.body_bytes)),
                      AsBytes(answer.items(0).sealed_dek()));
}

uint64_t ReleaseWorld::LogSize() { return Must(audit_log->Read(kTenant, 0, 1)).size; }

}  // namespace latchkey
