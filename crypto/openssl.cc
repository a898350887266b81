#include "crypto/openssl.h"

#include <openssl/err.h>
#include <openssl/param_build.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace latchkey::crypto {

void OpenSslDeleter::operator()(OSSL_PARAM_BLD* p) const { OSSL_PARAM_BLD_free(p); }

ErrorQueue::ErrorQueue() { ERR_clear_error(); }
ErrorQueue::~ErrorQueue() { ERR_clear_error(); }

absl::Status OpenSslError(std::string_view doing) {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  absl::Status status = absl::InternalError(absl::StrCat(
      std::string(doing), ": ", reason == nullptr ? "no reason given by OpenSSL" : reason));
  ERR_clear_error();
  return status;
}

}  // namespace latchkey::crypto
