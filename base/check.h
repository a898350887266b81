#pragma once

#include <cstdio>
#include <cstdlib>

// `LATCHKEY_CHECK` ends the process when an invariant of our own code is broken. What an outsider
// can cause returns a Status instead.
#define LATCHKEY_CHECK(condition)                                                            \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
