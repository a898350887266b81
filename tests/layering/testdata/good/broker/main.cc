#include "broker/server/service.cc"
