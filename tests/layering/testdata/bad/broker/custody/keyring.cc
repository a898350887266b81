#include <openssl/evp.h>

#include "latchkey/storage/v1/key.pb.h"
#include "latchkey/v1/key_wrap.pb.h"
