#include <grpcpp/grpcpp.h>

#include "latchkey/v1/audit.pb.h"
#include "tests/support/manual_clock.h"
#include "broker/release/releaser_fixture.h"
