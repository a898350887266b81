#include "tests/bench/load.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/bench/must.h"

namespace latchkey::bench {
namespace {

struct Call {
  grpc::ClientContext context;
  grpc::ByteBuffer answer;
  grpc::Status status;
  absl::Time due;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
};

// Sends calls on one channel and reaps them on one completion queue.
class Loader {
 public:
  explicit Loader(const LoadTarget& target) : method_(target.method) {
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = target.ca_pem;
    const auto channel =
        grpc::CreateChannel(absl::StrCat("localhost:", target.port), grpc::SslCredentials(tls));
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) {
      Die("load: cannot connect");
    }
    stub_ = std::make_unique<grpc::GenericStub>(channel);
  }

  void Send(const Bytes& request, absl::Time due) {
    auto* call = new Call;
    call->due = due;
    const grpc::Slice slice(request);
    const grpc::ByteBuffer buffer(&slice, 1);
    call->reader = stub_->PrepareUnaryCall(&call->context, method_, buffer, &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->answer, &call->status, call);
  }

  // Waits for one call to end.
  void Reap(LoadResult& result, bool keep_answers) {
    void* tag = nullptr;
    bool ok = false;
    if (!queue_.Next(&tag, &ok)) Die("load: queue ended");
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    if (!call->status.ok()) {
      if (result.failed++ == 0) result.first_error = call->status.error_message();
      return;
    }
    ++result.ok;
    result.latencies.push_back(absl::Now() - call->due);
    if (!keep_answers) return;
    std::vector<grpc::Slice> slices;
    if (!call->answer.Dump(&slices).ok()) Die("load: an answer cannot be read");
    Bytes answer;
    for (const grpc::Slice& slice : slices) {
      answer.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    result.answers.push_back(std::move(answer));
  }

 private:
  const std::string method_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericStub> stub_;
};

}  // namespace

LoadResult ClosedLoop(const LoadTarget& target, const std::vector<Bytes>& requests, int outstanding,
                      bool keep_answers) {
  Loader loader(target);
  LoadResult result;
  const absl::Time start = absl::Now();
  size_t sent = 0;
  for (; sent < requests.size() && sent < static_cast<size_t>(outstanding); ++sent) {
    loader.Send(requests[sent], absl::Now());
  }
  for (size_t reaped = 0; reaped < requests.size(); ++reaped) {
    loader.Reap(result, keep_answers);
    if (sent < requests.size()) loader.Send(requests[sent++], absl::Now());
  }
  result.elapsed = absl::Now() - start;
  return result;
}

LoadResult OpenLoop(const LoadTarget& target, const std::vector<Bytes>& requests, double rate) {
  Loader loader(target);
  LoadResult result;
  const absl::Time start = absl::Now();
  std::thread sender([&] {
    for (size_t i = 0; i < requests.size(); ++i) {
      const absl::Time due = start + absl::Seconds(static_cast<double>(i) / rate);
      if (const absl::Duration early = due - absl::Now(); early > absl::ZeroDuration()) {
        absl::SleepFor(early);
      }
      loader.Send(requests[i], due);
    }
  });
  for (size_t reaped = 0; reaped < requests.size(); ++reaped) loader.Reap(result, false);
  sender.join();
  result.elapsed = absl::Now() - start;
  return result;
}

}  // namespace latchkey::bench
