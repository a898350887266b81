#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "crypto/signature.h"
#include "latchkey/v1/key_release.pb.h"
#include "protocol/binding.h"
#include "protocol/sealed_item.h"

namespace latchkey::client {

// `Pins` is what a client knows before it asks, from its owner and not from the network.
struct Pins {
  std::string deployment_id;
  std::string tenant;
  crypto::PublicKey log_key;  // Ed25519
};

// `RequestItems` reads the items of a request as the request digest sees them. InvalidArgument for
// a bad name, context, or an item that wants nothing.
absl::StatusOr<std::vector<protocol::RequestItem>> RequestItems(
    const v1::ReleaseKeysRequest& request);

// `OpenedItem` is one released DEK.
struct OpenedItem {
  SecretBytes dek;
  Bytes wrapped_dek;        // of a generated DEK: store it beside the data
  std::string key_version;  // tenants/{t}/keys/{k}/versions/{n}
};

// `CheckedAnswer` is an answer whose every check held. Only `CheckAnswer` makes one, and only a
// CheckedAnswer opens.
class CheckedAnswer {
 public:
  using OpenerFactory = std::function<absl::StatusOr<std::unique_ptr<protocol::ItemOpener>>(
      ByteView encapsulation, const crypto::Sha256Digest& binding_digest)>;

  // 32 hex digits; `latchkey audit explain` takes it.
  const std::string& decision_id() const { return decision_id_; }
  uint64_t leaf_index() const { return leaf_index_; }

  // Opens the released items, in the order of the request; a refused item is its refusal
  // (client/refusal.h). An item that does not open fails the whole answer: Unauthenticated.
  absl::StatusOr<std::vector<absl::StatusOr<OpenedItem>>> Open(const OpenerFactory& factory) const;

 private:
  friend absl::StatusOr<CheckedAnswer> CheckAnswer(const Pins& pins,
                                                   const v1::ReleaseKeysRequest& request,
                                                   const v1::ReleaseKeysResponse& response);
  struct Item {
    bool released = false;
    Bytes sealed_dek;
    Bytes wrapped_dek;
    std::string key_version;
    v1::Refusal refusal;
  };
  CheckedAnswer() = default;

  Bytes body_;
  Bytes encapsulation_;
  crypto::Sha256Digest binding_digest_;
  std::string decision_id_;
  uint64_t leaf_index_ = 0;
  std::vector<Item> items_;
};

// `CheckAnswer` is every client check of a release, a pure function of what was pinned, asked and
// answered: the leaf names our deployment, tenant, recipient and binding; each item our key,
// wrapped DEK and context; the outcomes agree; the sealed bytes are those of the leaf; the receipt
// proves that very leaf under the pinned log key. There is no switch to leave one out.
// Unauthenticated, with an audit reason ANSWER_... (base/reason.h), for the first check that fails.
absl::StatusOr<CheckedAnswer> CheckAnswer(const Pins& pins, const v1::ReleaseKeysRequest& request,
                                          const v1::ReleaseKeysResponse& response);

}  // namespace latchkey::client
