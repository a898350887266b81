#include "client/attesters/token_file.h"

#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/secret_file.h"
#include "base/status_macros.h"
#include "crypto/signature.h"

namespace latchkey::client {
namespace {

constexpr size_t kMaxTokenBytes = 64 << 10;

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat("token file ", path, ": cannot be opened"));
  }
  std::string text(kMaxTokenBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(file.gcount());
  if (text.size() > kMaxTokenBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("token file ", path, ": larger than ", kMaxTokenBytes, " bytes"));
  }
  absl::StripAsciiWhitespace(&text);
  if (text.empty()) return absl::InvalidArgumentError(absl::StrCat("token file ", path, ": empty"));
  return text;
}

class TokenFileAttester final : public Attester {
 public:
  TokenFileAttester(std::string token_path, PlatformRecipient recipient)
      : token_path_(std::move(token_path)), recipient_(std::move(recipient)) {}

  absl::StatusOr<AttesterOutput> Attest(const AttestationRequest&) override {
    v1::Attestation attestation;
    ASSIGN_OR_RETURN(*attestation.mutable_token(), ReadToken(token_path_));
    return AttesterOutput{.attestations = {std::move(attestation)}, .recipient = recipient_};
  }

 private:
  const std::string token_path_;
  const PlatformRecipient recipient_;
};

}  // namespace

absl::StatusOr<PlatformRecipient> ReadRecipientKey(const std::string& path) {
  ASSIGN_OR_RETURN(const SecretBytes pem, ReadSecretFile(path));
  ASSIGN_OR_RETURN(const crypto::PrivateKey key, crypto::PrivateKey::FromPem(AsText(pem.view())));
  if (key.public_key().kind() != crypto::KeyKind::kRsa) {
    return absl::InvalidArgumentError(
        absl::StrCat("recipient key ", path, ": not an RSA key, which vTPM recipients are"));
  }
  return PlatformRecipient{.spki_der = key.public_key().SpkiDer(),
                           .decrypt = [key](ByteView ciphertext) {
                             return crypto::RsaOaepSha256Decrypt(key, ciphertext);
                           }};
}

absl::StatusOr<std::unique_ptr<Attester>> MakeTokenFileAttester(
    std::string token_path, const std::string& recipient_key_path) {
  ASSIGN_OR_RETURN(PlatformRecipient recipient, ReadRecipientKey(recipient_key_path));
  return std::make_unique<TokenFileAttester>(std::move(token_path), std::move(recipient));
}

}  // namespace latchkey::client
