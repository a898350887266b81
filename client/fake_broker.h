#pragma once

// For tests only: the broker's side of a release, made of protocol/ and crypto/, which can
// misbehave in each way that a client must notice.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "client/check_answer.h"
#include "client/transport.h"
#include "crypto/signature.h"
#include "latchkey/v1/key_release.pb.h"

namespace latchkey::client {

class FakeBroker {
 public:
  explicit FakeBroker(Random& random);

  Pins pins() const { return {deployment_id, "default", log_key_.public_key()}; }
  Bytes log_public_key() const { return log_key_.public_key().Ed25519Raw(); }

  absl::StatusOr<Bytes> Handle(std::string_view method, ByteView request);
  v1::IssueChallengeResponse IssueChallenge();
  absl::StatusOr<v1::ReleaseKeysResponse> Release(const v1::ReleaseKeysRequest& request);

  // What it releases: wrapped DEK to DEK. Others are refused with KEY_NOT_RELEASABLE.
  std::map<Bytes, std::string> deks = {{"wrapped-a", std::string(32, 'a')},
                                       {"wrapped-b", std::string(16, 'b')}};
  std::string deployment_id = "fake-1";
  // Misbehaviour: before the record is signed, and on the way to the client.
  std::function<void(v1::StatementBody&)> edit_body = [](v1::StatementBody&) {};
  std::function<void(v1::ReleaseKeysResponse&)> edit_response = [](v1::ReleaseKeysResponse&) {};
  // Signs checkpoints with a key that nobody pinned, or under another log's name.
  bool sign_with_other_key = false;
  std::string origin = "latchkey.dev/log/fake-1/default";

  // Every request as it came, by method.
  std::vector<Bytes> challenge_requests;
  std::vector<Bytes> release_requests;
  // Errors to answer with before anything else, in order. A lost answer is decided first and then
  // not delivered.
  std::vector<absl::Status> challenge_failures;
  std::vector<absl::Status> release_failures;

 private:
  std::string Record(const Bytes& leaf, v1::Receipt& receipt);

  Random& random_;
  crypto::PrivateKey log_key_;
  crypto::PrivateKey other_key_;
  std::vector<Bytes> leaves_;
};

// `FakeTransport` delivers to a FakeBroker in the same process.
class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(FakeBroker& broker) : broker_(broker) {}
  absl::StatusOr<Bytes> Call(std::string_view method, ByteView request, absl::Duration) override {
    return broker_.Handle(method, request);
  }

 private:
  FakeBroker& broker_;
};

}  // namespace latchkey::client
