// Array<T>: memory straight from the system, zero until written, on huge pages, move-only.
// An untouched page costs nothing, so a huge table is free until its rows are used.
#pragma once
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "base/types.h"

namespace pyfm {

namespace detail {
// Zero-filled, 64-byte aligned bytes; throws OutOfMemory.
void* map_bytes(std::size_t bytes);
void unmap_bytes(void* data, std::size_t bytes) noexcept;
// Grows in place or by moving pages (no copy where the system can do so).
void* remap_bytes(void* data, std::size_t old_bytes, std::size_t new_bytes);
}  // namespace detail

template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Array() = default;
  explicit Array(Index size) : size_(size), capacity_(size) {
    if (size > 0) data_ = static_cast<T*>(detail::map_bytes(bytes(size)));
  }
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Array() {
    if (data_) detail::unmap_bytes(data_, bytes(capacity_));
  }

  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  Index size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T& operator[](Index i) noexcept { return data_[i]; }
  const T& operator[](Index i) const noexcept { return data_[i]; }
  std::span<const T> view() const noexcept { return {data_, static_cast<std::size_t>(size_)}; }

  // New elements are zero, but for what was there before a shrinking. Growth is geometric; pages
  // that stay unused are never touched.
  void resize(Index size) {
    if (size > capacity_)
      reserve(size > capacity_ + capacity_ / 2 ? size : capacity_ + capacity_ / 2);
    size_ = size;
  }
  void reserve(Index capacity) {
    if (capacity <= capacity_) return;
    data_ = static_cast<T*>(data_ ? detail::remap_bytes(data_, bytes(capacity_), bytes(capacity))
                                  : detail::map_bytes(bytes(capacity)));
    capacity_ = capacity;
  }

 private:
  static std::size_t bytes(Index n) { return static_cast<std::size_t>(n) * sizeof(T); }
  void swap(Array& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  T* data_ = nullptr;
  Index size_ = 0;
  Index capacity_ = 0;
};

}  // namespace pyfm
