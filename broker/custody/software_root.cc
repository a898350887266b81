#include "broker/custody/software_root.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/secret_file.h"
#include "base/status_macros.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"

namespace latchkey::custody {
namespace {

constexpr size_t kKeySize = 32;
constexpr size_t kFileSize = 2 * kKeySize + 1;  // 64 hex digits and a newline
constexpr std::string_view kHexDigits = "0123456789abcdef";

SecretBytes SubKey(const SecretBytes& key, std::string_view label) {
  return crypto::Hkdf(crypto::Hash::kSha256, AsBytes("latchkey/v1/software-root"), key.view(),
                      AsBytes(label), kKeySize);
}

class SoftwareRoot final : public Root {
 public:
  SoftwareRoot(std::string name, const SecretBytes& key, Random& random)
      : name_(std::move(name)),
        wrapping_(SubKey(key, "wrap")),
        deriving_(SubKey(key, "derive")),
        random_(random) {}

  const std::string& name() const override { return name_; }

  // nonce || ciphertext || tag. Random nonces are safe for 2^32 wraps under one key (NIST SP
  // 800-38D, 8.3), far more than there will be key versions.
  absl::StatusOr<Bytes> Wrap(ByteView associated_data, const SecretBytes& material) override {
    const Bytes nonce = RandomBytes(random_, crypto::kAeadNonceSize);
    return nonce +
           crypto::AeadSeal(wrapping_.view(), AsBytes(nonce), associated_data, material.view());
  }

  absl::StatusOr<SecretBytes> Unwrap(ByteView associated_data, ByteView wrapped) override {
    if (wrapped.size() < crypto::kAeadNonceSize + crypto::kAeadTagSize) return Denied();
    auto material = crypto::AeadOpen(wrapping_.view(), wrapped.first(crypto::kAeadNonceSize),
                                     associated_data, wrapped.subspan(crypto::kAeadNonceSize));
    if (!material.ok()) return Denied();
    return material;
  }

  absl::StatusOr<SecretBytes> Derive(std::string_view purpose) override {
    return crypto::HkdfExpand(crypto::Hash::kSha256, deriving_.view(), AsBytes(purpose), kKeySize);
  }

 private:
  absl::Status Denied() const {
    return absl::FailedPreconditionError(absl::StrCat(
        "root ", name_, ": does not authenticate; wrapped by another root, or changed"));
  }

  const std::string name_;
  const SecretBytes wrapping_;
  const SecretBytes deriving_;
  Random& random_;
};

// Either case; -1 for what is no hex digit.
int HexValue(uint8_t digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const uint8_t lower = digit | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Decodes without a copy outside locked memory.
absl::StatusOr<SecretBytes> ParseKeyFile(const std::string& path, const SecretBytes& content) {
  const absl::Status fault = absl::FailedPreconditionError(absl::StrCat(
      path, ": not a root key (64 hex digits and a newline); restore it from your backup"));
  if (content.size() != kFileSize || content.view()[kFileSize - 1] != '\n') return fault;
  SecretBytes key(kKeySize);
  for (size_t i = 0; i < kKeySize; ++i) {
    const int high = HexValue(content.view()[2 * i]);
    const int low = HexValue(content.view()[2 * i + 1]);
    if (high < 0 || low < 0) return fault;
    key.mutable_view()[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return key;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Root>> OpenSoftwareRoot(std::string name, const std::string& path,
                                                       Random& random) {
  ASSIGN_OR_RETURN(const SecretBytes content, ReadSecretFile(path));
  ASSIGN_OR_RETURN(SecretBytes key, ParseKeyFile(path, content));
  return MakeSoftwareRoot(std::move(name), std::move(key), random);
}

std::unique_ptr<Root> MakeSoftwareRoot(std::string name, SecretBytes key, Random& random) {
  LATCHKEY_CHECK(key.size() == kKeySize);
  return std::make_unique<SoftwareRoot>(std::move(name), key, random);
}

absl::Status CreateSoftwareRootFile(const std::string& path, Random& random) {
  SecretBytes key(kKeySize);
  random.Fill(key.mutable_view());
  SecretBytes content(kFileSize);
  for (size_t i = 0; i < kKeySize; ++i) {
    content.mutable_view()[2 * i] = kHexDigits[key.view()[i] >> 4];
    content.mutable_view()[2 * i + 1] = kHexDigits[key.view()[i] & 15];
  }
  content.mutable_view()[kFileSize - 1] = '\n';
  return WriteSecretFile(path, content.view());
}

}  // namespace latchkey::custody
