#pragma once

#include <memory>
#include <string>

#include "broker/server/broker.h"
#include "client/attester.h"
#include "client/key_client.h"
#include "crypto/system_random.h"
#include "dev/interceptor.h"
#include "dev/software_tee/software_tee.h"
#include "gtest/gtest.h"

namespace latchkey {

// A simulated confidential VM as the client sees it.
class SimulatedMachine final : public client::Attester {
 public:
  explicit SimulatedMachine(dev::ReportFields fields = {}) : fields_(std::move(fields)) {}
  absl::StatusOr<client::AttesterOutput> Attest(const client::AttestationRequest& request) override;

 private:
  const dev::ReportFields fields_;
};

// `NetworkTest` is a real broker and real clients over TLS on loopback. The broker keeps everything
// in memory.
class NetworkTest : public testing::Test {
 protected:
  void SetUp() override;

  // A client of the broker, or of whatever stands at `port`.
  std::unique_ptr<client::KeyClient> Client(int port = 0,
                                            absl::Duration timeout = absl::Seconds(30));
  // Puts a TLS-terminating proxy in front of the broker and returns its port.
  int StartInterceptor(dev::Attack attack);
  // One admin call in the process, by an administrator of ours; ends the test's expectation on an
  // error.
  Bytes Admin(std::string_view method, const Bytes& request);
  Bytes WrapNewDek(const protocol::Context& context = {});
  uint64_t LogSize();

  SystemClock clock_;
  crypto::SystemRandom random_;
  NoFailpoints failpoints_;
  std::string ca_pem_;
  Bytes log_public_key_;
  std::unique_ptr<server::Broker> broker_;
  SimulatedMachine machine_;

 private:
  front::ListenerOptions ServerOptions() const;

  std::string server_certificate_pem_;
  SecretBytes server_key_pem_;
  std::unique_ptr<dev::Interceptor> interceptor_;
  std::unique_ptr<front::GrpcListener> interceptor_listener_;
};

}  // namespace latchkey
