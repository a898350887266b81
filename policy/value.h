#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "base/bytes.h"

// The typed values of policy expressions: what a claim holds and what a literal means.

namespace latchkey::policy {

enum class Type { kBool, kInt, kString, kBytes, kTimestamp, kDuration, kList, kSet };

// `TypeName` is the word for a type in messages: "bool", "int", "string", "bytes", ...
std::string_view TypeName(Type type);

// `BytesValue` keeps binary values apart from text: a measurement never equals a string.
struct BytesValue {
  Bytes bytes;
  friend bool operator==(const BytesValue& a, const BytesValue& b) { return a.bytes == b.bytes; }
};

using StringList = std::vector<std::string>;

// `Value` is one typed value. Nothing converts: 3, "3" and 0x33 are three different values.
class Value {
 public:
  Value(bool value) : value_(value) {}                       // NOLINT(google-explicit-constructor)
  Value(int value) : value_(static_cast<int64_t>(value)) {}  // NOLINT(google-explicit-constructor)
  Value(int64_t value) : value_(value) {}                    // NOLINT(google-explicit-constructor)
  Value(std::string value) : value_(std::move(value)) {}     // NOLINT(google-explicit-constructor)
  Value(const char* value) : value_(std::string(value)) {}   // NOLINT(google-explicit-constructor)
  Value(BytesValue value) : value_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Value(absl::Time value) : value_(value) {}                 // NOLINT(google-explicit-constructor)
  Value(absl::Duration value) : value_(value) {}             // NOLINT(google-explicit-constructor)
  Value(StringList value) : value_(std::move(value)) {}      // NOLINT(google-explicit-constructor)

  Type type() const;

  // `Get` returns the value when it is of type T, else nullptr.
  template <typename T>
  const T* Get() const {
    return std::get_if<T>(&value_);
  }

  template <typename Visitor>
  auto Visit(Visitor visitor) const {
    return std::visit(visitor, value_);
  }

  friend bool operator==(const Value& a, const Value& b) { return a.value_ == b.value_; }

 private:
  std::variant<bool, int64_t, std::string, BytesValue, absl::Time, absl::Duration, StringList>
      value_;
};

// `ToDisplay` writes a value for people: text in quotes, bytes as lower-case hex, times as RFC 3339
// in UTC. At most 80 characters; a longer value ends in "...".
std::string ToDisplay(const Value& value);

}  // namespace latchkey::policy
