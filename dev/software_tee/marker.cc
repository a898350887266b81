#include "dev/software_tee/marker.h"

namespace latchkey::dev {

std::string_view SoftwareTeeBanner() {
  return "LATCHKEY_INSECURE_SOFTWARE_TEE: evidence is made in software and proves nothing; for "
         "development and tests only";
}

}  // namespace latchkey::dev
