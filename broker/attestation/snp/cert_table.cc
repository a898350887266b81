#include "broker/attestation/snp/cert_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/byte_reader.h"
#include "base/status_macros.h"
#include "broker/attestation/refusals.h"
#include "broker/attestation/snp/report.h"

namespace latchkey::attestation::snp {
namespace {

constexpr size_t kGuidSize = 16;
constexpr size_t kEntrySize = 24;
constexpr size_t kMaxEntries = 16;
constexpr size_t kMaxCertificates = 16;
// A table of three PEM certificates has 6.5 kB.
constexpr size_t kMaxEndorsementSize = 64 << 10;

// In the byte order of the GUID's text.
constexpr const char* kCertificateGuids[] = {
    "63da758de6644564adc5f4b93be8accd",  // VCEK
    "a8074bc2a25a483eaae639c045a0b8a1",  // VLEK
    "4ab7b379bbac4fe4a02f05aef327c782",  // ASK or ASVK
    "c0b406a4a803495297433fb6014cd0ae",  // ARK
};

struct Entry {
  std::string guid;  // hex
  size_t offset;
  size_t length;
};

absl::StatusOr<std::vector<Entry>> ReadEntries(ByteView table) {
  ByteReader reader(table, "certificate table");
  std::vector<Entry> entries;
  while (true) {
    const auto guid = reader.Read(kGuidSize);
    const auto offset = guid.ok() ? reader.ReadU32Le() : guid.status();
    const auto length = offset.ok() ? reader.ReadU32Le() : offset.status();
    if (!length.ok()) return Malformed("snp: certificate table has no end");
    if (IsZero(AsText(*guid)) && *offset == 0 && *length == 0) return entries;
    if (entries.size() == kMaxEntries) {
      return Malformed(
          absl::StrCat("snp: certificate table has more than ", kMaxEntries, " entries"));
    }
    entries.push_back({HexEncode(*guid), *offset, *length});
  }
}

// Payloads lie behind the entries, inside the table, and do not overlap: two readers must never see
// two tables.
absl::Status EnsureEntriesApart(const std::vector<Entry>& entries, size_t table_size) {
  const size_t first_payload = (entries.size() + 1) * kEntrySize;
  for (size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (entry.offset < first_payload || entry.offset > table_size ||
        entry.length > table_size - entry.offset) {
      return Malformed(absl::StrCat("snp: certificate table entry ", i, " points outside: offset ",
                                    entry.offset, ", length ", entry.length, " of ", table_size));
    }
    for (size_t j = 0; j < i; ++j) {
      if (entries[j].guid == entry.guid) {
        return Malformed(absl::StrCat("snp: certificate table holds ", entry.guid, " twice"));
      }
      if (entry.offset < entries[j].offset + entries[j].length &&
          entries[j].offset < entry.offset + entry.length) {
        return Malformed(
            absl::StrCat("snp: certificate table entries ", j, " and ", i, " overlap"));
      }
    }
  }
  return absl::OkStatus();
}

bool StartsDerSequence(ByteView bytes) { return !bytes.empty() && bytes[0] == 0x30; }

// Appends the certificates of one DER or PEM blob.
absl::Status Append(ByteView blob, std::vector<crypto::Certificate>& out) {
  if (StartsDerSequence(blob)) {
    auto certificate = crypto::Certificate::ParseDer(blob);
    if (!certificate.ok())
      return Malformed(absl::StrCat("snp: endorsement: ", certificate.status().message()));
    out.push_back(*std::move(certificate));
  } else {
    auto certificates = crypto::Certificate::ParsePem(AsText(blob), kMaxCertificates);
    if (!certificates.ok())
      return Malformed(absl::StrCat("snp: endorsement: ", certificates.status().message()));
    std::move(certificates->begin(), certificates->end(), std::back_inserter(out));
  }
  if (out.size() > kMaxCertificates) {
    return Malformed(absl::StrCat("snp: more than ", kMaxCertificates, " certificates"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<ByteView>> ParseCertTable(ByteView table) {
  ASSIGN_OR_RETURN(const std::vector<Entry> entries, ReadEntries(table));
  RETURN_IF_ERROR(EnsureEntriesApart(entries, table.size()));
  std::vector<ByteView> payloads;
  for (const Entry& entry : entries) {
    const bool known = std::find(std::begin(kCertificateGuids), std::end(kCertificateGuids),
                                 entry.guid) != std::end(kCertificateGuids);
    if (known) payloads.push_back(table.subspan(entry.offset, entry.length));
  }
  return payloads;
}

absl::StatusOr<std::vector<crypto::Certificate>> ParseEndorsements(
    absl::Span<const Bytes> endorsements) {
  std::vector<crypto::Certificate> out;
  for (const Bytes& endorsement : endorsements) {
    const ByteView blob = AsBytes(endorsement);
    if (blob.size() > kMaxEndorsementSize) {
      return Malformed(absl::StrCat("snp: endorsement of ", blob.size(), " bytes; at most ",
                                    kMaxEndorsementSize, " are read"));
    }
    // A table may hold PEM, so it is told by its first entry, not by what it contains.
    if (StartsDerSequence(blob) || endorsement.starts_with("-----BEGIN ")) {
      RETURN_IF_ERROR(Append(blob, out));
      continue;
    }
    ASSIGN_OR_RETURN(const std::vector<ByteView> payloads, ParseCertTable(blob));
    for (const ByteView payload : payloads) RETURN_IF_ERROR(Append(payload, out));
  }
  return out;
}

}  // namespace latchkey::attestation::snp
