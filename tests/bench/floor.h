#pragma once

#include <string>
#include <vector>

#include "tests/bench/workload.h"

namespace latchkey::bench {

// `FloorPart` is one thing that every correct release must do, with its CPU time.
struct FloorPart {
  std::string name;
  double microseconds = 0;
};

// `MeasureFloor` times the primitives of one release of `workload`'s profile, each alone on this
// thread, and its share of one commit of `group_size` releases to a SQLite file in `directory`. TLS
// calls are added by the caller.
std::vector<FloorPart> MeasureFloor(const Workload& workload, double group_size,
                                    const std::string& directory);

}  // namespace latchkey::bench
