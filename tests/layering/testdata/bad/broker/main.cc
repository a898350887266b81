#include "dev/software_tee/vendor.h"
