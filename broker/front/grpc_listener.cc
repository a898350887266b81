#include "broker/front/grpc_listener.h"

#include <atomic>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/front/worker_pool.h"
#include "crypto/x509.h"
#include "grpcpp/ext/health_check_service_server_builder_option.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/health_check_service_interface.h"

namespace latchkey::front {
namespace {

// What the listener grants one connection, whoever it is.
constexpr int kMaxMetadataBytes = 16 << 10;
constexpr size_t kMemoryQuotaBytes = 256 << 20;
constexpr int kKeepaliveTimeMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kMinPingIntervalMs = 20'000;
constexpr int kMaxConnectionIdleMs = 10 * 60'000;
constexpr int kMaxConnectionAgeMs = 60 * 60'000;
constexpr int kMaxConnectionAgeGraceMs = 60'000;

Bytes BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return {};
  Bytes bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

grpc::ByteBuffer BufferOf(Bytes bytes) {
  auto* const owned = new Bytes(std::move(bytes));
  const grpc::Slice slice(
      owned->data(), owned->size(), [](void* bytes) { delete static_cast<Bytes*>(bytes); }, owned);
  return grpc::ByteBuffer(&slice, 1);
}

PeerHint PeerOf(const grpc::GenericCallbackServerContext& context) {
  PeerHint peer{.address = context.peer()};
  const auto pems = context.auth_context()->FindPropertyValues("x509_pem_cert");
  if (pems.empty()) return peer;
  const auto chain = crypto::Certificate::ParsePem({pems[0].data(), pems[0].size()});
  if (chain.ok()) peer.client_certificate_der = ToBytes(chain->front().der());
  return peer;
}

// What every call of one listener shares.
struct Shared {
  Core& core;
  absl::Duration default_deadline;
  Bytes overload_details;
  WorkerPool workers;
};

// `Call` is one unary call: read one message, ask the core on a worker, answer. It deletes itself
// when gRPC is done with it.
class Call final : public grpc::ServerGenericBidiReactor {
 public:
  Call(grpc::GenericCallbackServerContext& context, Shared& shared)
      : context_(context), shared_(shared) {
    const absl::Time now = absl::Now();
    const absl::Time stated = absl::FromChrono(context.deadline());
    // A call without a deadline states the end of time.
    deadline_ = stated > now + absl::Hours(24) ? now + shared.default_deadline : stated;
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish({grpc::StatusCode::INVALID_ARGUMENT, "the call has no message"});
      return;
    }
    if (!shared_.workers.TryRun([this] { Serve(); })) {
      Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "the broker is busy; try again in a second",
              shared_.overload_details});
    }
  }
  void OnCancel() override { cancelled_.store(true, std::memory_order_relaxed); }
  void OnDone() override { delete this; }

 private:
  // Nothing of `this` is touched after Finish: gRPC may be done with it at once.
  void Serve() {
    // Nobody waits for this answer any more: spend nothing on it.
    if (cancelled_.load(std::memory_order_relaxed) || absl::Now() >= deadline_) {
      Finish({grpc::StatusCode::DEADLINE_EXCEEDED, "the deadline passed before the call's turn"});
      return;
    }
    const Bytes request = BytesOf(request_);
    request_.Clear();
    CoreReply reply =
        shared_.core.Handle(context_.method(), AsBytes(request), PeerOf(context_), deadline_);
    if (reply.grpc_code != 0) {
      Finish({static_cast<grpc::StatusCode>(reply.grpc_code), reply.error_message,
              reply.error_details});
      return;
    }
    reply_ = BufferOf(std::move(reply.message));
    StartWriteAndFinish(&reply_, grpc::WriteOptions(), grpc::Status::OK);
  }

  grpc::GenericCallbackServerContext& context_;
  Shared& shared_;
  absl::Time deadline_;
  std::atomic<bool> cancelled_ = false;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer reply_;
};

