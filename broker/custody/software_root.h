#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker/custody/root.h"

namespace latchkey::custody {

// A root whose key is a file on this host: 32 bytes as 64 hex digits and a newline. Whoever is root
// on the host can read it; only a broker inside a confidential VM, or an HSM, changes that.
//
// `OpenSoftwareRoot` applies the secret-file rules of base/secret_file.h and refuses with the fault
// and the mend.
absl::StatusOr<std::unique_ptr<Root>> OpenSoftwareRoot(std::string name, const std::string& path,
                                                       Random& random);
// A root of `key`, for brokers that keep everything in memory.
std::unique_ptr<Root> MakeSoftwareRoot(std::string name, SecretBytes key, Random& random);
// Makes a key and writes it to `path`, mode 0400; AlreadyExists when the file is there.
absl::Status CreateSoftwareRootFile(const std::string& path, Random& random);

}  // namespace latchkey::custody
