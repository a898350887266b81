#pragma once

#include "base/bytes.h"
