#include "broker/front/grpc_listener.h"

#include <future>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "crypto/signature.h"
#include "crypto/x509.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "tests/support/matchers.h"

namespace latchkey::front {
namespace {

using ::testing::HasSubstr;

constexpr char kEcho[] = "/test.Core/Echo";

// `EchoCore` answers with the request; `/test.Core/Refuse` with an error, and `/test.Core/Wait`
// when it is let go.
class EchoCore final : public Core {
 public:
  CoreReply Handle(std::string_view method, ByteView request, const PeerHint& peer,
                   absl::Time deadline) override {
    {
      MutexLock lock(mutex_);
      last_peer_ = peer;
      last_deadline_ = deadline;
      ++handled_;
      changed_.NotifyAll();
      while (method == "/test.Core/Wait" && !let_go_) changed_.Wait(mutex_);
    }
    if (method == "/test.Core/Refuse") {
      return {.grpc_code = 7, .error_message = "refused", .error_details = Bytes("\x08\x07\0", 3)};
    }
    return {.message = ToBytes(request)};
  }

  void AwaitHandled(int count) {
    MutexLock lock(mutex_);
    while (handled_ < count) changed_.Wait(mutex_);
  }
  void LetGo() {
    MutexLock lock(mutex_);
    let_go_ = true;
    changed_.NotifyAll();
  }
  int handled() {
    MutexLock lock(mutex_);
    return handled_;
  }
  PeerHint last_peer() {
    MutexLock lock(mutex_);
    return last_peer_;
  }
  absl::Time last_deadline() {
    MutexLock lock(mutex_);
    return last_deadline_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool let_go_ ABSL_GUARDED_BY(mutex_) = false;
  int handled_ ABSL_GUARDED_BY(mutex_) = 0;
  PeerHint last_peer_ ABSL_GUARDED_BY(mutex_);
  absl::Time last_deadline_ ABSL_GUARDED_BY(mutex_);
};

struct Answer {
  grpc::Status status;
  Bytes message;
};

class GrpcListenerTest : public testing::Test {
 protected:
  GrpcListenerTest() {
    options_.address = "127.0.0.1:0";
    options_.plaintext_for_tests = true;
  }
  ~GrpcListenerTest() override { core_.LetGo(); }

  void Start() {
    auto listener = StartGrpcListener(std::move(options_), core_);
    ASSERT_THAT(listener, IsOk());
    listener_ = *std::move(listener);
    channel_ = Connect(grpc::InsecureChannelCredentials());
  }
  std::shared_ptr<grpc::Channel> Connect(
      const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    return grpc::CreateCustomChannel("localhost:" + std::to_string(listener_->port()), credentials,
                                     arguments);
  }
  Answer Ask(const std::string& method, const Bytes& request,
             absl::Duration timeout = absl::Seconds(20)) {
    return AskOn(channel_, method, request, timeout);
  }
  static Answer AskOn(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                      const Bytes& request, absl::Duration timeout = absl::Seconds(20)) {
    grpc::ClientContext context;
    if (timeout != absl::InfiniteDuration()) {
      context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    }
    const grpc::Slice slice(request.data(), request.size());
    const grpc::ByteBuffer sent(&slice, 1);
    grpc::ByteBuffer received;
    std::promise<grpc::Status> done;
    grpc::GenericStub(channel).UnaryCall(
        &context, method, grpc::StubOptions(), &sent, &received,
        [&](grpc::Status status) { done.set_value(std::move(status)); });
    Answer answer{.status = done.get_future().get()};
    std::vector<grpc::Slice> slices;
    if (answer.status.ok() && received.Dump(&slices).ok()) {
      for (const grpc::Slice& part : slices) {
        answer.message.append(reinterpret_cast<const char*>(part.begin()), part.size());
      }
    }
    return answer;
  }

