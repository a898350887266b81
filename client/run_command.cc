#include "client/run_command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"

extern char** environ;

namespace latchkey::client {
namespace {

absl::Status Failed(const std::string& program, const std::string& what) {
  return absl::FailedPreconditionError(absl::StrCat("command ", program, ": ", what));
}

// The child and our ends of its standard input and output, which are two socket pairs: writing to
// one that the child closed then gives an error and not SIGPIPE.
class Child {
 public:
  ~Child() {
    CloseInput();
    if (output_ >= 0) close(output_);
    if (pid_ > 0) {
      kill(-pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }

  absl::Status Start(const std::vector<std::string>& argv) {
    std::array<int, 2> in = {-1, -1};
    std::array<int, 2> out = {-1, -1};
    const auto close_ends = absl::MakeCleanup([&] {
      if (in[1] >= 0) close(in[1]);
      if (out[1] >= 0) close(out[1]);
    });
    if (!MakePair(in) || !MakePair(out)) return Failed(argv[0], "cannot make its pipes");
    input_ = in[0];
    output_ = out[0];
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    std::vector<char*> arguments;
    for (const std::string& argument : argv)
      arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const int error =
        posix_spawn(&pid_, argv[0].c_str(), &files, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (error == 0) return absl::OkStatus();
    pid_ = -1;
    return Failed(argv[0], absl::StrCat("cannot be started: ", strerror(error)));
  }

  int input() const { return input_; }
  int output() const { return output_; }
  void CloseInput() {
    if (input_ >= 0) close(input_);
    input_ = -1;
  }

  // The wait status once the child has ended, else -1.
  int Reap() {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return -1;
    pid_ = -1;
    return status;
  }

 private:
  static bool MakePair(std::array<int, 2>& ends) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0 &&
           fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
  }

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
};

// Feeds what is left of `input`; closes the child's input at its end, or when the child does not
// read it.
void Feed(Child& child, ByteView& input) {
  const ssize_t count = send(child.input(), input.data(), input.size(), MSG_NOSIGNAL);
  if (count >= 0) input = input.subspan(count);
  if (input.empty() || (count < 0 && errno != EAGAIN && errno != EINTR)) child.CloseInput();
}

// Returns false at the end of the output.
bool Collect(Child& child, Bytes& output) {
  std::array<char, 8192> buffer;
  const ssize_t count = read(child.output(), buffer.data(), buffer.size());
  if (count > 0) output.append(buffer.data(), count);
  return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

absl::Status WaitForExit(Child& child, const std::string& program, absl::Time deadline) {
  for (;;) {
    const int status = child.Reap();
    if (status >= 0) {
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
      if (WIFSIGNALED(status)) {
        return Failed(program, absl::StrCat("was ended by signal ", WTERMSIG(status)));
      }
      return Failed(program, absl::StrCat("ended with exit code ", WEXITSTATUS(status),
                                          "; see its own message above"));
    }
    if (absl::Now() >= deadline) return Failed(program, "did not end in time and was killed");
    absl::SleepFor(absl::Milliseconds(2));
  }
}

}  // namespace

absl::StatusOr<Bytes> RunCommand(const std::vector<std::string>& argv, ByteView input,
                                 size_t max_output_bytes, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  Child child;
  RETURN_IF_ERROR(child.Start(argv));
  Bytes output;
  for (;;) {
    std::array<pollfd, 2> wait = {pollfd{child.output(), POLLIN, 0},
                                  pollfd{child.input(), POLLOUT, 0}};
    const int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left <= 0) return Failed(argv[0], "did not answer in time and was killed");
    const int ready =
        poll(wait.data(), wait.size(), static_cast<int>(std::min<int64_t>(left, 1000)));
    if (ready < 0 && errno != EINTR) return Failed(argv[0], "cannot be waited for");
    if (ready <= 0) continue;
    if (wait[1].revents != 0 && child.input() >= 0) Feed(child, input);
    if (wait[0].revents != 0 && !Collect(child, output)) break;
    if (output.size() > max_output_bytes) {
      return Failed(argv[0], absl::StrCat("wrote more than ", max_output_bytes, " bytes"));
    }
  }
  RETURN_IF_ERROR(WaitForExit(child, argv[0], deadline));
  return output;
}

}  // namespace latchkey::client
