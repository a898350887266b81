#include "tests/vectors/vector_files.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/check.h"

namespace latchkey::vectors {

std::filesystem::path VectorsRoot() {
  const char* root = std::getenv("LATCHKEY_VECTORS");
  return root == nullptr ? "../shared/vectors" : root;
}

std::optional<Bytes> ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

std::optional<Bytes> ReadVectorFile(const std::string& path) {
  return ReadFile(VectorsRoot() / path);
}

std::optional<nlohmann::json> ReadVectorJson(const std::string& path) {
  const std::optional<Bytes> text = ReadVectorFile(path);
  if (!text.has_value()) return std::nullopt;
  return nlohmann::json::parse(*text);
}

Bytes HexMember(const nlohmann::json& object, const char* name) {
  const auto member = object.find(name);
  LATCHKEY_CHECK(member != object.end() && member->is_string());
  absl::StatusOr<Bytes> bytes = HexDecode(member->get<std::string>());
  LATCHKEY_CHECK(bytes.ok());
  return *std::move(bytes);
}

Bytes FitTo(const Bytes& bytes, size_t size) {
  if (bytes.size() <= size) return Bytes(size - bytes.size(), '\0') + bytes;
  LATCHKEY_CHECK(bytes.find_first_not_of('\0') >= bytes.size() - size);
  return bytes.substr(bytes.size() - size);
}

}  // namespace latchkey::vectors