class Relay final : public grpc::CallbackGenericService {
 public:
  explicit Relay(Shared& shared) : shared_(shared) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Call(*context, shared_);
  }

 private:
  Shared& shared_;
};

class Listener final : public GrpcListener {
 public:
  Listener(const ListenerOptions& options, Core& core)
      : shared_{core,
                options.default_deadline,
                options.overload_details,
                {options.threads, static_cast<size_t>(options.max_queued)}},
        relay_(shared_) {}
  ~Listener() override { Drain(absl::ZeroDuration()); }

  absl::Status Start(const ListenerOptions& options,
                     const std::shared_ptr<grpc::ServerCredentials>& credentials);

  int port() const override { return port_; }

  void Drain(absl::Duration grace) override {
    if (server_ == nullptr) return;
    server_->GetHealthCheckService()->SetServingStatus(false);
    // Refuses new calls at once, and returns when the last call in flight has ended.
    server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
    server_.reset();
  }

 private:
  Shared shared_;
  Relay relay_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

void SetLimits(const ListenerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  builder.SetMaxSendMessageSize(-1);
  // Compressed messages are refused: a small one could unfold to a large one.
  builder.SetDefaultCompressionAlgorithm(GRPC_COMPRESS_NONE);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetResourceQuota(grpc::ResourceQuota("front").Resize(kMemoryQuotaBytes));
  const std::pair<const char*, int> arguments[] = {
      {GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams},
      {GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes},
      {GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs},
      {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs},
      {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs},
      {GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2},
      {GRPC_ARG_MAX_CONNECTION_IDLE_MS, kMaxConnectionIdleMs},
      {GRPC_ARG_MAX_CONNECTION_AGE_MS, kMaxConnectionAgeMs},
      {GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kMaxConnectionAgeGraceMs},
      // Two brokers on one port would share its calls silently.
      {GRPC_ARG_ALLOW_REUSEPORT, 0}};
  for (const auto& [name, value] : arguments) builder.AddChannelArgument(name, value);
}

absl::Status Listener::Start(const ListenerOptions& options,
                             const std::shared_ptr<grpc::ServerCredentials>& credentials) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  builder.RegisterCallbackGenericService(&relay_);
  builder.AddListeningPort(options.address, credentials, &port_);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port_ == 0) {
    server_.reset();
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options.address,
                     ": is the address this host's, the port free and the certificate sound?"));
  }
  return absl::OkStatus();
}

// TLS 1.2 and later are what gRPC offers.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> TlsCredentials(
    const ListenerOptions& options) {
  if (const auto chain = crypto::Certificate::ParsePem(options.certificate_pem); !chain.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("TLS certificate of ", options.address, ": ", chain.status().message()));
  }
  grpc::SslServerCredentialsOptions tls(
      options.require_client_certificate
          ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
          : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  if (options.require_client_certificate) {
    const auto roots = crypto::Certificate::ParsePem(options.client_ca_pem);
    if (!roots.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("client CA of ", options.address, ": ", roots.status().message()));
    }
    tls.pem_root_certs = options.client_ca_pem;
  }
  tls.pem_key_cert_pairs.push_back(
      {std::string(AsText(options.private_key_pem.view())), options.certificate_pem});
  auto credentials = grpc::SslServerCredentials(tls);
  std::string& key = tls.pem_key_cert_pairs.front().private_key;
  explicit_bzero(key.data(), key.size());
  return credentials;
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcListener>> StartGrpcListener(ListenerOptions options,
                                                                Core& core) {
  std::shared_ptr<grpc::ServerCredentials> credentials;
  if (options.plaintext_for_tests) {
    credentials = grpc::InsecureServerCredentials();
  } else {
    auto tls = TlsCredentials(options);
    if (!tls.ok()) return tls.status();
    credentials = *std::move(tls);
  }
  auto listener = std::make_unique<Listener>(options, core);
  if (absl::Status started = listener->Start(options, credentials); !started.ok()) return started;
  return listener;
}

}  // namespace latchkey::front
