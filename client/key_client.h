#pragma once

// client/ is the workload's side: it asks for a challenge, attests, asks for keys, checks the whole
// answer, and only then opens it.
//
//   auto attester = MakeConfigfsTsmAttester();
//   ASSIGN_OR_RETURN(auto client, KeyClient::Create(options));
//   ASSIGN_OR_RETURN(SecretBytes dek, client->FetchKey("payments", wrapped_dek, {{"environment",
//   "prod"}}, *attester));

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/secret_bytes.h"
#include "client/attester.h"
#include "client/check_answer.h"
#include "client/transport.h"
#include "protocol/binding.h"
#include "protocol/names.h"

namespace latchkey::client {

struct KeyClientOptions {
  // Where the broker is, and how it is known: the members of GrpcTransportOptions.
  std::string address;
  std::string ca_pem;
  std::string certificate_pem;
  std::string private_key_pem;
  // Pinned: what `latchkeyd init` printed. The broker must prove both, whatever TLS said.
  std::string deployment_id;
  Bytes log_public_key;  // Ed25519, 32 bytes
  std::string tenant = "default";
  // One limit for the whole fetch, retries and attestation included.
  absl::Duration timeout = absl::Seconds(30);
  // The scheme of the fresh recipient key: one of the HPKE schemes.
  protocol::Scheme scheme = protocol::Scheme::kHpkeX25519;
};

// `FetchItem` asks for one DEK: to unwrap `wrapped_dek`, or to generate one of
// `generate_size_bytes` (16, 24, 32 or 64).
struct FetchItem {
  std::string key;  // `{k}` or `tenants/{t}/keys/{k}`
  Bytes wrapped_dek;
  protocol::Context context;
  uint32_t generate_size_bytes = 0;
};

// `Fetched` is one answer. An item is its DEK or its refusal.
struct Fetched {
  std::string decision_id;
  uint64_t leaf_index = 0;
  std::vector<absl::StatusOr<OpenedItem>> items;
};

// `KeyClient` fetches DEKs. Each fetch has its own challenge and recipient key. Errors say what,
// which and the mend, and carry the broker's refusal (client/refusal.h). Thread-safe.
class KeyClient {
 public:
  // InvalidArgument for a missing or malformed option. Connects at the first fetch.
  static absl::StatusOr<std::unique_ptr<KeyClient>> Create(const KeyClientOptions& options);
  // The same over a given transport, clock and generator, which outlive the client.
  static absl::StatusOr<std::unique_ptr<KeyClient>> Create(const KeyClientOptions& options,
                                                           std::unique_ptr<Transport> transport,
                                                           Clock& clock, Random& random);

  absl::StatusOr<SecretBytes> FetchKey(std::string_view key, ByteView wrapped_dek,
                                       const protocol::Context& context, Attester& attester);
  // 1 to 256 items under one attestation. An error means that no item was opened.
  absl::StatusOr<Fetched> FetchKeys(const std::vector<FetchItem>& items, Attester& attester);

 private:
  class Fetch;
  KeyClient(Pins pins, absl::Duration timeout, protocol::Scheme scheme,
            std::unique_ptr<Transport> transport, Clock& clock, Random& random);

  const Pins pins_;
  const absl::Duration timeout_;
  const protocol::Scheme scheme_;
  const std::unique_ptr<Transport> transport_;
  Clock& clock_;
  Random& random_;
};

}  // namespace latchkey::client
