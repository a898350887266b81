#include "protocol/names.h"

#include <algorithm>
#include <array>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace latchkey::protocol {
namespace {

constexpr size_t kMaxNameSize = 63;
constexpr size_t kMaxContextPairs = 32;
constexpr size_t kMaxContextNameSize = 128;
constexpr size_t kMaxContextValueSize = 1024;

// What a caller sent, made safe and short enough to stand in a message and a log line.
std::string Quoted(std::string_view text) {
  constexpr size_t kShown = 80;
  const std::string shown = absl::CHexEscape(std::string(text.substr(0, kShown)));
  return absl::StrCat("\"", shown, text.size() > kShown ? "...\"" : "\"");
}

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

// Decodes the code point that `text` starts with and removes it; -1 when it is not UTF-8 (RFC 3629:
// shortest form, no surrogates, at most U+10FFFF).
int32_t TakeCodePoint(std::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  const int size = lead < 0x80   ? 1
                   : lead < 0xc2 ? 0
                   : lead < 0xe0 ? 2
                   : lead < 0xf0 ? 3
                   : lead < 0xf5 ? 4
                                 : 0;
  if (size == 0 || text.size() < static_cast<size_t>(size)) return -1;
  int32_t point = size == 1 ? lead : lead & (0x7f >> size);
  for (int i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return -1;
    point = point << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<int32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return -1;
  text.remove_prefix(size);
  return point;
}

// UTF-8 without C0 and C1 control characters and DEL: a context is shown in tables and logs.
absl::Status CheckText(const std::string& what, std::string_view text) {
  while (!text.empty()) {
    const int32_t point = TakeCodePoint(text);
    if (point < 0) return absl::InvalidArgumentError(absl::StrCat(what, " is not UTF-8"));
    if (point < 0x20 || (point >= 0x7f && point <= 0x9f)) {
      return absl::InvalidArgumentError(absl::StrCat(what, " has a control character; remove it"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckName(std::string_view what, std::string_view name) {
  if (!name.empty() && name.size() <= kMaxNameSize &&
      std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    return absl::OkStatus();
  }
  const std::string fault = name.empty() ? "is empty"
                            : name.size() > kMaxNameSize
                                ? absl::StrCat("has ", name.size(), " characters")
                                : "has other characters";
  return absl::InvalidArgumentError(absl::StrCat(std::string(what), " name ", Quoted(name), " ",
                                                 fault,
                                                 "; use 1 to 63 lower-case letters, digits and -"));
}

std::string KeyName::Full() const { return absl::StrCat("tenants/", tenant, "/keys/", key); }

std::string KeyName::Version(uint32_t version) const {
  return absl::StrCat(Full(), "/versions/", version);
}

absl::StatusOr<KeyName> ParseKeyName(std::string_view text, std::string_view default_tenant) {
  constexpr std::string_view kTenants = "tenants/";
  constexpr std::string_view kKeys = "/keys/";
  KeyName name;
  if (text.find('/') == std::string_view::npos) {
    name = {std::string(default_tenant), std::string(text)};
  } else {
    const size_t keys = text.find(kKeys, kTenants.size());
    if (!text.starts_with(kTenants) || keys == std::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          "key name ", Quoted(text), " is neither tenants/{tenant}/keys/{key} nor {key}"));
    }
    name.tenant = text.substr(kTenants.size(), keys - kTenants.size());
    name.key = text.substr(keys + kKeys.size());
  }
  RETURN_IF_ERROR(CheckName("tenant", name.tenant));
  RETURN_IF_ERROR(CheckName("key", name.key));
  return name;
}

absl::Status CheckContext(const Context& context) {
  if (context.size() > kMaxContextPairs) {
    return absl::InvalidArgumentError(absl::StrCat(
        "context has ", context.size(), " pairs; at most ", kMaxContextPairs, " are allowed"));
  }
  for (const auto& [name, value] : context) {
    if (name.empty() || name.size() > kMaxContextNameSize) {
      return absl::InvalidArgumentError(absl::StrCat("context name ", Quoted(name), " has ",
                                                     name.size(), " bytes; 1 to ",
                                                     kMaxContextNameSize, " are allowed"));
    }
    RETURN_IF_ERROR(CheckText(absl::StrCat("context name ", Quoted(name)), name));
    if (value.size() > kMaxContextValueSize) {
      return absl::InvalidArgumentError(absl::StrCat("context value of ", Quoted(name), " has ",
                                                     value.size(), " bytes; at most ",
                                                     kMaxContextValueSize, " are allowed"));
    }
    RETURN_IF_ERROR(CheckText(absl::StrCat("context value of ", Quoted(name)), value));
  }
  return absl::OkStatus();
}

Bytes EncodeContext(const Context& context) {
  // std::map orders std::string by unsigned bytes (char_traits<char>::lt), which is the order of
  // the format.
  Bytes out;
  AppendU32(out, static_cast<uint32_t>(context.size()));
  for (const auto& [name, value] : context) {
    AppendLp(out, name);
    AppendLp(out, value);
  }
  return out;
}

}  // namespace latchkey::protocol
