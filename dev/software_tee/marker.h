#pragma once

// dev/software_tee plays the hardware vendor where there is no TEE hardware: real formats, real
// signatures, and roots that anybody can make. Evidence from it proves nothing. It is linked into
// latchkeyd-dev and tests only.

#include <string_view>

namespace latchkey::dev {

// Every binary that links the software TEE contains this text, so that a release binary can be
// searched for it.
inline constexpr std::string_view kSoftwareTeeMarker = "LATCHKEY_INSECURE_SOFTWARE_TEE";

// `SoftwareTeeBanner` is the line that a program with the software TEE prints when it starts.
std::string_view SoftwareTeeBanner();

}  // namespace latchkey::dev
