#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/error_details.h"
#include "client/transport.h"

namespace latchkey::client {
namespace {

// The broker's largest answer: 256 items of a generated DEK each, with room to spare.
constexpr int kMaxAnswerBytes = 16 << 20;

grpc::ByteBuffer ToBuffer(ByteView bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return grpc::ByteBuffer(&slice, 1);
}

absl::StatusOr<Bytes> FromBuffer(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return absl::InternalError("cannot read the answer's bytes");
  Bytes bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

class GrpcTransport final : public Transport {
 public:
  GrpcTransport(std::shared_ptr<grpc::Channel> channel, std::string address, bool wait_for_ready)
      : stub_(std::move(channel)), address_(std::move(address)), wait_for_ready_(wait_for_ready) {}

  absl::StatusOr<Bytes> Call(std::string_view method, ByteView request,
                             absl::Duration timeout) override {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    context.set_wait_for_ready(wait_for_ready_);
    grpc::CompletionQueue queue;
    const auto call =
        stub_.PrepareUnaryCall(&context, std::string(method), ToBuffer(request), &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, &status);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    if (status.ok()) return FromBuffer(answer);
    return FromGrpc(status, timeout);
  }

 private:
  absl::Status FromGrpc(const grpc::Status& status, absl::Duration timeout) const {
    // The codes of gRPC and abseil are the same numbers.
    const auto code = static_cast<absl::StatusCode>(status.error_code());
    std::string message = status.error_message();
    if (code == absl::StatusCode::kDeadlineExceeded) {
      message = absl::StrCat("no answer from ", address_, " within ", absl::FormatDuration(timeout),
                             "; check the address, the CA file and that the broker runs");
    } else if (code == absl::StatusCode::kUnavailable && status.error_details().empty()) {
      message = absl::StrCat("cannot reach ", address_, ": ", message);
    }
    return WithErrorDetails(absl::Status(code, message), status.error_details());
  }

  grpc::GenericStub stub_;
  const std::string address_;
  const bool wait_for_ready_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Transport>> MakeGrpcTransport(const GrpcTransportOptions& options) {
  if (options.address.empty()) {
    return absl::InvalidArgumentError("the broker's address is missing; give host:port");
  }
  if (options.ca_pem.empty()) {
    return absl::InvalidArgumentError(
        "the CA certificate of the broker is missing; give the PEM file that `init` printed");
  }
  if (options.certificate_pem.empty() != options.private_key_pem.empty()) {
    return absl::InvalidArgumentError("a client certificate needs its key, and the key needs it");
  }
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = options.ca_pem;
  tls.pem_cert_chain = options.certificate_pem;
  tls.pem_private_key = options.private_key_pem;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  // Retries are decided in one place, by client/retry.h; a proxy named in the environment is not
  // asked.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  auto channel = grpc::CreateCustomChannel(options.address, grpc::SslCredentials(tls), arguments);
  return std::make_unique<GrpcTransport>(std::move(channel), options.address,
                                         options.wait_for_ready);
}

}  // namespace latchkey::client
