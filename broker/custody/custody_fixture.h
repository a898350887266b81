#pragma once

// What the tests of this folder share: a keyring over a store in memory, and a recipient who opens
// what it seals.

#include <functional>
#include <memory>
#include <string>

#include "base/status_macros.h"
#include "broker/custody/keyring.h"
#include "broker/custody/software_root.h"
#include "broker/store/memory_store.h"
#include "gtest/gtest.h"
#include "tests/support/matchers.h"
#include "tests/support/seeded_random.h"

namespace latchkey::custody {

// Mints grants as the releaser does.
class ReleaseGrantForTest {
 public:
  static ReleaseGrant For(protocol::KeyName key) { return ReleaseGrant(std::move(key)); }
};

class CustodyTest : public ::testing::Test {
 protected:
  const absl::Time now_ = absl::FromUnixSeconds(1767225600);
  const protocol::KeyName db_{"default", "db"};
  const protocol::KeyName other_{"default", "other"};
  const protocol::Context context_{{"app", "pay"}, {"environment", "prod"}};

  SeededRandom random_;
  std::unique_ptr<Root> root_ = MakeSoftwareRoot("test", RootKey(), random_);
  std::unique_ptr<Keyring> keyring_ = MakeKeyring(*root_, random_).value();
  std::unique_ptr<store::Store> store_ = store::NewMemoryStore();

  static SecretBytes RootKey() { return SecretBytes::CopyOf(AsBytes(std::string(32, 'r'))); }

  template <typename T>
  absl::StatusOr<T> Write(const std::function<absl::StatusOr<T>(store::Transaction&)>& body) {
    absl::StatusOr<T> result = absl::UnknownError("did not run");
    const absl::Status status = store_->Transact(now_, [&](store::Transaction& transaction) {
      result = body(transaction);
      return result.status();
    });
    if (!status.ok()) return status;
    return result;
  }

  absl::StatusOr<KeyInfo> Create(const protocol::KeyName& name, const Charter& charter = {"prod"},
                                 const std::map<std::string, std::string>& labels = {}) {
    return Write<KeyInfo>([&](store::Transaction& transaction) {
      return keyring_->CreateKey(transaction, name, charter, labels, now_);
    });
  }
  absl::StatusOr<KeyInfo> Rotate(const protocol::KeyName& name) {
    return Write<KeyInfo>([&](store::Transaction& transaction) {
      return keyring_->RotateKey(transaction, name, now_);
    });
  }
  absl::StatusOr<KeyInfo> SetState(const protocol::KeyName& name, uint32_t version,
                                   VersionState state) {
    return Write<KeyInfo>([&](store::Transaction& transaction) {
      return keyring_->SetVersionState(transaction, name, version, state);
    });
  }

  absl::StatusOr<std::shared_ptr<const Key>> Open(const protocol::KeyName& name) {
    absl::StatusOr<std::shared_ptr<const Key>> key = absl::UnknownError("did not run");
    const absl::Status status = store_->Read(now_, [&](store::ReadTransaction& transaction) {
      key = keyring_->Open(transaction, name);
      return key.status();
    });
    if (!status.ok()) return status;
    return key;
  }
  absl::StatusOr<WrappedDek> Wrap(const protocol::KeyName& name) { return Wrap(name, context_); }
  absl::StatusOr<WrappedDek> Wrap(const protocol::KeyName& name, const protocol::Context& context) {
    ASSIGN_OR_RETURN(const auto key, Open(name));
    return keyring_->GenerateWrapped(*key, context, 32);
  }

  // Unwraps and seals to the recipient; returns what the recipient opens.
  absl::StatusOr<Bytes> Release(const protocol::KeyName& name, const Bytes& blob) {
    return Release(name, blob, context_);
  }
  absl::StatusOr<Bytes> Release(const protocol::KeyName& name, const Bytes& blob,
                                const protocol::Context& context) {
    ASSIGN_OR_RETURN(const auto key, Open(name));
    ASSIGN_OR_RETURN(UnwrappedDek unwrapped, keyring_->Unwrap(ReleaseGrantForTest::For(name), *key,
                                                              AsBytes(blob), context));
    return SealAndOpen(std::move(unwrapped.dek));
  }
  Bytes SealAndOpen(HeldDek dek) {
    const auto recipient = crypto::HpkePrivateKey::Generate(crypto::HpkeKem::kX25519, random_);
    const crypto::Sha256Digest binding{};
    auto sealer = protocol::MakeItemSealer(protocol::Scheme::kHpkeX25519,
                                           AsBytes(recipient.public_key()), binding, random_)
                      .value();
    const Bytes sealed = Keyring::Seal(std::move(dek), *sealer, AsBytes("record"));
    auto opener =
        protocol::MakeHpkeOpener(recipient, AsBytes(sealer->encapsulation()), binding).value();
    return ToBytes(opener->Open(AsBytes("record"), AsBytes(sealed)).value().view());
  }
};

}  // namespace latchkey::custody
