#include "dev/software_tee/vendor.h"
#include "tests/support/manual_clock.h"
