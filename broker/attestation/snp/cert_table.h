#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/bytes.h"
#include "crypto/x509.h"

namespace latchkey::attestation::snp {

// `ParseCertTable` returns the payloads of a GHCB certificate table (AMD 56421, 4.1.8.1;
// configfs-tsm: auxblob) that hold AMD certificates: entries of 24 bytes (GUID, little-endian
// offset and length), a zero entry, then the payloads. Entries with other GUIDs are left out.
// MALFORMED when an entry points outside the table's payloads, overlaps another one, or occurs
// twice.
absl::StatusOr<std::vector<ByteView>> ParseCertTable(ByteView table);

// `ParseEndorsements` returns every certificate of what came with a report: DER, PEM, or a
// certificate table of either. MALFORMED for anything else, and for more than 16 certificates.
absl::StatusOr<std::vector<crypto::Certificate>> ParseEndorsements(
    absl::Span<const Bytes> endorsements);

}  // namespace latchkey::attestation::snp
