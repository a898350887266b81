#pragma once

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/random.h"
#include "base/secret_bytes.h"
#include "protocol/names.h"

namespace latchkey::custody {

inline constexpr size_t kMaxWrappedDekSize = 8 << 10;

// A DEK has 16, 24, 32 or 64 bytes; InvalidArgument otherwise.
absl::Status CheckDekSize(size_t size_bytes);

enum class DekOrigin : uint8_t { kBroker = 1, kWrapper = 2 };

// `WrappedDekHeader` is what a wrapped DEK says of itself (docs/formats/wrapped_dek.md).
struct WrappedDekHeader {
  protocol::KeyName key;
  uint32_t version = 0;
  DekOrigin origin = DekOrigin::kBroker;
  Bytes context;  // encoded
};

// `ParsedWrappedDek` is a blob within bounds; nothing of it is authenticated. It borrows the bytes
// it was parsed from.
struct ParsedWrappedDek {
  WrappedDekHeader header;
  ByteView salt;
  ByteView nonce;
  ByteView commitment;
  ByteView sealed;
};
// WRAPPED_DEK_MALFORMED otherwise.
absl::StatusOr<ParsedWrappedDek> ParseWrappedDekUnverified(ByteView blob);

// `WrapDek` seals `dek` under `cmk`, the material of header.version. InvalidArgument when the blob
// would be larger than kMaxWrappedDekSize.
absl::StatusOr<Bytes> WrapDek(const WrappedDekHeader& header, const SecretBytes& cmk,
                              const SecretBytes& dek, Random& random);

// `OpenWrappedDek` checks the commitment, then opens. WRAPPED_DEK_DENIED otherwise, without saying
// which.
absl::StatusOr<SecretBytes> OpenWrappedDek(const ParsedWrappedDek& parsed, const SecretBytes& cmk);

}  // namespace latchkey::custody
