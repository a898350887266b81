#include "../base/bytes.h"
#include "policy.h"
