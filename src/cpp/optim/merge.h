// How a weight and its state, of which a thread has a copy of its own (train/hot_rows.h), meet what
// all threads share. What adds up (weights, sums over gradients, counts of steps) takes the copy's
// gain. Averages that forget are averaged: the gains of several threads that each have forgotten
// where they started would add up to anything.
#pragma once

namespace pyfm::PYFM_ISA {
namespace {

// base: what the copy was when it last met the others.
template <class V>
inline V with_gain(V shared, V own, V base) {
  return shared + (own - base);
}

template <class V>
inline V mean(V a, V b) {
  return V(0.5f) * (a + b);
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
