#include "broker/release/releaser.h"
#include "latchkey/storage/v1/key.pb.h"
