#include "crypto/rsa_spki.h"

#include "absl/status/statusor.h"
#include "base/byte_reader.h"
#include "base/status_macros.h"

namespace latchkey::crypto {
namespace {

constexpr char kSequence = 0x30;
constexpr char kInteger = 0x02;
constexpr char kBitString = 0x03;
// AlgorithmIdentifier: rsaEncryption, NULL.
constexpr std::string_view kRsaAlgorithm(
    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 15);

Bytes Tlv(char tag, const Bytes& content) {
  Bytes out(1, tag);
  if (content.size() < 0x80) {
    out.push_back(static_cast<char>(content.size()));
  } else if (content.size() < 0x100) {
    out.push_back(static_cast<char>(0x81));
    out.push_back(static_cast<char>(content.size()));
  } else {
    out.push_back(static_cast<char>(0x82));
    AppendU16(out, static_cast<uint16_t>(content.size()));
  }
  return out + content;
}

// An INTEGER is signed: a leading one bit gets a zero byte before it.
Bytes Integer(const Bytes& number) {
  const bool is_high = !number.empty() && (static_cast<uint8_t>(number[0]) & 0x80) != 0;
  return Tlv(kInteger, is_high ? Bytes(1, '\0') + number : number);
}

Bytes WithoutLeadingZero(ByteView number) {
  return ToBytes(!number.empty() && number[0] == 0 ? number.subspan(1) : number);
}

// Reads the fields where a modulus of 2048 bits or more puts them; what else the bytes say is for
// the caller to compare.
absl::StatusOr<RsaNumbers> ReadFields(ByteView der) {
  ByteReader reader(der, "RSA SubjectPublicKeyInfo");
  RETURN_IF_ERROR(reader.Skip(4 + kRsaAlgorithm.size()));  // SEQUENCE 82 xx xx, algorithm
  RETURN_IF_ERROR(reader.Skip(4 + 1 + 4));  // BIT STRING 82 xx xx, 00, SEQUENCE 82 xx xx
  RETURN_IF_ERROR(reader.Skip(2));          // INTEGER 82
  ASSIGN_OR_RETURN(const uint16_t modulus_size, reader.ReadU16());
  ASSIGN_OR_RETURN(const ByteView modulus, reader.Read(modulus_size));
  RETURN_IF_ERROR(reader.Skip(1));  // INTEGER
  ASSIGN_OR_RETURN(const uint8_t exponent_size, reader.ReadU8());
  ASSIGN_OR_RETURN(const ByteView exponent, reader.Read(exponent_size));
  RETURN_IF_ERROR(reader.ExpectEnd());
  return RsaNumbers{WithoutLeadingZero(modulus), WithoutLeadingZero(exponent)};
}

}  // namespace

Bytes EncodeRsaSpki(const RsaNumbers& numbers) {
  const Bytes key = Tlv(kSequence, Integer(numbers.modulus) + Integer(numbers.exponent));
  return Tlv(kSequence, Bytes(kRsaAlgorithm) + Tlv(kBitString, Bytes(1, '\0') + key));
}

std::optional<RsaNumbers> DecodeRsaSpki(ByteView der) {
  const auto numbers = ReadFields(der);
  // Written back, it must be the same bytes: so nothing was skipped that mattered.
  if (!numbers.ok() || AsText(der) != EncodeRsaSpki(*numbers)) return std::nullopt;
  return *numbers;
}

}  // namespace latchkey::crypto
