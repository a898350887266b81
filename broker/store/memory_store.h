#pragma once

#include <memory>

#include "broker/store/store.h"

namespace latchkey::store {

// `NewMemoryStore` makes a Store that lives as long as the process: for tests and `latchkeyd-dev`.
// It meets the same contract as the durable ones, except that nothing outlives it.
std::unique_ptr<Store> NewMemoryStore();

}  // namespace latchkey::store
