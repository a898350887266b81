#pragma once

#include <span>
#include <string_view>

namespace latchkey::policy {

// `NearestName` returns the candidate most like `name`, for "did you mean": the one with the fewest
// edits, when those are few for its length, or the one that ends in ".name". It returns "" when
// nothing is near.
std::string_view NearestName(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace latchkey::policy
