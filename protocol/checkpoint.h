#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "crypto/signature.h"
#include "protocol/merkle.h"

namespace latchkey::protocol {

// `Checkpoint` is a tree head (C2SP tlog-checkpoint). The origin is `LogOrigin`.
struct Checkpoint {
  std::string origin;
  uint64_t size = 0;
  Hash root;
};

// "latchkey.dev/log/<deployment id>/<tenant>".
std::string LogOrigin(std::string_view deployment_id, std::string_view tenant);

// `SignCheckpoint` returns the signed note (C2SP signed-note, Ed25519); the key's name is the
// origin.
std::string SignCheckpoint(const Checkpoint& checkpoint, const crypto::PrivateKey& key);

// `VerifyCheckpoint` parses `note`, demands `origin`, and a valid signature by `key`; further
// signatures (witnesses) are ignored. InvalidArgument when malformed, Unauthenticated otherwise.
absl::StatusOr<Checkpoint> VerifyCheckpoint(std::string_view note, std::string_view origin,
                                            const crypto::PublicKey& key);

}  // namespace latchkey::protocol
