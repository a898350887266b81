#include "protocol/binding.h"

namespace latchkey::protocol {

std::optional<Scheme> SchemeFromNumber(int number) {
  switch (number) {
    case 1:
      return Scheme::kHpkeX25519;
    case 2:
      return Scheme::kHpkeP256;
    case 3:
      return Scheme::kHpkeP384;
    case 4:
      return Scheme::kRsaOaepSha256;
    default:
      return std::nullopt;
  }
}

crypto::Sha256Digest RequestDigest(std::string_view tenant, const std::vector<RequestItem>& items) {
  Bytes message = "latchkey/v1/request";
  AppendLp(message, tenant);
  AppendU32(message, static_cast<uint32_t>(items.size()));
  for (const RequestItem& item : items) {
    AppendLp(message, item.key.Full());
    AppendLp(message, EncodeContext(item.context));
    AppendLp(message, item.wrapped_dek);
    AppendU32(message, item.generate_size_bytes);
  }
  return crypto::Sha256(AsBytes(message));
}

Bytes BindingTranscript(std::string_view deployment_id, ByteView challenge, Scheme scheme,
                        ByteView recipient_public_key, const crypto::Sha256Digest& request_digest) {
  Bytes transcript = "latchkey/v1/binding";
  AppendLp(transcript, deployment_id);
  AppendLp(transcript, challenge);
  AppendU16(transcript, static_cast<uint16_t>(scheme));
  AppendLp(transcript, recipient_public_key);
  AppendLp(transcript, request_digest);
  return transcript;
}

crypto::Sha512Digest ReportData(ByteView transcript) { return crypto::Sha512(transcript); }

crypto::Sha256Digest BindingDigest(ByteView transcript) { return crypto::Sha256(transcript); }

crypto::Sha256Digest RecipientDigest(Scheme scheme, ByteView recipient_public_key) {
  Bytes number;
  AppendU16(number, static_cast<uint16_t>(scheme));
  return crypto::Sha256({AsBytes(number), recipient_public_key});
}

crypto::Sha256Digest ContextSalt(ByteView transcript) {
  return crypto::Sha256({AsBytes("latchkey/v1/context-salt"), transcript});
}

crypto::Sha256Digest ContextDigest(const crypto::Sha256Digest& salt, const Context& context) {
  return crypto::Sha256({AsBytes("latchkey/v1/context"), salt, AsBytes(EncodeContext(context))});
}

}  // namespace latchkey::protocol
