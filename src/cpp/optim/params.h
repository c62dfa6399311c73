// What the user sets on an optimizer: a plain aggregate that crosses the ISA border.
#pragma once
#include <limits>
#include <string_view>

namespace pyfm {

inline constexpr float kNoLimit = std::numeric_limits<float>::infinity();

struct OptimizerParams {
  float learning_rate = 0;        // η; α in FTRL
  float momentum = 0;             // μ
  float rho = 0;                  // ρ of RMSProp
  float beta = 0;                 // β of FTRL
  float beta1 = 0, beta2 = 0;     // β₁, β₂ of Adam
  float epsilon = 0;              // ε of RMSProp and Adam
  float weight_decay = 0;         // λ of AdamW
  float initial_accumulator = 0;  // G₀ of AdaGrad
  float l1 = 0;                   // λ₁
  float l2 = 0;                   // λ₂
  float clip_value = kNoLimit;    // of the gradient of each weight
  float clip_norm = kNoLimit;  // of the gradient of all weights of a part that an example touches
};

// Numbers that a parameter may be; all are finite. A limit may also be left out.
enum class Range { not_negative, positive, below_one, limit };

struct ParamInfo {
  std::string_view name;
  float OptimizerParams::* member;
  Range range;
};

inline constexpr ParamInfo kParams[] = {
    {"learning_rate", &OptimizerParams::learning_rate, Range::positive},
    {"momentum", &OptimizerParams::momentum, Range::below_one},
    {"rho", &OptimizerParams::rho, Range::below_one},
    {"beta", &OptimizerParams::beta, Range::positive},
    {"beta1", &OptimizerParams::beta1, Range::below_one},
    {"beta2", &OptimizerParams::beta2, Range::below_one},
    {"epsilon", &OptimizerParams::epsilon, Range::positive},
    {"weight_decay", &OptimizerParams::weight_decay, Range::not_negative},
    {"initial_accumulator", &OptimizerParams::initial_accumulator, Range::positive},
    {"l1", &OptimizerParams::l1, Range::not_negative},
    {"l2", &OptimizerParams::l2, Range::not_negative},
    {"clip_value", &OptimizerParams::clip_value, Range::limit},
    {"clip_norm", &OptimizerParams::clip_norm, Range::limit},
};

// What an optimizer is called, the numbers of state it keeps beside each weight, and the names of
// its parameters, separated by spaces. Limits are parameters of every optimizer.
struct OptimizerInfo {
  std::string_view name;
  int slots;
  std::string_view params;
  bool has_own_l1 = false;  // others leave L1 to optim/proximal.h altogether
};

}  // namespace pyfm
