#include <openssl/ssl.h>

#include "broker/store/store.h"
