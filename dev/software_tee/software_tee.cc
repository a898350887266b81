#include "dev/software_tee/software_tee.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace latchkey::dev {
namespace {

constexpr size_t kComponentSize = 48;   // of a P-384 signature
constexpr size_t kComponentField = 72;  // as the report holds it, little endian

absl::Status WriteFile(const std::string& path, ByteView content) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    return absl::UnknownError(
        absl::StrCat("software TEE: cannot write ", path, ": ", std::strerror(errno)));
  }
  const bool written =
      ::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size());
  if (::close(fd) != 0 || !written) {
    return absl::UnknownError(absl::StrCat("software TEE: cannot write all of ", path));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("software TEE: cannot read ", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::Status SavePair(const std::string& stem, const CertificateAndKey& pair) {
  RETURN_IF_ERROR(WriteFile(stem + ".pem", AsBytes(crypto::ToPem(pair.certificate))));
  return WriteFile(stem + ".key.pem", pair.key.ToPem().view());
}

absl::StatusOr<CertificateAndKey> LoadPair(const std::string& stem) {
  ASSIGN_OR_RETURN(const std::string certificate_pem, ReadFile(stem + ".pem"));
  ASSIGN_OR_RETURN(const std::string key_pem, ReadFile(stem + ".key.pem"));
  ASSIGN_OR_RETURN(const auto certificates, crypto::Certificate::ParsePem(certificate_pem, 1));
  ASSIGN_OR_RETURN(crypto::PrivateKey key, crypto::PrivateKey::FromPem(key_pem));
  return CertificateAndKey{certificates.front(), std::move(key)};
}

absl::StatusOr<int64_t> LeafInteger(const crypto::Certificate& leaf, std::string_view arc) {
  ASSIGN_OR_RETURN(const auto der,
                   leaf.Extension(absl::StrCat(std::string(kAmdOidPrefix), std::string(arc))));
  if (!der.has_value()) {
    return absl::InvalidArgumentError("software TEE: vcek.pem lacks its extensions");
  }
  return crypto::ParseDerInteger(AsBytes(*der));
}

}  // namespace

SoftwareTee::SoftwareTee(CertificateAndKey ark, CertificateAndKey ask, CertificateAndKey asvk,
                         CertificateAndKey vcek, CertificateAndKey vlek, Bytes chip_id, SnpTcb tcb)
    : ark_(std::move(ark)),
      ask_(std::move(ask)),
      asvk_(std::move(asvk)),
      vcek_(std::move(vcek)),
      vlek_(std::move(vlek)),
      chip_id_(std::move(chip_id)),
      tcb_(tcb) {}

absl::StatusOr<SoftwareTee> SoftwareTee::Create(Random& random, absl::Time now, const SnpTcb& tcb) {
  const Bytes chip_id = RandomBytes(random, 64);
  // The ARK says what it is; the names of the others are those that verifiers look for.
  ASSIGN_OR_RETURN(CertificateAndKey ark,
                   MakeAuthority("ARK-Milan LATCHKEY_INSECURE_SOFTWARE_TEE", nullptr, now));
  ASSIGN_OR_RETURN(CertificateAndKey ask, MakeAuthority("SEV-Milan", &ark, now));
  ASSIGN_OR_RETURN(CertificateAndKey asvk, MakeAuthority("SEV-VLEK-Milan", &ark, now));
  const absl::Time from = now - absl::Hours(24);
  const absl::Duration year = absl::Hours(24) * 365;
  crypto::PrivateKey vcek_key = crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP384);
  ASSIGN_OR_RETURN(
      crypto::Certificate vcek,
      MakeLeaf({"SEV-VCEK", VcekExtensions(tcb, AsBytes(chip_id)), from, from + 7 * year},
               vcek_key.public_key(), ask));
  crypto::PrivateKey vlek_key = crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP384);
  ASSIGN_OR_RETURN(crypto::Certificate vlek,
                   MakeLeaf({"SEV-VLEK", VlekExtensions(tcb, kCspId), from, from + year},
                            vlek_key.public_key(), asvk));
  return SoftwareTee(std::move(ark), std::move(ask), std::move(asvk),
                     {std::move(vcek), std::move(vcek_key)}, {std::move(vlek), std::move(vlek_key)},
                     chip_id, tcb);
}

