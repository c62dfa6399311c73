// Softmax loss of one score for each class, of which y is the number: log Σ_c exp(s_c) - s_y.
// Derivative by s_c: p_c - [c = y], with the probabilities p_c = exp(s_c) / Σ exp.
#pragma once
#include <algorithm>
#include <cmath>
#include <span>

namespace pyfm {

// Returns the loss; the scores become the derivatives. exp is only taken of numbers up to 0: no
// overflow. Sums are in double precision and without the class at hand where it counts, so that
// the losses and derivatives of a class that is all but certain keep their digits.
inline double softmax(std::span<float> scores, std::size_t y) noexcept {
  const float most = *std::ranges::max_element(scores);
  const double own = static_cast<double>(scores[y]) - static_cast<double>(most);
  double others = 0;
  for (std::size_t c = 0; c < scores.size(); ++c) {
    scores[c] = std::exp(scores[c] - most);
    others += c == y ? 0.0 : static_cast<double>(scores[c]);
  }
  const double mine = static_cast<double>(scores[y]), total = others + mine;
  for (float& s : scores) s = static_cast<float>(static_cast<double>(s) / total);
  scores[y] = static_cast<float>(-others / total);
  return (mine == 1 ? std::log1p(others) : std::log(total)) - own;
}

// Probabilities of the classes.
inline void softmax_probabilities(std::span<const float> scores, double* to) noexcept {
  const auto most = static_cast<double>(*std::ranges::max_element(scores));
  double total = 0;
  for (std::size_t c = 0; c < scores.size(); ++c)
    total += to[c] = std::exp(static_cast<double>(scores[c]) - most);
  for (std::size_t c = 0; c < scores.size(); ++c) to[c] /= total;
}

}  // namespace pyfm
