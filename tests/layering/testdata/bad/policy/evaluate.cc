#include <fstream>

#include "base/bytes.h"
#include "broker/release/releaser.h"
