#include "dev/attest.h"

#include "base/bytes.h"
#include "base/status_macros.h"
#include "base/strict_json.h"
#include "dev/software_tee/software_tee.h"

namespace latchkey::dev {

absl::StatusOr<std::string> Attest(const AttestOptions& options, std::string_view request_json) {
  ASSIGN_OR_RETURN(const nlohmann::json request, ParseStrictJson(request_json));
  ASSIGN_OR_RETURN(const std::string report_data_hex, JsonString(request, "report_data"));
  ASSIGN_OR_RETURN(const SoftwareTee tee, SoftwareTee::Load(options.vendor_directory));

  ReportFields fields;
  fields.tcb = tee.tcb();
  fields.debug = options.debug;
  ASSIGN_OR_RETURN(fields.report_data, HexDecode(report_data_hex));
  if (!options.measurement_hex.empty()) {
    ASSIGN_OR_RETURN(fields.measurement, HexDecode(options.measurement_hex));
  }
  if (fields.measurement.size() != 48) {
    return absl::InvalidArgumentError(
        "--measurement: give 96 hex digits, the 48 bytes of a launch digest");
  }
  const nlohmann::json evidence = {
      {"snp_report", Base64Encode(AsBytes(tee.SignReport(fields)))},
      {"endorsements", {crypto::ToPem(tee.vcek())}},
  };
  return evidence.dump();
}

}  // namespace latchkey::dev
