#include "client/attesters/configfs_tsm.h"

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"

namespace latchkey::client {
namespace {

constexpr char kSnpProvider[] = "sev_guest";

class ConfigfsTsmAttester final : public Attester {
 public:
  explicit ConfigfsTsmAttester(std::unique_ptr<TsmReports> reports)
      : reports_(std::move(reports)) {}

  absl::StatusOr<AttesterOutput> Attest(const AttestationRequest& request) override {
    ASSIGN_OR_RETURN(const std::string entry, reports_->MakeEntry());
    const auto remove = absl::MakeCleanup([&] { reports_->RemoveEntry(entry); });
    RETURN_IF_ERROR(EnsureSnp(entry));
    RETURN_IF_ERROR(reports_->Write(entry, "inblob", request.report_data));
    ASSIGN_OR_RETURN(const uint64_t before, Generation(entry));
    ASSIGN_OR_RETURN(Bytes report, reports_->Read(entry, "outblob"));
    const auto certificates = reports_->Read(entry, "auxblob");
    // Another writer of the same entry would have changed what the report is over.
    ASSIGN_OR_RETURN(const uint64_t after, Generation(entry));
    if (before != after) {
      return absl::UnavailableError(
          absl::StrCat("configfs-tsm: entry ", entry, " was written by another process meanwhile"));
    }
    v1::Attestation attestation;
    attestation.set_snp_report(std::move(report));
    if (certificates.ok() && !certificates->empty()) attestation.add_endorsements(*certificates);
    return AttesterOutput{.attestations = {std::move(attestation)}};
  }

 private:
  absl::Status EnsureSnp(const std::string& entry) const {
    ASSIGN_OR_RETURN(const Bytes provider, reports_->Read(entry, "provider"));
    const absl::string_view name = absl::StripAsciiWhitespace(provider);
    if (name == kSnpProvider) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("configfs-tsm: the provider is `", name,
                                                      "`; this attester speaks `", kSnpProvider,
                                                      "` only"));
  }

  absl::StatusOr<uint64_t> Generation(const std::string& entry) const {
    ASSIGN_OR_RETURN(const Bytes text, reports_->Read(entry, "generation"));
    uint64_t generation = 0;
    if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &generation)) {
      return absl::InternalError("configfs-tsm: `generation` is no number");
    }
    return generation;
  }

  const std::unique_ptr<TsmReports> reports_;
};

}  // namespace

std::unique_ptr<Attester> MakeConfigfsTsmAttester(std::unique_ptr<TsmReports> reports) {
  return std::make_unique<ConfigfsTsmAttester>(std::move(reports));
}

}  // namespace latchkey::client
