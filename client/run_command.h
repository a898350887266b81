#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"

namespace latchkey::client {

// `RunCommand` runs `argv` (an absolute path and its arguments; no shell), feeds it `input` and
// returns its standard output. The child is killed, with its process group, when `timeout` passes
// or it writes more than `max_output_bytes`. FailedPrecondition names the program and what went
// wrong.
absl::StatusOr<Bytes> RunCommand(const std::vector<std::string>& argv, ByteView input,
                                 size_t max_output_bytes, absl::Duration timeout);

}  // namespace latchkey::client
