#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"

namespace latchkey::client {

// `Retrier` repeats one call under one deadline: after UNAVAILABLE and RESOURCE_EXHAUSTED only,
// with exponential backoff and full jitter, and never sooner than the broker asked
// (google.rpc.RetryInfo). A refusal is never repeated.
class Retrier {
 public:
  Retrier(Clock& clock, Random& random, absl::Time deadline)
      : clock_(clock), random_(random), deadline_(deadline) {}

  // `call` gets the time that is left. The last error is returned when the next wait would pass the
  // deadline.
  absl::StatusOr<Bytes> Run(absl::FunctionRef<absl::StatusOr<Bytes>(absl::Duration left)> call);

 private:
  absl::Duration NextWait(int failures, const absl::Status& error);

  Clock& clock_;
  Random& random_;
  const absl::Time deadline_;
};

}  // namespace latchkey::client
