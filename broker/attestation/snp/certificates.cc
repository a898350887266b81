#include "broker/attestation/snp/certificates.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "broker/attestation/refusals.h"

namespace latchkey::attestation::snp {
namespace {

constexpr char kOidPrefix[] = "1.3.6.1.4.1.3704.1.";
constexpr size_t kTurinHwidSize = 8;

// `LeafReader` reads extensions of one leaf; its errors name the leaf and the extension.
class LeafReader {
 public:
  LeafReader(const crypto::Certificate& certificate, SigningKey kind)
      : certificate_(certificate), kind_(kind) {}

  absl::Status Fault(const char* arc, std::string_view fault) const {
    return Malformed(absl::StrCat("snp: ", std::string(SigningKeyName(kind_)),
                                  " certificate: extension ", kOidPrefix, arc, " ",
                                  std::string(fault)));
  }

  absl::StatusOr<std::optional<Bytes>> Find(const char* arc) const {
    auto found = certificate_.Extension(absl::StrCat(kOidPrefix, arc));
    if (!found.ok()) return Fault(arc, "occurs twice");
    return *std::move(found);
  }

  absl::StatusOr<Bytes> Require(const char* arc) const {
    ASSIGN_OR_RETURN(std::optional<Bytes> found, Find(arc));
    if (!found.has_value()) return Fault(arc, "is missing");
    return *std::move(found);
  }

  absl::Status Forbid(const char* arc) const {
    ASSIGN_OR_RETURN(const std::optional<Bytes> found, Find(arc));
    if (found.has_value()) return Fault(arc, "does not belong there");
    return absl::OkStatus();
  }

  // A security version: DER INTEGER from 0 to 255.
  absl::StatusOr<uint8_t> Version(const char* arc) const {
    ASSIGN_OR_RETURN(const Bytes der, Require(arc));
    const auto value = crypto::ParseDerInteger(AsBytes(der));
    if (!value.ok() || *value < 0 || *value > 255) return Fault(arc, "is no INTEGER of 0 to 255");
    return static_cast<uint8_t>(*value);
  }

  absl::Status ZeroIfPresent(const char* arc) const {
    ASSIGN_OR_RETURN(const std::optional<Bytes> found, Find(arc));
    if (!found.has_value()) return absl::OkStatus();
    const auto value = crypto::ParseDerInteger(AsBytes(*found));
    if (!value.ok() || *value != 0) return Fault(arc, "is reserved and not INTEGER 0");
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Text(const char* arc) const {
    ASSIGN_OR_RETURN(const Bytes der, Require(arc));
    auto text = crypto::ParseDerIa5String(AsBytes(der));
    if (!text.ok() || text->empty()) return Fault(arc, "is no IA5String with text");
    return *std::move(text);
  }

  // The hardware id of a chip: raw, or inside an OCTET STRING; both are in use.
  absl::StatusOr<Bytes> Hwid(const char* arc, size_t size) const {
    ASSIGN_OR_RETURN(Bytes raw, Require(arc));
    if (raw.size() == size) return raw;
    auto inner = crypto::ParseDerOctetString(AsBytes(raw));
    if (!inner.ok() || inner->size() != size) {
      return Fault(arc, absl::StrCat("is no hardware id of ", size, " bytes"));
    }
    return *std::move(inner);
  }

 private:
  const crypto::Certificate& certificate_;
  const SigningKey kind_;
};

absl::StatusOr<Product> ReadProduct(const LeafReader& reader) {
  ASSIGN_OR_RETURN(const std::string name, reader.Text("2"));
  const std::optional<Product> product = ProductOfCertificate(name);
  if (!product.has_value()) {
    return Unsupported(absl::StrCat("snp: certificate for the product \"", name,
                                    "\"; Milan, Genoa and Turin are known"));
  }
  // Structure version 1 came with Turin and its FMC component.
  ASSIGN_OR_RETURN(const uint8_t version, reader.Version("1"));
  if (version != (product->layout == TcbLayout::kTurin ? 1 : 0)) {
    return reader.Fault("1", absl::StrCat("is ", version, ", which no ", name, " certificate has"));
  }
  return *product;
}

absl::StatusOr<Tcb> ReadTcb(const LeafReader& reader, TcbLayout layout) {
  Tcb out;
  ASSIGN_OR_RETURN(out.bootloader, reader.Version("3.1"));
  ASSIGN_OR_RETURN(out.tee, reader.Version("3.2"));
  ASSIGN_OR_RETURN(out.snp, reader.Version("3.3"));
  ASSIGN_OR_RETURN(out.microcode, reader.Version("3.8"));
  for (const char* reserved : {"3.4", "3.5", "3.6", "3.7"}) {
    RETURN_IF_ERROR(reader.ZeroIfPresent(reserved));
  }
  if (layout == TcbLayout::kTurin) {
    ASSIGN_OR_RETURN(out.fmc, reader.Version("3.9"));
  } else {
    RETURN_IF_ERROR(reader.Forbid("3.9"));
  }
  return out;
}

}  // namespace

std::string_view SigningKeyName(SigningKey kind) {
  LATCHKEY_CHECK(kind == SigningKey::kVcek || kind == SigningKey::kVlek);
  return kind == SigningKey::kVcek ? "VCEK" : "VLEK";
}

absl::StatusOr<LeafCertificate> ParseLeaf(const crypto::Certificate& certificate, SigningKey kind) {
  const LeafReader reader(certificate, kind);
  LeafCertificate out{.kind = kind};
  ASSIGN_OR_RETURN(out.product, ReadProduct(reader));
  ASSIGN_OR_RETURN(out.tcb, ReadTcb(reader, out.product.layout));
  if (kind == SigningKey::kVcek) {
    RETURN_IF_ERROR(reader.Forbid("5"));
    const size_t size = out.product.layout == TcbLayout::kTurin ? kTurinHwidSize : kChipIdSize;
    ASSIGN_OR_RETURN(out.hwid, reader.Hwid("4", size));
  } else {
    RETURN_IF_ERROR(reader.Forbid("4"));
    ASSIGN_OR_RETURN(out.csp_id, reader.Text("5"));
  }
  return out;
}

}  // namespace latchkey::attestation::snp
