// A set of small integers, one bit each.
#pragma once
#include <bit>
#include <cstdint>

#include "base/array.h"

namespace pyfm {

class Bits {
 public:
  Bits() = default;
  explicit Bits(Index size) : words_((size + 63) / 64) {}

  static std::uint64_t mask(Index i) noexcept { return std::uint64_t{1} << (i % 64); }
  std::uint64_t& word(Index i) noexcept { return words_[i / 64]; }

  Index count() const noexcept {
    Index n = 0;
    for (const std::uint64_t word : words_.view()) n += std::popcount(word);
    return n;
  }
  // f(i) for every member, ascending.
  template <class F>
  void for_each(F&& f) const {
    for (Index at = 0; at < words_.size(); ++at)
      for (std::uint64_t rest = words_[at]; rest != 0; rest &= rest - 1)
        f(at * 64 + std::countr_zero(rest));
  }

 private:
  Array<std::uint64_t> words_;
};

}  // namespace pyfm
