#include "protocol/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace latchkey::protocol {
namespace {

constexpr size_t kMaxNoteSize = 16 << 10;
constexpr size_t kMaxSignatures = 64;
constexpr size_t kKeyHashSize = 4;
constexpr std::string_view kSignaturePrefix = "\xe2\x80\x94 ";  // em dash, space

absl::Status Malformed(const std::string& fault) {
  return absl::InvalidArgumentError(absl::StrCat("checkpoint: ", fault));
}

// The key's hint in a signature line: C2SP signed-note, "Signature types", 0x01 is Ed25519.
Bytes KeyHash(std::string_view name, const crypto::PublicKey& key) {
  const Bytes raw = key.Ed25519Raw();
  const auto digest = crypto::Sha256({AsBytes(name), AsBytes("\n\x01"), AsBytes(raw)});
  return ToBytes(ByteView(digest).first(kKeyHashSize));
}

// The signed text, its last newline included.
std::string NoteText(const Checkpoint& checkpoint) {
  return absl::StrCat(checkpoint.origin, "\n", checkpoint.size, "\n", Base64Encode(checkpoint.root),
                      "\n");
}

// Removes and returns the first line of `text`, without its newline.
absl::StatusOr<std::string_view> TakeLine(std::string_view& text, const char* what) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return Malformed(absl::StrCat(what, " is missing, or its line has no end"));
  }
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

struct NoteSignature {
  std::string_view name;
  Bytes bytes;  // key hash || signature
};

struct Note {
  std::string_view text;
  std::vector<NoteSignature> signatures;
};

absl::StatusOr<NoteSignature> ParseSignatureLine(std::string_view line) {
  if (!line.starts_with(kSignaturePrefix))
    return Malformed("a signature line does not start with an em dash");
  line.remove_prefix(kSignaturePrefix.size());
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0 ||
      line.substr(0, space).find('+') != std::string_view::npos) {
    return Malformed("a signature line has no key name");
  }
  NoteSignature signature{line.substr(0, space), {}};
  ASSIGN_OR_RETURN(signature.bytes, Base64Decode(line.substr(space + 1)));
  if (signature.bytes.size() <= kKeyHashSize) return Malformed("a signature line has no signature");
  return signature;
}

// C2SP signed-note: text, empty line, signature lines. The last empty line separates.
absl::StatusOr<Note> ParseNote(std::string_view note) {
  if (note.size() > kMaxNoteSize) {
    return Malformed(absl::StrCat(note.size(), " bytes; at most ", kMaxNoteSize, " are read"));
  }
  for (const char c : note) {
    if (static_cast<uint8_t>(c) < 0x20 && c != '\n') return Malformed("it has a control character");
  }
  const size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return Malformed("no empty line before the signatures");
  Note parsed{note.substr(0, blank + 1), {}};
  std::string_view rest = note.substr(blank + 2);
  while (!rest.empty()) {
    if (parsed.signatures.size() == kMaxSignatures) return Malformed("too many signatures");
    ASSIGN_OR_RETURN(const std::string_view line, TakeLine(rest, "a signature"));
    ASSIGN_OR_RETURN(NoteSignature signature, ParseSignatureLine(line));
    parsed.signatures.push_back(std::move(signature));
  }
  if (parsed.signatures.empty()) return Malformed("no signature");
  return parsed;
}

absl::StatusOr<Checkpoint> ParseText(std::string_view text) {
  Checkpoint checkpoint;
  ASSIGN_OR_RETURN(const std::string_view origin, TakeLine(text, "the origin"));
  ASSIGN_OR_RETURN(const std::string_view size, TakeLine(text, "the tree size"));
  ASSIGN_OR_RETURN(const std::string_view root, TakeLine(text, "the root hash"));
  if (origin.empty()) return Malformed("the origin is empty");
  if (!text.empty()) return Malformed("it has extension lines; these logs write none");
  checkpoint.origin = origin;
  const auto [end, error] =
      std::from_chars(size.data(), size.data() + size.size(), checkpoint.size);
  if (error != std::errc() || end != size.data() + size.size() ||
      (size.size() > 1 && size[0] == '0')) {
    return Malformed("the tree size is not a plain decimal number");
  }
  ASSIGN_OR_RETURN(const Bytes hash, Base64Decode(root));
  if (hash.size() != checkpoint.root.size()) {
    return Malformed(absl::StrCat("the root hash has ", hash.size(), " bytes, not 32"));
  }
  std::copy(hash.begin(), hash.end(), checkpoint.root.begin());
  return checkpoint;
}

}  // namespace

std::string LogOrigin(std::string_view deployment_id, std::string_view tenant) {
  return "latchkey.dev/log/" + std::string(deployment_id) + "/" + std::string(tenant);
}

std::string SignCheckpoint(const Checkpoint& checkpoint, const crypto::PrivateKey& key) {
  LATCHKEY_CHECK(key.public_key().kind() == crypto::KeyKind::kEd25519);
  const std::string text = NoteText(checkpoint);
  const Bytes signature = KeyHash(checkpoint.origin, key.public_key()) +
                          key.Sign(crypto::SignatureAlgorithm::kEd25519, AsBytes(text));
  return text + "\n" + std::string(kSignaturePrefix) + checkpoint.origin + " " +
         Base64Encode(AsBytes(signature)) + "\n";
}

absl::StatusOr<Checkpoint> VerifyCheckpoint(std::string_view note, std::string_view origin,
                                            const crypto::PublicKey& key) {
  if (key.kind() != crypto::KeyKind::kEd25519) {
    return absl::InvalidArgumentError("checkpoint: the log key is not an Ed25519 key");
  }
  ASSIGN_OR_RETURN(const Note parsed, ParseNote(note));
  ASSIGN_OR_RETURN(Checkpoint checkpoint, ParseText(parsed.text));
  if (checkpoint.origin != origin) {
    return absl::UnauthenticatedError(
        absl::StrCat("checkpoint: it is of another log than ", std::string(origin)));
  }
  const Bytes key_hash = KeyHash(origin, key);
  bool signed_by_key = false;
  for (const NoteSignature& signature : parsed.signatures) {
    const ByteView bytes = AsBytes(signature.bytes);
    if (signature.name != origin || AsText(bytes.first(kKeyHashSize)) != key_hash) continue;
    // A line that claims our key and does not verify condemns the note, whatever stands beside it.
    if (!crypto::VerifySignature(key, crypto::SignatureAlgorithm::kEd25519, AsBytes(parsed.text),
                                 bytes.subspan(kKeyHashSize))
             .ok()) {
      return absl::UnauthenticatedError("checkpoint: the log's signature does not verify");
    }
    signed_by_key = true;
  }
  if (!signed_by_key)
    return absl::UnauthenticatedError("checkpoint: not signed by the log key that is pinned");
  return checkpoint;
}

}  // namespace latchkey::protocol
