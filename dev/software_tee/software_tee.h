#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/random.h"
#include "crypto/x509.h"
#include "dev/software_tee/marker.h"
#include "dev/software_tee/report_layout.h"
#include "dev/software_tee/vendor_certificates.h"

namespace latchkey::dev {

// `SoftwareTee` is an AMD SEV-SNP vendor and one Milan platform of it, in software: ARK, ASK and
// ASVK of its own, a VCEK and a VLEK, and reports signed by them. Its reports verify only where
// ark() was added as a root. Immutable and thread-safe.
class SoftwareTee {
 public:
  static constexpr std::string_view kProduct = "Milan";
  static constexpr std::string_view kCspId = "software-tee.latchkey.dev";

  // Fresh keys, certificates valid from a day before `now` (VLEK one year, VCEK seven), and a chip
  // id of `random`.
  static absl::StatusOr<SoftwareTee> Create(Random& random, absl::Time now, const SnpTcb& tcb = {});
  // Keys and certificates as PEM files in `directory`, which Save makes when it does not exist.
  static absl::StatusOr<SoftwareTee> Load(const std::string& directory);
  absl::Status Save(const std::string& directory) const;

  const crypto::Certificate& ark() const { return ark_.certificate; }
  const crypto::Certificate& ask() const { return ask_.certificate; }
  const crypto::Certificate& asvk() const { return asvk_.certificate; }
  const crypto::Certificate& vcek() const { return vcek_.certificate; }
  const crypto::Certificate& vlek() const { return vlek_.certificate; }
  const Bytes& chip_id() const { return chip_id_; }
  const SnpTcb& tcb() const { return tcb_; }

  // A report of 1184 bytes with the fields, signed as the firmware does. `fields.tcb` is used as
  // given: where it differs from tcb(), the report contradicts the certificate.
  Bytes SignReport(const ReportFields& fields) const;
  // The same over a report laid out already: signs bytes 0 to 0x29F again, with the VLEK where
  // KEY_INFO names it.
  Bytes Resign(Bytes report) const;

  // A certificate for the VCEK key (signed by the ASK) or the VLEK key (by the ASVK), as `spec`
  // wants it.
  absl::StatusOr<crypto::Certificate> IssueVcek(const LeafSpec& spec) const;
  absl::StatusOr<crypto::Certificate> IssueVlek(const LeafSpec& spec) const;
  // What vcek() and vlek() were issued with.
  LeafSpec VcekSpec() const;
  LeafSpec VlekSpec() const;

 private:
  SoftwareTee(CertificateAndKey ark, CertificateAndKey ask, CertificateAndKey asvk,
              CertificateAndKey vcek, CertificateAndKey vlek, Bytes chip_id, SnpTcb tcb);

  CertificateAndKey ark_;
  CertificateAndKey ask_;
  CertificateAndKey asvk_;
  CertificateAndKey vcek_;
  CertificateAndKey vlek_;
  Bytes chip_id_;
  SnpTcb tcb_;
};

}  // namespace latchkey::dev
