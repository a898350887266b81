#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "protocol/names.h"

namespace latchkey::protocol {

// Recipient schemes, numbered as on the wire (latchkey.v1.RecipientScheme).
enum class Scheme : uint16_t { kHpkeX25519 = 1, kHpkeP256 = 2, kHpkeP384 = 3, kRsaOaepSha256 = 4 };
// nullopt for a number that is no scheme.
std::optional<Scheme> SchemeFromNumber(int number);

// One item as the request digest sees it.
struct RequestItem {
  KeyName key;
  Context context;
  Bytes wrapped_dek;                 // empty for generate
  uint32_t generate_size_bytes = 0;  // 0 for unwrap
};

// `RequestDigest` covers the items as sent (docs/formats/request_digest.md):
// SHA-256("latchkey/v1/request" || lp(tenant) || u32(n) || n * (lp(full key name) || lp(encoded
// context) || lp(wrapped) || u32(size))).
crypto::Sha256Digest RequestDigest(std::string_view tenant, const std::vector<RequestItem>& items);

// `BindingTranscript` is T (docs/formats/binding.md):
// "latchkey/v1/binding" || lp(deployment id) || lp(challenge) || u16(scheme) || lp(recipient public
// key) || lp(request digest).
Bytes BindingTranscript(std::string_view deployment_id, ByteView challenge, Scheme scheme,
                        ByteView recipient_public_key, const crypto::Sha256Digest& request_digest);

// SHA-512(T), the report data; SHA-256(T), the nonce, HPKE info and statement's binding digest.
crypto::Sha512Digest ReportData(ByteView transcript);
crypto::Sha256Digest BindingDigest(ByteView transcript);

// SHA-256(u16(scheme) || public key): the statement's recipient digest.
crypto::Sha256Digest RecipientDigest(Scheme scheme, ByteView recipient_public_key);

// Salt of a release's context digests, which caller and broker know and the log does not:
// SHA-256("latchkey/v1/context-salt" || T).
crypto::Sha256Digest ContextSalt(ByteView transcript);
// SHA-256("latchkey/v1/context" || salt || encoded context).
crypto::Sha256Digest ContextDigest(const crypto::Sha256Digest& salt, const Context& context);

}  // namespace latchkey::protocol
