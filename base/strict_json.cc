#include "base/strict_json.h"

#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace latchkey {
namespace {

using nlohmann::json;

// `CountingIterator` walks the text and tells the handler how far the lexer got: nlohmann's SAX
// events carry no offset.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

// What nlohmann's message says is wrong, without the text it read: that may be anything, and long.
std::string FaultOf(std::string_view message) {
  if (const size_t dash = message.find(" - "); dash != message.npos)
    message.remove_prefix(dash + 3);
  return std::string(message.substr(0, message.find("; last read")));
}

// `Builder` makes the value from SAX events and refuses what nlohmann would let pass: duplicate and
// NUL names, deep nesting, big integers turned into doubles.
class Builder : public nlohmann::json_sax<json> {
 public:
  explicit Builder(const JsonLimits& limits) : limits_(limits) {}

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override { return Add(value); }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t&) override { return Refuse("binary value"); }

  // nlohmann reports an integer beyond 64 bits as a double.
  bool number_float(number_float_t value, const string_t& text) override {
    if (text.find_first_of(".eE") == text.npos) return Refuse("integer beyond 64 bits");
    return Add(value);
  }

  bool start_object(size_t) override { return Open(json::object()); }
  bool start_array(size_t) override { return Open(json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(string_t& name) override {
    if (name.find('\0') != name.npos) return Refuse("member name with a NUL character");
    auto [member, is_new] = open_.back()->get_ref<json::object_t&>().try_emplace(std::move(name));
    if (!is_new) return Refuse("duplicate member name");
    member_ = &member->second;
    return true;
  }

  bool parse_error(size_t, const std::string&, const json::exception& error) override {
    return Refuse(FaultOf(error.what()));
  }

  const std::string& fault() const { return fault_; }
  json& root() { return root_; }

 private:
  bool Refuse(std::string fault) {
    if (fault_.empty()) fault_ = std::move(fault);
    return false;
  }

  // Puts `value` where it belongs; null when there are too many.
  json* Place(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (++members_ > limits_.max_members) {
      Refuse(absl::StrCat("more than ", limits_.max_members, " members"));
      return nullptr;
    }
    if (open_.back()->is_array()) {
      auto& array = open_.back()->get_ref<json::array_t&>();
      array.push_back(std::move(value));
      return &array.back();
    }
    *member_ = std::move(value);
    return member_;
  }

  bool Add(json value) { return Place(std::move(value)) != nullptr; }

  bool Open(json container) {
    if (open_.size() >= static_cast<size_t>(limits_.max_depth)) {
      return Refuse(absl::StrCat("nested deeper than ", limits_.max_depth, " levels"));
    }
    json* placed = Place(std::move(container));
    if (placed == nullptr) return false;
    // Pointers stay valid: only the innermost container grows.
    open_.push_back(placed);
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  const JsonLimits limits_;
  json root_;
  std::vector<json*> open_;
  json* member_ = nullptr;
  size_t members_ = 0;
  std::string fault_;
};

absl::StatusOr<const json*> Member(const json& object, std::string_view name) {
  if (!object.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToAbsl(name), ": missing, as this is no JSON object"));
  }
  const auto found = object.find(name);
  if (found == object.end())
    return absl::InvalidArgumentError(absl::StrCat(ToAbsl(name), ": missing"));
  return &*found;
}

}  // namespace

absl::StatusOr<json> ParseStrictJson(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_size_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("JSON: ", text.size(), " bytes; at most ",
                                                   limits.max_size_bytes, " are allowed"));
  }
  // nlohmann skips a BOM and takes a NUL byte for the end of the text.
  if (text.starts_with("\xef\xbb\xbf")) {
    return absl::InvalidArgumentError("JSON: offset 0: byte order mark");
  }
  if (const size_t nul = text.find('\0'); nul != text.npos) {
    return absl::InvalidArgumentError(absl::StrCat("JSON: offset ", nul, ": NUL byte"));
  }
  Builder builder(limits);
  const char* reached = text.data();
  const bool parsed =
      json::sax_parse(CountingIterator(text.data(), &reached),
                      CountingIterator(text.data() + text.size(), &reached), &builder);
  if (!parsed) {
    return absl::InvalidArgumentError(
        absl::StrCat("JSON: offset ", reached - text.data(), ": ", builder.fault()));
  }
  return std::move(builder.root());
}

absl::StatusOr<std::string> JsonString(const json& object, std::string_view name) {
  ASSIGN_OR_RETURN(const json* member, Member(object, name));
  if (!member->is_string()) {
    return absl::InvalidArgumentError(absl::StrCat(ToAbsl(name), ": not a string"));
  }
  return member->get<std::string>();
}

absl::StatusOr<int64_t> JsonInt(const json& object, std::string_view name) {
  ASSIGN_OR_RETURN(const json* member, Member(object, name));
  if (!member->is_number_integer() ||
      (member->is_number_unsigned() && member->get<uint64_t>() > uint64_t{INT64_MAX})) {
    return absl::InvalidArgumentError(absl::StrCat(ToAbsl(name), ": not an int"));
  }
  return member->get<int64_t>();
}

absl::StatusOr<bool> JsonBool(const json& object, std::string_view name) {
  ASSIGN_OR_RETURN(const json* member, Member(object, name));
  if (!member->is_boolean())
    return absl::InvalidArgumentError(absl::StrCat(ToAbsl(name), ": not a bool"));
  return member->get<bool>();
}

}  // namespace latchkey
