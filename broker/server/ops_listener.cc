#include "broker/server/ops_listener.h"

#include <microhttpd.h>
#include <netdb.h>
#include <sys/socket.h>

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace latchkey::server {
namespace {

constexpr unsigned kMaxConnections = 64;
constexpr unsigned kTimeoutSeconds = 10;

struct Answer {
  unsigned status = MHD_HTTP_OK;
  std::string body;
};

Answer AnswerTo(const OpsHandlers& handlers, std::string_view path) {
  if (path == "/healthz") return {MHD_HTTP_OK, "ok\n"};
  if (path == "/readyz") {
    if (handlers.ready()) return {MHD_HTTP_OK, "ready\n"};
    return {MHD_HTTP_SERVICE_UNAVAILABLE, "not ready\n"};
  }
  if (path == "/metrics") return {MHD_HTTP_OK, handlers.metrics()};
  return {MHD_HTTP_NOT_FOUND, "there are /healthz, /readyz and /metrics\n"};
}

MHD_Result Handle(void* handlers, MHD_Connection* connection, const char* url, const char* method,
                  const char* /*version*/, const char* /*upload_data*/, size_t* upload_size,
                  void** /*state*/) {
  Answer answer;
  if (std::string_view(method) != "GET") {
    // A body that is on its way is not read.
    if (*upload_size != 0) return MHD_NO;
    answer = {MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n"};
  } else {
    answer = AnswerTo(*static_cast<const OpsHandlers*>(handlers), url);
  }
  MHD_Response* const response = MHD_create_response_from_buffer(
      answer.body.size(), answer.body.data(), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                          "text/plain; version=0.0.4; charset=utf-8");
  const MHD_Result queued = MHD_queue_response(connection, answer.status, response);
  MHD_destroy_response(response);
  return queued;
}

class Listener final : public OpsListener {
 public:
  explicit Listener(OpsHandlers handlers) : handlers_(std::move(handlers)) {}
  ~Listener() override {
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  absl::Status Start(const sockaddr* address, int family) {
    const unsigned flags =
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | (family == AF_INET6 ? MHD_USE_IPv6 : 0);
    daemon_ =
        MHD_start_daemon(flags, 0, nullptr, nullptr, &Handle, &handlers_, MHD_OPTION_SOCK_ADDR,
                         address, MHD_OPTION_CONNECTION_LIMIT, kMaxConnections,
                         MHD_OPTION_CONNECTION_TIMEOUT, kTimeoutSeconds, MHD_OPTION_END);
    if (daemon_ == nullptr) return absl::UnavailableError("is the port free?");
    const MHD_DaemonInfo* const info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT);
    port_ = info != nullptr ? info->port : 0;
    return absl::OkStatus();
  }

  int port() const override { return port_; }

 private:
  OpsHandlers handlers_;
  MHD_Daemon* daemon_ = nullptr;
  int port_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<OpsListener>> StartOpsListener(const std::string& address,
                                                              OpsHandlers handlers) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat("ops address ", address, ": write host:port"));
  }
  // An IPv6 address stands in brackets, as in [::1]:9464.
  std::string host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &hints, &found) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("ops address ", address, ": write an IP address and a port"));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, &freeaddrinfo);
  auto listener = std::make_unique<Listener>(std::move(handlers));
  if (absl::Status started = listener->Start(found->ai_addr, found->ai_family); !started.ok()) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ops address ", address, ": ", started.message()));
  }
  return listener;
}

}  // namespace latchkey::server
