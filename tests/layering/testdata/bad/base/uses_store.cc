#include "broker/store/store.h"
