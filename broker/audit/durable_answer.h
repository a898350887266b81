#pragma once

#include <utility>

#include "base/bytes.h"
#include "latchkey/v1/statement.pb.h"

namespace latchkey::audit {

// `DurableAnswer` is what may leave: only a committed append makes one. No record, no key.
class DurableAnswer {
 public:
  // What the appender asked to send.
  const Bytes& payload() const { return payload_; }
  uint64_t leaf_index() const { return receipt_.leaf_index(); }
  const v1::Receipt& receipt() const { return receipt_; }

 private:
  friend class AuditLog;
  friend class AnswerMaker;  // audit_log.cc
  DurableAnswer(Bytes payload, v1::Receipt receipt)
      : payload_(std::move(payload)), receipt_(std::move(receipt)) {}
  Bytes payload_;
  v1::Receipt receipt_;
};

}  // namespace latchkey::audit
