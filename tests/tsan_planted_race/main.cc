// A race planted on purpose: two threads write one number without a lock. A ThreadSanitizer run
// that lets this pass proves nothing about the rest.

#include <cstdio>
#include <thread>

#include "absl/strings/str_cat.h"

namespace {

int planted_race = 0;

void Increment() {
  for (int i = 0; i < 100'000; ++i) ++planted_race;
}

}  // namespace

int main() {
  std::thread one(Increment);
  std::thread two(Increment);
  one.join();
  two.join();
  // abseil is not instrumented: the options that silence it must not silence us.
  std::puts(absl::StrCat("counted ", planted_race).c_str());
  return 0;
}
