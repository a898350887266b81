#include "broker/server/admin_core.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "broker/server/log.h"
#include "broker/server/status_to_grpc.h"
#include "crypto/x509.h"

namespace latchkey::server {
namespace {

absl::StatusOr<Caller> Authenticate(const front::PeerHint& peer) {
  if (peer.client_certificate_der.empty()) {
    return absl::UnauthenticatedError(
        "this port demands a client certificate; set cert_file and key_file");
  }
  const auto certificate = crypto::Certificate::ParseDer(AsBytes(peer.client_certificate_der));
  if (!certificate.ok()) {
    return absl::UnauthenticatedError(
        absl::StrCat("client certificate: ", certificate.status().message()));
  }
  return Caller{absl::StrCat(certificate->subject_common_name(),
                             " sha256:", HexEncode(AsBytes(certificate->Sha256Fingerprint())))};
}

}  // namespace

AdminCore::AdminCore(AdminParts parts) : parts_(std::move(parts)) {
  AddKeyAdmin(parts_, methods_);
  AddKeyWrap(parts_, methods_);
  AddPolicyAdmin(parts_, methods_);
  AddAudit(parts_, methods_);
}

front::CoreReply AdminCore::Handle(std::string_view method, ByteView request,
                                   const front::PeerHint& peer, absl::Time /*deadline*/) {
  const auto caller = Authenticate(peer);
  auto answer =
      caller.ok() ? Dispatch(method, request, *caller) : absl::StatusOr<Bytes>(caller.status());
  parts_.metrics.admin_calls.With(absl::StatusCodeToString(answer.status().code())).Add();
  if (answer.ok()) {
    front::CoreReply reply;
    reply.message = *std::move(answer);
    return reply;
  }
  Log(LogLevel::kWarning, "admin call failed",
      {{"method", method},
       {"caller", caller.ok() ? caller->identity : "nobody"},
       {"code", absl::StatusCodeToString(answer.status().code())},
       {"peer", peer.address}});
  return ErrorReply(answer.status(), Audience::kAdmin);
}

absl::StatusOr<Bytes> AdminCore::Dispatch(std::string_view method, ByteView request,
                                          const Caller& caller) {
  const auto found = methods_.find(method);
  if (found == methods_.end()) {
    return absl::UnimplementedError(
        absl::StrCat("no method ", ToAbsl(method), " on the admin port"));
  }
  return found->second(request, caller);
}

}  // namespace latchkey::server
