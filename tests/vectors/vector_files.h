#pragma once

// Reading the vector files. Large sets are not part of the tree: they are found by the environment
// variable LATCHKEY_VECTORS, by default ../shared/vectors beside the source root.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "nlohmann/json.hpp"

namespace latchkey::vectors {

std::filesystem::path VectorsRoot();

// The file's bytes; nullopt when there is none.
std::optional<Bytes> ReadFile(const std::filesystem::path& path);

// A file of the vectors folder; nullopt when it is absent.
std::optional<Bytes> ReadVectorFile(const std::string& path);
std::optional<nlohmann::json> ReadVectorJson(const std::string& path);

// The hex string `name` of `object`, decoded; ends the test program when it is not one.
Bytes HexMember(const nlohmann::json& object, const char* name);

// Big endian `bytes` without leading zeros beyond `size`, or padded to it.
Bytes FitTo(const Bytes& bytes, size_t size);

}  // namespace latchkey::vectors

// Skips the test when the vectors are not here.
#define SKIP_WITHOUT(file, path)                                                        \
  if (!(file).has_value()) {                                                            \
    GTEST_SKIP() << (::latchkey::vectors::VectorsRoot() / (path)).string()              \
                 << " is not here; set LATCHKEY_VECTORS to the folder of test vectors"; \
  }
