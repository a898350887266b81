#pragma once

// broker/custody is the one broker folder where key plaintext exists: roots, CMKs, DEKs. DEKs leave
// it only sealed.

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/random.h"
#include "base/secret_bytes.h"

namespace latchkey::custody {

// `Root` protects CMKs at rest. Thread-safe.
class Root {
 public:
  virtual ~Root() = default;
  // The configured name; stored with each key.
  virtual const std::string& name() const = 0;
  // Encrypts `material` for the store; the same `associated_data` opens it again.
  virtual absl::StatusOr<Bytes> Wrap(ByteView associated_data, const SecretBytes& material) = 0;
  // FailedPrecondition when `wrapped` does not authenticate with `associated_data`.
  virtual absl::StatusOr<SecretBytes> Unwrap(ByteView associated_data, ByteView wrapped) = 0;
  // A 32-byte key for `purpose`, the same for every broker of this root: challenge MAC, policy MAC,
  // wrapping key.
  virtual absl::StatusOr<SecretBytes> Derive(std::string_view purpose) = 0;
};

}  // namespace latchkey::custody
