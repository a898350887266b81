#pragma once

#include <string_view>
#include <vector>

#include "policy/parse.h"

namespace latchkey::policy {

// `CheckText` refuses what makes a text read differently from what it says: a byte order mark,
// bytes that are not UTF-8, control characters, and marks that change the direction of text
// ("Trojan source"). It returns false after it added an issue.
bool CheckText(std::string_view text, std::vector<Issue>& issues);

// Whether `text` holds a control or direction character; escapes in YAML can bring one in after
// CheckText passed.
bool HasHiddenCharacter(std::string_view text);

}  // namespace latchkey::policy