absl::Status SoftwareTee::Save(const std::string& directory) const {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::UnknownError(
        absl::StrCat("software TEE: cannot make ", directory, ": ", error.message()));
  }
  RETURN_IF_ERROR(SavePair(directory + "/ark", ark_));
  RETURN_IF_ERROR(SavePair(directory + "/ask", ask_));
  RETURN_IF_ERROR(SavePair(directory + "/asvk", asvk_));
  RETURN_IF_ERROR(SavePair(directory + "/vcek", vcek_));
  return SavePair(directory + "/vlek", vlek_);
}

absl::StatusOr<SoftwareTee> SoftwareTee::Load(const std::string& directory) {
  ASSIGN_OR_RETURN(CertificateAndKey ark, LoadPair(directory + "/ark"));
  ASSIGN_OR_RETURN(CertificateAndKey ask, LoadPair(directory + "/ask"));
  ASSIGN_OR_RETURN(CertificateAndKey asvk, LoadPair(directory + "/asvk"));
  ASSIGN_OR_RETURN(CertificateAndKey vcek, LoadPair(directory + "/vcek"));
  ASSIGN_OR_RETURN(CertificateAndKey vlek, LoadPair(directory + "/vlek"));
  ASSIGN_OR_RETURN(const auto chip_id,
                   vcek.certificate.Extension(absl::StrCat(std::string(kAmdOidPrefix), "4")));
  SnpTcb tcb;
  ASSIGN_OR_RETURN(tcb.bootloader, LeafInteger(vcek.certificate, "3.1"));
  ASSIGN_OR_RETURN(tcb.tee, LeafInteger(vcek.certificate, "3.2"));
  ASSIGN_OR_RETURN(tcb.snp, LeafInteger(vcek.certificate, "3.3"));
  ASSIGN_OR_RETURN(tcb.microcode, LeafInteger(vcek.certificate, "3.8"));
  return SoftwareTee(std::move(ark), std::move(ask), std::move(asvk), std::move(vcek),
                     std::move(vlek), chip_id.value_or(Bytes()), tcb);
}

Bytes SoftwareTee::SignReport(const ReportFields& fields) const {
  return Resign(WriteReport(fields, AsBytes(fields.chip_id.value_or(chip_id_))));
}

Bytes SoftwareTee::Resign(Bytes report) const {
  LATCHKEY_CHECK(report.size() == report_offset::kSize);
  const bool by_vlek = ((report[report_offset::kKeyInfo] >> 2) & 7) == 1;
  const crypto::PrivateKey& key = by_vlek ? vlek_.key : vcek_.key;
  const Bytes signature = key.Sign(crypto::SignatureAlgorithm::kEcdsaP384Sha384,
                                   AsBytes(report).first(report_offset::kSignature));
  for (size_t i = 0; i < 2; ++i) {
    Bytes component = signature.substr(i * kComponentSize, kComponentSize);
    std::reverse(component.begin(), component.end());
    PutBytes(report, report_offset::kSignature + i * kComponentField, kComponentField,
             AsBytes(component));
  }
  return report;
}

absl::StatusOr<crypto::Certificate> SoftwareTee::IssueVcek(const LeafSpec& spec) const {
  return MakeLeaf(spec, vcek_.key.public_key(), ask_);
}

absl::StatusOr<crypto::Certificate> SoftwareTee::IssueVlek(const LeafSpec& spec) const {
  return MakeLeaf(spec, vlek_.key.public_key(), asvk_);
}

LeafSpec SoftwareTee::VcekSpec() const {
  return {"SEV-VCEK", VcekExtensions(tcb_, AsBytes(chip_id_)), vcek().not_before(),
          vcek().not_after()};
}

LeafSpec SoftwareTee::VlekSpec() const {
  return {"SEV-VLEK", VlekExtensions(tcb_, kCspId), vlek().not_before(), vlek().not_after()};
}

}  // namespace latchkey::dev
