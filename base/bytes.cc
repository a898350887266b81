#include "base/bytes.h"

#include <array>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace latchkey {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using DecodeTable = std::array<int8_t, 256>;

constexpr DecodeTable MakeTable(std::string_view alphabet) {
  DecodeTable table{};
  for (auto& entry : table) entry = -1;
  for (size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<uint8_t>(alphabet[i])] = static_cast<int8_t>(i);
  }
  return table;
}

constexpr DecodeTable MakeHexTable() {
  DecodeTable table = MakeTable(kHexDigits);
  for (int i = 0; i < 6; ++i) table['A' + i] = static_cast<int8_t>(10 + i);
  return table;
}

constexpr DecodeTable kHexTable = MakeHexTable();
constexpr DecodeTable kBase64Table = MakeTable(kBase64);
constexpr DecodeTable kBase64UrlTable = MakeTable(kBase64Url);

// Encodes without padding.
std::string Encode(ByteView bytes, std::string_view alphabet) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  uint32_t buffer = 0;
  int bits = 0;
  for (const uint8_t byte : bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out.push_back(alphabet[(buffer >> bits) & 0x3f]);
    }
  }
  if (bits > 0) out.push_back(alphabet[(buffer << (6 - bits)) & 0x3f]);
  return out;
}

// Decodes text without padding. Unused bits that are not zero would let one value have several
// spellings (RFC 4648, 3.5), so they are refused.
absl::StatusOr<Bytes> Decode(std::string_view text, const DecodeTable& table, const char* name) {
  if (text.size() % 4 == 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": ", text.size(), " characters cannot end at a byte boundary"));
  }
  Bytes out;
  out.reserve(text.size() / 4 * 3 + 2);
  uint32_t buffer = 0;
  int bits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const int8_t value = table[static_cast<uint8_t>(text[i])];
    if (value < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": character at offset ", i, " is not in the alphabet"));
    }
    buffer = (buffer << 6) | static_cast<uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>((buffer >> bits) & 0xff));
    }
  }
  if ((buffer & ((1u << bits) - 1)) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": unused bits at the end are not zero"));
  }
  return out;
}

void AppendBigEndian(Bytes& out, uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

}  // namespace

std::string HexEncode(ByteView bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const uint8_t byte : bytes) {
    out.push_back(kHexDigits[byte >> 4]);
    out.push_back(kHexDigits[byte & 0xf]);
  }
  return out;
}

absl::StatusOr<Bytes> HexDecode(std::string_view hex) {
  if (hex.size() % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("hex: ", hex.size(), " digits, an even number is required"));
  }
  Bytes out;
  out.reserve(hex.size() / 2);
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int8_t high = kHexTable[static_cast<uint8_t>(hex[i])];
    const int8_t low = kHexTable[static_cast<uint8_t>(hex[i + 1])];
    if (high < 0 || low < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("hex: no hex digit at offset ", high < 0 ? i : i + 1));
    }
    out.push_back(static_cast<char>(high << 4 | low));
  }
  return out;
}

std::string Base64UrlEncode(ByteView bytes) { return Encode(bytes, kBase64Url); }

absl::StatusOr<Bytes> Base64UrlDecode(std::string_view text) {
  return Decode(text, kBase64UrlTable, "base64url");
}

std::string Base64Encode(ByteView bytes) {
  std::string out = Encode(bytes, kBase64);
  while (out.size() % 4 != 0) out.push_back('=');
  return out;
}

absl::StatusOr<Bytes> Base64Decode(std::string_view text) {
  if (text.size() % 4 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("base64: ", text.size(), " characters, a multiple of 4 is required"));
  }
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  return Decode(text, kBase64Table, "base64");
}

void AppendU16(Bytes& out, uint16_t value) { AppendBigEndian(out, value, 2); }
void AppendU32(Bytes& out, uint32_t value) { AppendBigEndian(out, value, 4); }
void AppendU64(Bytes& out, uint64_t value) { AppendBigEndian(out, value, 8); }

void AppendLp(Bytes& out, ByteView bytes) {
  AppendU32(out, static_cast<uint32_t>(bytes.size()));
  out.append(AsText(bytes));
}

bool ConstantTimeEquals(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  // `volatile` keeps the compiler from leaving the loop early.
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference = difference | (a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace latchkey
