#pragma once

#include "broker/store/store.h"
#include "latchkey/v1/statement.pb.h"
#include "policy/policy.h"
