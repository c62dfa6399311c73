// Where the blocks against the fields of a group stand in a row: their columns, for a tile.
//
// Objects without their numbers name the kind; of(…) makes those of the group that begins with
// listed field `first`, or of a strip of it, `lanes` wide from number `at` on.
#pragma once
#include <array>

#include "model/lanes.h"
#include "model/scratch.h"

namespace pyfm::PYFM_ISA {
namespace {

// Side by side. all: every field is listed, else s.column says where they begin.
template <bool all>
struct Together {
  static constexpr bool whole = true;  // nothing in it only fills it up
  Index begin;
  Lanes lanes;

  [[gnu::always_inline]] static Together of(const Scratch& s, int first, Index block, Index at,
                                            Lanes lanes) {
    return {(all ? first * block : s.column[first]) + at, lanes};
  }
  template <class T>
  [[gnu::always_inline]] T* in(T* row) const {
    return row + begin;
  }
  template <class T>
  [[gnu::always_inline]] Vec load(const T* p) const {
    return lanes.load(p);
  }
  template <class T, class Bits>
  [[gnu::always_inline]] void store(Vec v, T* p, Bits bits) const {
    lanes.store(v, p, bits);
  }
};

// With absent fields between the two halves of a vector.
template <int K>
struct Halves {
  static constexpr bool whole = true;
  std::array<Index, 2> begin;

  [[gnu::always_inline]] static Halves of(const Scratch& s, int first, Index, Index, Lanes) {
    return {{s.column[first], s.column[first + Vec::lanes / K / 2]}};
  }
  template <class T>
  [[gnu::always_inline]] T* in(T* row) const {
    return row;
  }
  template <class T>
  [[gnu::always_inline]] Vec load(const T* p) const {
    return load_apart<Vec::lanes / 2>(p, begin.data());
  }
  template <class T, class Bits>
  [[gnu::always_inline]] void store(Vec v, T* p, Bits bits) const {
    store_apart<Vec::lanes / 2>(v, p, begin.data(), bits);
  }
};

// One by one.
template <int K>
struct Apart {
  static constexpr bool whole = false;
  const Index* begin;

  [[gnu::always_inline]] static Apart of(const Scratch& s, int first, Index, Index, Lanes) {
    return {s.column + first};
  }
  template <class T>
  [[gnu::always_inline]] T* in(T* row) const {
    return row;
  }
  template <class T>
  [[gnu::always_inline]] Vec load(const T* p) const {
    return load_apart<K>(p, begin);
  }
  template <class T, class Bits>
  [[gnu::always_inline]] void store(Vec v, T* p, Bits bits) const {
    store_apart<K>(v, p, begin, bits);
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
