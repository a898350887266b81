#include "broker/custody/wrapped_dek.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/byte_reader.h"
#include "base/reason.h"
#include "base/status_macros.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/kdf.h"

namespace latchkey::custody {
namespace {

constexpr std::string_view kMagic("LKW\x01", 4);  // the last byte is the format
constexpr std::string_view kLabel = "latchkey/v1/wrapped-dek";
constexpr size_t kSaltSize = 32;
constexpr size_t kCommitmentSize = 32;
constexpr size_t kMaxNameSize = 63;

Bytes EncodeHeader(const WrappedDekHeader& header) {
  Bytes out(kMagic);
  AppendLp(out, header.key.tenant);
  AppendLp(out, header.key.key);
  AppendU32(out, header.version);
  out.push_back(static_cast<char>(header.origin));
  AppendLp(out, header.context);
  return out;
}

// The sub-key and the commitment of one wrap.
struct DerivedKeys {
  SecretBytes both;
  ByteView sub_key() const { return both.view().first(crypto::kAeadKeySize); }
  ByteView commitment() const { return both.view().subspan(crypto::kAeadKeySize); }
};

DerivedKeys Derive(const SecretBytes& cmk, ByteView salt, const Bytes& header) {
  Bytes info(kLabel);
  info += AsText(salt);
  info += AsText(crypto::Sha256(AsBytes(header)));
  return {crypto::HkdfExpand(crypto::Hash::kSha256, cmk.view(), AsBytes(info),
                             crypto::kAeadKeySize + kCommitmentSize)};
}

// Everything before the ciphertext.
Bytes AssociatedData(const Bytes& header, ByteView salt, ByteView nonce, ByteView commitment) {
  Bytes out = header;
  for (const ByteView part : {salt, nonce, commitment}) out += AsText(part);
  return out;
}

absl::StatusOr<ParsedWrappedDek> Parse(ByteView blob) {
  if (blob.size() > kMaxWrappedDekSize) {
    return absl::InvalidArgumentError(
        absl::StrCat(blob.size(), " bytes; at most ", kMaxWrappedDekSize));
  }
  ByteReader reader(blob, "wrapped DEK");
  ASSIGN_OR_RETURN(const ByteView magic, reader.Read(kMagic.size()));
  if (AsText(magic) != kMagic) {
    return absl::InvalidArgumentError("does not begin as format 1 does");
  }
  ParsedWrappedDek parsed;
  ASSIGN_OR_RETURN(const ByteView tenant, reader.ReadLp(kMaxNameSize));
  ASSIGN_OR_RETURN(const ByteView key, reader.ReadLp(kMaxNameSize));
  parsed.header.key = {std::string(AsText(tenant)), std::string(AsText(key))};
  RETURN_IF_ERROR(protocol::CheckName("tenant", parsed.header.key.tenant));
  RETURN_IF_ERROR(protocol::CheckName("key", parsed.header.key.key));
  ASSIGN_OR_RETURN(parsed.header.version, reader.ReadU32());
  ASSIGN_OR_RETURN(const uint8_t origin, reader.ReadU8());
  parsed.header.origin = static_cast<DekOrigin>(origin);
  if (parsed.header.origin != DekOrigin::kBroker && parsed.header.origin != DekOrigin::kWrapper) {
    return absl::InvalidArgumentError(absl::StrCat("origin ", int{origin}, "; 1 and 2 are known"));
  }
  ASSIGN_OR_RETURN(const ByteView context, reader.ReadLp(kMaxWrappedDekSize));
  parsed.header.context = ToBytes(context);
  ASSIGN_OR_RETURN(parsed.salt, reader.Read(kSaltSize));
  ASSIGN_OR_RETURN(parsed.nonce, reader.Read(crypto::kAeadNonceSize));
  ASSIGN_OR_RETURN(parsed.commitment, reader.Read(kCommitmentSize));
  ASSIGN_OR_RETURN(parsed.sealed, reader.Read(reader.left()));
  if (parsed.sealed.size() < crypto::kAeadTagSize) {
    return absl::InvalidArgumentError("ends before its tag");
  }
  RETURN_IF_ERROR(CheckDekSize(parsed.sealed.size() - crypto::kAeadTagSize));
  return parsed;
}

}  // namespace

absl::Status CheckDekSize(size_t size_bytes) {
  if (size_bytes == 16 || size_bytes == 24 || size_bytes == 32 || size_bytes == 64) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("DEK of ", size_bytes, " bytes; a DEK has 16, 24, 32 or 64"));
}

absl::StatusOr<ParsedWrappedDek> ParseWrappedDekUnverified(ByteView blob) {
  auto parsed = Parse(blob);
  if (parsed.ok()) return parsed;
  return Refuse(absl::StatusCode::kInvalidArgument, "WRAPPED_DEK_MALFORMED",
                absl::StrCat("wrapped DEK: ", parsed.status().message(),
                             "; send the bytes as this service returned them"));
}

absl::StatusOr<Bytes> WrapDek(const WrappedDekHeader& header, const SecretBytes& cmk,
                              const SecretBytes& dek, Random& random) {
  RETURN_IF_ERROR(CheckDekSize(dek.size()));
  const Bytes encoded = EncodeHeader(header);
  const Bytes salt = RandomBytes(random, kSaltSize);
  const Bytes nonce = RandomBytes(random, crypto::kAeadNonceSize);
  const DerivedKeys keys = Derive(cmk, AsBytes(salt), encoded);
  Bytes blob = AssociatedData(encoded, AsBytes(salt), AsBytes(nonce), keys.commitment());
  blob += crypto::AeadSeal(keys.sub_key(), AsBytes(nonce), AsBytes(blob), dek.view());
  if (blob.size() > kMaxWrappedDekSize) {
    return absl::InvalidArgumentError(absl::StrCat("context of ", header.context.size(),
                                                   " bytes encoded makes a wrapped DEK of ",
                                                   blob.size(), "; at most ", kMaxWrappedDekSize));
  }
  return blob;
}

absl::StatusOr<SecretBytes> OpenWrappedDek(const ParsedWrappedDek& parsed, const SecretBytes& cmk) {
  const absl::Status denied =
      Refuse(absl::StatusCode::kUnauthenticated, "WRAPPED_DEK_DENIED",
             absl::StrCat("wrapped DEK of ", parsed.header.key.Version(parsed.header.version),
                          ": does not authenticate; it was changed or damaged"));
  const Bytes encoded = EncodeHeader(parsed.header);
  const DerivedKeys keys = Derive(cmk, parsed.salt, encoded);
  if (!ConstantTimeEquals(keys.commitment(), parsed.commitment)) return denied;
  const Bytes associated_data =
      AssociatedData(encoded, parsed.salt, parsed.nonce, parsed.commitment);
  auto dek =
      crypto::AeadOpen(keys.sub_key(), parsed.nonce, AsBytes(associated_data), parsed.sealed);
  if (!dek.ok()) return denied;
  return dek;
}

}  // namespace latchkey::custody
