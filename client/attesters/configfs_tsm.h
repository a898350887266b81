#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "client/attester.h"

namespace latchkey::client {

// `TsmReports` is the part of a file system that a report needs: entries under one directory, each
// with the attributes of Documentation/ABI/testing/configfs-tsm (inblob, outblob, auxblob,
// provider, generation). Thread-safe.
class TsmReports {
 public:
  virtual ~TsmReports() = default;
  // Makes a fresh entry and returns its name.
  virtual absl::StatusOr<std::string> MakeEntry() = 0;
  virtual absl::Status Write(const std::string& entry, const std::string& attribute,
                             ByteView bytes) = 0;
  // NotFound when the kernel has no such attribute.
  virtual absl::StatusOr<Bytes> Read(const std::string& entry, const std::string& attribute) = 0;
  virtual void RemoveEntry(const std::string& entry) = 0;
};

inline constexpr char kTsmReportRoot[] = "/sys/kernel/config/tsm/report";
std::unique_ptr<TsmReports> KernelTsmReports(std::string root = kTsmReportRoot);

// `MakeConfigfsTsmAttester` asks the Linux kernel (6.7 or newer) for an SEV-SNP report over the
// report data, with the certificates that the host gave (auxblob). FailedPrecondition where the
// machine has no such interface or is no SEV-SNP guest.
std::unique_ptr<Attester> MakeConfigfsTsmAttester(
    std::unique_ptr<TsmReports> reports = KernelTsmReports());

}  // namespace latchkey::client
