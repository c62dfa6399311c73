// What the user sets on an optimizer: a plain aggregate that crosses the ISA border.
#pragma once
#include <span>
#include <string_view>

namespace pyfm {

struct OptimizerParams {
  float learning_rate = 0;        // η; α in FTRL
  float l1 = 0;                   // λ₁
  float l2 = 0;                   // λ₂
  float beta = 0;                 // β of FTRL
  float initial_accumulator = 0;  // G₀ of AdaGrad
};

struct ParamInfo {
  std::string_view name;
  float OptimizerParams::* member;
  bool may_be_zero;
};

// All parameters are finite and not negative.
inline constexpr ParamInfo kParams[] = {
    {"learning_rate", &OptimizerParams::learning_rate, false},
    {"l1", &OptimizerParams::l1, true},
    {"l2", &OptimizerParams::l2, true},
    {"beta", &OptimizerParams::beta, false},
    {"initial_accumulator", &OptimizerParams::initial_accumulator, false},
};

// What an optimizer is called, the floats of state it keeps beside each weight, and the names of
// its parameters, separated by spaces.
struct OptimizerInfo {
  std::string_view name;
  int slots;
  std::string_view params;
};

}  // namespace pyfm
