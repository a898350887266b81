#include <grpcpp/grpcpp.h>

#include "broker/release/releaser.h"
#include "latchkey/v1/audit.pb.h"
