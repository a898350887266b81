#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// `RETURN_IF_ERROR(expr)` returns the status of `expr` from the enclosing function unless it is OK.
#define RETURN_IF_ERROR(expr)                                                                    \
  do {                                                                                           \
    if (absl::Status latchkey_status_ = (expr); !latchkey_status_.ok()) return latchkey_status_; \
  } while (false)

// `ASSIGN_OR_RETURN(lhs, expr)` assigns the value of a StatusOr, or returns its status.
#define ASSIGN_OR_RETURN(lhs, expr) \
  LATCHKEY_ASSIGN_OR_RETURN_(LATCHKEY_CONCAT_(latchkey_or_, __LINE__), lhs, expr)
#define LATCHKEY_CONCAT_(a, b) LATCHKEY_CONCAT_INNER_(a, b)
#define LATCHKEY_CONCAT_INNER_(a, b) a##b
#define LATCHKEY_ASSIGN_OR_RETURN_(tmp, lhs, expr) \
  auto tmp = (expr);                               \
  if (!tmp.ok()) return tmp.status();              \
  lhs = std::move(tmp).value()
