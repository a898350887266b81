#include "tests/vectors/wycheproof.h"

#include <gtest/gtest.h>

#include "tests/vectors/vector_files.h"

namespace latchkey::vectors {

void RunWycheproof(const std::string& file, const Expectation& expectation, const Check& check) {
  const std::string path = "crypto/wycheproof/" + file;
  const auto vectors = ReadVectorJson(path);
  SKIP_WITHOUT(vectors, path);
  EXPECT_EQ((*vectors)["numberOfTests"], expectation.tests);
  int seen = 0;
  std::map<std::string, int> not_applicable;
  std::map<int, std::string> exceptions_left = expectation.exceptions;
  for (const auto& group : (*vectors)["testGroups"]) {
    for (const auto& test : group["tests"]) {
      ++seen;
      const Verdict verdict = check(group, test);
      if (!verdict.not_applicable.empty()) {
        ++not_applicable[verdict.not_applicable];
        continue;
      }
      const std::string label = test["result"];
      ASSERT_TRUE(label == "valid" || label == "invalid" || label == "acceptable") << label;
      bool expected = label == "valid" || (label == "acceptable" && expectation.accepts_acceptable);
      if (exceptions_left.erase(test["tcId"].get<int>()) > 0) expected = !expected;
      EXPECT_EQ(verdict.accepted, expected)
          << file << " test " << test["tcId"] << " (" << label << "): " << test["comment"];
    }
  }
  EXPECT_EQ(seen, expectation.tests);
  EXPECT_EQ(not_applicable, expectation.not_applicable);
  for (const auto& [id, reason] : exceptions_left) {
    ADD_FAILURE() << file << ": exception " << id << " (" << reason << ") names no test";
  }
}

}  // namespace latchkey::vectors
