#pragma once

// Runs files of C2SP/wycheproof (testvectors_v1): each verdict of ours must equal the file's label,
// each exception is named with its reason, and a test that was not run, or a file of another size,
// fails.

#include <functional>
#include <map>
#include <string>

#include "nlohmann/json.hpp"

namespace latchkey::vectors {

// What our code made of one test: accepted or refused; or the reason why it has no such parameters.
struct Verdict {
  bool accepted = false;
  std::string not_applicable;
};
inline Verdict Accept(bool accepted) { return {accepted, ""}; }
inline Verdict NotApplicable(std::string reason) { return {false, std::move(reason)}; }

using Check = std::function<Verdict(const nlohmann::json& group, const nlohmann::json& test)>;

struct Expectation {
  int tests = 0;  // of the whole file
  // How many tests are not applicable, by reason.
  std::map<std::string, int> not_applicable;
  // Tests whose verdict rightly differs from the label, and why.
  std::map<int, std::string> exceptions;
  // What is made of tests labelled "acceptable".
  bool accepts_acceptable = false;
};

// Skips when the file is not here.
void RunWycheproof(const std::string& file, const Expectation& expectation, const Check& check);

}  // namespace latchkey::vectors
