#include "protocol/statement.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace latchkey::protocol {
namespace {

constexpr uint32_t kFormat = 1;
constexpr size_t kMaxLeafSize = 1 << 20;
constexpr size_t kDecisionIdSize = 16;
constexpr int kMaxItems = 256;

absl::Status Malformed(const std::string& fault) {
  return absl::InvalidArgumentError(absl::StrCat("statement: ", fault));
}

absl::Status EnsureSize(const std::string& what, const Bytes& bytes, size_t size) {
  if (bytes.size() == size) return absl::OkStatus();
  return Malformed(absl::StrCat(what, " has ", bytes.size(), " bytes, not ", size));
}

absl::Status EnsureDigest(const std::string& what, const Bytes& bytes) {
  return EnsureSize(what, bytes, sizeof(crypto::Sha256Digest));
}

absl::Status CheckBody(const v1::StatementBody& body) {
  if (body.format() != kFormat) {
    return Malformed(
        absl::StrCat("format ", body.format(), " is not known; this version reads ", kFormat));
  }
  RETURN_IF_ERROR(EnsureSize("decision id", body.decision_id(), kDecisionIdSize));
  RETURN_IF_ERROR(EnsureDigest("binding digest", body.binding_digest()));
  RETURN_IF_ERROR(EnsureDigest("recipient digest", body.recipient_digest()));
  RETURN_IF_ERROR(EnsureDigest("closure digest", body.closure_digest()));
  RETURN_IF_ERROR(EnsureDigest("details digest", body.details_digest()));
  for (const Bytes& digest : body.evidence_digests())
    RETURN_IF_ERROR(EnsureDigest("evidence digest", digest));
  if (body.items_size() < 1 || body.items_size() > kMaxItems) {
    return Malformed(absl::StrCat(body.items_size(), " items; 1 to ", kMaxItems, " are allowed"));
  }
  return absl::OkStatus();
}

absl::Status CheckItem(int index, const v1::StatementItem& item, const Bytes& sealed_digest) {
  const std::string name = absl::StrCat("item ", index, ": ");
  RETURN_IF_ERROR(EnsureDigest(name + "wrapped DEK digest", item.wrapped_dek_digest()));
  RETURN_IF_ERROR(EnsureDigest(name + "context digest", item.context_digest()));
  switch (item.outcome()) {
    case v1::OUTCOME_RELEASED:
      return EnsureDigest(name + "sealed digest", sealed_digest);
    case v1::OUTCOME_REFUSED:
      return EnsureSize(name + "sealed digest of a refused item", sealed_digest, 0);
    default:
      return Malformed(name + "neither released nor refused");
  }
}

}  // namespace

crypto::Sha256Digest ItemAssociatedData(uint32_t index, ByteView body) {
  Bytes number;
  AppendU32(number, index);
  return crypto::Sha256({AsBytes("latchkey/v1/item"), AsBytes(number), body});
}

Bytes MakeStatementLeaf(ByteView body, const std::vector<Bytes>& sealed_digests) {
  v1::Leaf leaf;
  v1::Statement& statement = *leaf.mutable_statement();
  statement.set_body(ToBytes(body));
  for (const Bytes& digest : sealed_digests) statement.add_sealed_digests(digest);
  return leaf.SerializeAsString();
}

absl::StatusOr<StatementLeaf> ParseStatementLeaf(ByteView leaf) {
  if (leaf.size() > kMaxLeafSize) {
    return Malformed(
        absl::StrCat("leaf of ", leaf.size(), " bytes; at most ", kMaxLeafSize, " are read"));
  }
  v1::Leaf message;
  if (!message.ParseFromArray(leaf.data(), static_cast<int>(leaf.size()))) {
    return Malformed("the leaf is not a latchkey.v1.Leaf");
  }
  if (!message.has_statement()) return Malformed("the leaf is of another kind");
  StatementLeaf parsed;
  parsed.body_bytes = message.statement().body();
  parsed.sealed_digests.assign(message.statement().sealed_digests().begin(),
                               message.statement().sealed_digests().end());
  // One leaf, one reading: no repeated or unknown field that another parser might take otherwise.
  if (AsText(leaf) != MakeStatementLeaf(AsBytes(parsed.body_bytes), parsed.sealed_digests)) {
    return Malformed("the leaf is not in its one canonical encoding");
  }
  if (!parsed.body.ParseFromString(parsed.body_bytes)) {
    return Malformed("the body is not a latchkey.v1.StatementBody");
  }
  RETURN_IF_ERROR(CheckBody(parsed.body));
  if (parsed.sealed_digests.size() != static_cast<size_t>(parsed.body.items_size())) {
    return Malformed(absl::StrCat(parsed.sealed_digests.size(), " sealed digests for ",
                                  parsed.body.items_size(), " items"));
  }
  for (int i = 0; i < parsed.body.items_size(); ++i) {
    RETURN_IF_ERROR(CheckItem(i, parsed.body.items(i), parsed.sealed_digests[i]));
  }
  return parsed;
}

crypto::Sha256Digest GenesisDigest(ByteView leaf) { return crypto::Sha256(leaf); }

}  // namespace latchkey::protocol
