#include "dev/software_tee/vendor.h"
#include "tests/support/manual_clock.h"
#include "broker/release/releaser_fixture.h"
