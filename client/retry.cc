#include "client/retry.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "client/refusal.h"

namespace latchkey::client {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(100);
constexpr absl::Duration kLongestWait = absl::Seconds(5);

bool IsWorthRepeating(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kResourceExhausted;
}

// Keeps the payloads: the caller still learns the reason.
absl::Status GaveUp(const absl::Status& error, int failures) {
  absl::Status status(error.code(), absl::StrCat(error.message(), " (gave up after ", failures,
                                                 failures == 1 ? " try)" : " tries)"));
  error.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { status.SetPayload(url, payload); });
  return status;
}

}  // namespace

absl::StatusOr<Bytes> Retrier::Run(
    absl::FunctionRef<absl::StatusOr<Bytes>(absl::Duration left)> call) {
  for (int failures = 0;;) {
    const absl::Duration left = deadline_ - clock_.Now();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(
          "the time for fetching the key is over; nothing was asked");
    }
    absl::StatusOr<Bytes> answer = call(left);
    if (answer.ok() || !IsWorthRepeating(answer.status())) return answer;
    const absl::Duration wait = NextWait(++failures, answer.status());
    if (clock_.Now() + wait >= deadline_) return GaveUp(answer.status(), failures);
    clock_.Sleep(wait);
  }
}

absl::Duration Retrier::NextWait(int failures, const absl::Status& error) {
  const absl::Duration ceiling =
      std::min(kLongestWait, kFirstWait * (1 << std::min(failures - 1, 10)));
  std::array<uint8_t, sizeof(uint32_t)> bytes;
  random_.Fill(bytes);
  uint32_t number = 0;
  std::memcpy(&number, bytes.data(), bytes.size());
  const absl::Duration jitter = ceiling * (number / 4294967296.0);
  return RetryDelayOf(error).value_or(absl::ZeroDuration()) + jitter;
}

}  // namespace latchkey::client