  EchoCore core_;
  ListenerOptions options_;
  std::unique_ptr<GrpcListener> listener_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(GrpcListenerTest, MessagesPassUnread) {
  Start();
  for (const size_t size : {0, 1, 100, 70'000, 1'000'000}) {
    const Bytes request(size, '\xff');
    const Answer answer = Ask(kEcho, request);
    EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
    EXPECT_EQ(answer.message, request);
  }
}

TEST_F(GrpcListenerTest, MessageOverTheLimitIsRefusedBeforeTheCore) {
  options_.max_message_bytes = 1000;
  Start();
  EXPECT_TRUE(Ask(kEcho, Bytes(1000, 'x')).status.ok());
  EXPECT_EQ(Ask(kEcho, Bytes(1001, 'x')).status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(core_.handled(), 1);
}

TEST_F(GrpcListenerTest, ErrorOfTheCoreArrivesWithItsDetails) {
  Start();
  const Answer answer = Ask("/test.Core/Refuse", "x");
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(answer.status.error_message(), "refused");
  EXPECT_EQ(answer.status.error_details(), Bytes("\x08\x07\0", 3));
}

TEST_F(GrpcListenerTest, CoreIsToldTheCallersDeadlineOrTheUsualOne) {
  Start();
  ASSERT_TRUE(Ask(kEcho, "x", absl::Seconds(100)).status.ok());
  EXPECT_GT(core_.last_deadline(), absl::Now() + absl::Seconds(90));
  ASSERT_TRUE(Ask(kEcho, "x", absl::InfiniteDuration()).status.ok());
  EXPECT_LT(core_.last_deadline(), absl::Now() + absl::Seconds(11));
}

TEST_F(GrpcListenerTest, CallWhoseDeadlinePassedInTheQueueDoesNotReachTheCore) {
  options_.threads = 1;
  Start();
  std::thread first([&] { EXPECT_TRUE(Ask("/test.Core/Wait", "x").status.ok()); });
  core_.AwaitHandled(1);
  EXPECT_EQ(Ask(kEcho, "late", absl::Milliseconds(50)).status.error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  // The server counts the same 50 ms from the call's arrival: its deadline is later than the
  // caller's by the way between.
  absl::SleepFor(absl::Seconds(1));
  core_.LetGo();
  first.join();
  EXPECT_TRUE(Ask(kEcho, "next").status.ok());
  EXPECT_EQ(core_.handled(), 2);
}

TEST_F(GrpcListenerTest, CallsBeyondTheQueueAreTurnedAwayAtOnce) {
  options_.threads = 1;
  options_.max_queued = 0;
  Start();
  EXPECT_EQ(Ask(kEcho, "x").status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(core_.handled(), 0);
}

TEST_F(GrpcListenerTest, DrainEndsCallsInFlightAndRefusesNewOnes) {
  Start();
  std::thread in_flight([&] { EXPECT_TRUE(Ask("/test.Core/Wait", "x").status.ok()); });
  core_.AwaitHandled(1);
  std::thread drain([&] { listener_->Drain(absl::Seconds(20)); });
  absl::SleepFor(absl::Milliseconds(50));
  core_.LetGo();
  in_flight.join();
  drain.join();
  EXPECT_EQ(Ask(kEcho, "x", absl::Seconds(1)).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(core_.handled(), 1);
}

TEST_F(GrpcListenerTest, StandardHealthServiceAnswersWithoutTheCore) {
  Start();
  const Answer answer = Ask("/grpc.health.v1.Health/Check", "");
  EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.message, Bytes("\x08\x01", 2));  // SERVING
  EXPECT_EQ(core_.handled(), 0);
}

TEST_F(GrpcListenerTest, ManyCallsAtOnceAllGetTheirOwnAnswer) {
  Start();
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&, i] {
      for (int j = 0; j < 200; ++j) {
        const Bytes request = std::to_string(i * 1000 + j);
        EXPECT_EQ(Ask(kEcho, request).message, request);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(core_.handled(), 1600);
}

TEST_F(GrpcListenerTest, PortThatIsTakenIsAnError) {
  Start();
  ListenerOptions second;
  second.address = "127.0.0.1:" + std::to_string(listener_->port());
  second.plaintext_for_tests = true;
  EXPECT_THAT(StartGrpcListener(std::move(second), core_),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cannot listen on 127.0.0.1:")));
}

// A certificate authority with a server and a client certificate.
class TlsListenerTest : public GrpcListenerTest {
 protected:
  struct Identity {
    crypto::PrivateKey key;
    crypto::Certificate certificate;
    std::string key_pem() const { return std::string(AsText(key.ToPem().view())); }
  };
  static Identity Make(crypto::CertificateSpec spec, const Identity* issuer) {
    spec.not_before = absl::Now() - absl::Hours(1);
    spec.not_after = absl::Now() + absl::Hours(1);
    crypto::PrivateKey key = crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP256);
    auto certificate =
        crypto::MakeCertificate(spec, key.public_key(), issuer ? &issuer->certificate : nullptr,
                                issuer ? issuer->key : key);
    return {key, certificate.value()};
  }

  void StartTls(bool require_client_certificate) {
    options_.plaintext_for_tests = false;
    options_.certificate_pem = ToPem(server_.certificate);
    options_.private_key_pem = server_.key.ToPem();
    options_.require_client_certificate = require_client_certificate;
    if (require_client_certificate) options_.client_ca_pem = ToPem(ca_.certificate);
    Start();
  }
  std::shared_ptr<grpc::Channel> ConnectTls(const Identity* client) {
    grpc::SslCredentialsOptions tls{.pem_root_certs = ToPem(ca_.certificate)};
    if (client != nullptr) {
      tls.pem_private_key = client->key_pem();
      tls.pem_cert_chain = ToPem(client->certificate);
    }
    return Connect(grpc::SslCredentials(tls));
  }

  Identity ca_ = Make({.common_name = "test CA", .is_ca = true}, nullptr);
  Identity server_ =
      Make({.common_name = "server", .dns_names = {"localhost"}, .server_auth = true}, &ca_);
  Identity client_ = Make({.common_name = "alice", .client_auth = true}, &ca_);
};

TEST_F(TlsListenerTest, ClientCertificateReachesTheCore) {
  StartTls(true);
  const Answer answer = AskOn(ConnectTls(&client_), kEcho, "x");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(core_.last_peer().client_certificate_der, ToBytes(client_.certificate.der()));
}

TEST_F(TlsListenerTest, CallerWithoutACertificateOfTheCaIsRefused) {
  StartTls(true);
  EXPECT_EQ(AskOn(ConnectTls(nullptr), kEcho, "x", absl::Seconds(2)).status.error_code(),
            grpc::StatusCode::UNAVAILABLE);
  const Identity other_ca = Make({.common_name = "test CA", .is_ca = true}, nullptr);
  const Identity stranger = Make({.common_name = "alice", .client_auth = true}, &other_ca);
  EXPECT_EQ(AskOn(ConnectTls(&stranger), kEcho, "x", absl::Seconds(2)).status.error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(core_.handled(), 0);
}

TEST_F(TlsListenerTest, WorkloadListenerNeedsNoClientCertificate) {
  StartTls(false);
  EXPECT_TRUE(AskOn(ConnectTls(nullptr), kEcho, "x").status.ok());
  EXPECT_EQ(core_.last_peer().client_certificate_der, "");
}

TEST_F(TlsListenerTest, CertificateThatIsNoneIsNamed) {
  options_.plaintext_for_tests = false;
  options_.certificate_pem = "nonsense";
  EXPECT_THAT(StartGrpcListener(std::move(options_), core_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("TLS certificate of")));
}

}  // namespace
}  // namespace latchkey::front
