#pragma once

#include <algorithm>
#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "model/change_set.h"

namespace swarm::state {

// The key an object is found and ordered by.
struct IdOf {
  template <class T>
  const auto& operator()(const T& object) const {
    return object.id;
  }
};
struct RevisionKeyOf {
  using Key = std::tuple<const model::ServiceId&, const model::RevisionNumber&>;
  Key operator()(const model::Revision& revision) const {
    return {revision.service, revision.number};
  }
};

// Immutable objects in order of their keys; an ordered map whose copy costs next to nothing.
//
// The pointers stand in sorted blocks of at most kBlockObjects, and a copy shares the blocks: a
// million objects are copied by some ten thousand pointers. Whoever writes copies the one block it
// writes to, once after each copy of the table. (A tree of such blocks would be a B+ tree; two
// levels do for what a swarm holds, and are read faster.) Objects hold their keys, so that an entry
// costs a pointer and nothing else.
//
// A table belongs to one thread; a copy may go to another one. Iterators and references last until
// the next change.
template <class T, class KeyOf = IdOf>
class Table {
 public:
  using Pointer = std::shared_ptr<const T>;
  using Key = std::invoke_result_t<KeyOf, const T&>;  // a reference, or a tuple of some
  using Entry = std::pair<Key, const Pointer&>;

  static constexpr size_t kBlockObjects = 128;

 private:
  struct Block {
    uint64_t edition = 0;  // of the table that may write to it
    std::vector<Pointer> objects;
  };
  using Blocks = std::vector<std::shared_ptr<Block>>;

 public:
  class const_iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using reference = Entry;
    struct pointer {
      Entry entry;
      const Entry* operator->() const { return &entry; }
    };

    const_iterator() = default;

    Entry operator*() const {
      const Pointer& object = (*blocks_)[block_]->objects[at_];
      return {KeyOf()(*object), object};
    }
    pointer operator->() const { return {**this}; }
    const_iterator& operator++() {
      if (++at_ == (*blocks_)[block_]->objects.size()) {
        at_ = 0;
        ++block_;
      }
      return *this;
    }
    const_iterator operator++(int) {
      const_iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const const_iterator& other) const {
      return block_ == other.block_ && at_ == other.at_;
    }

   private:
    friend class Table;
    const_iterator(const Blocks& blocks, size_t block, size_t at)
        : blocks_(&blocks), block_(block), at_(at) {}

    const Blocks* blocks_ = nullptr;
    size_t block_ = 0;
    size_t at_ = 0;
  };

  Table() = default;
  Table(const Table& other) : blocks_(other.blocks_), size_(other.size_) {
    if (!blocks_.empty()) {
      other.edition_ = new_edition();  // from now on neither writes to what both see
    }
  }
  Table(Table&& other) noexcept { swap(other); }
  Table& operator=(Table other) noexcept {
    swap(other);
    return *this;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const_iterator begin() const { return {blocks_, 0, 0}; }
  const_iterator end() const { return {blocks_, blocks_.size(), 0}; }

  // The first entry that is not before `key`.
  const_iterator lower_bound(const Key& key) const {
    const size_t block = block_of(key);
    if (block == blocks_.size()) {
      return end();
    }
    return {blocks_, block, place_in(*blocks_[block], key)};
  }
  // Null when there is none.
  Pointer find(const Key& key) const {
    const const_iterator at = lower_bound(key);
    return at != end() && (*at).first == key ? (*at).second : nullptr;
  }
  bool contains(const Key& key) const { return find(key) != nullptr; }

  // Puts the object in the place of the one with its key, if there is one.
  void put(Pointer object) {
    const Key key = KeyOf()(*object);
    if (blocks_.empty() || (is_past_end(key) && blocks_.back()->objects.size() >= kBlockObjects)) {
      // In order, as from a snapshot: blocks get full.
      blocks_.push_back(std::make_shared<Block>(Block{edition_, {std::move(object)}}));
      ++size_;
      return;
    }
    const size_t index = std::min(block_of(key), blocks_.size() - 1);
    std::vector<Pointer>& objects = writable(index).objects;
    const size_t place = place_in(*blocks_[index], key);
    if (place < objects.size() && KeyOf()(*objects[place]) == key) {
      objects[place] = std::move(object);
      return;
    }
    objects.insert(objects.begin() + static_cast<std::ptrdiff_t>(place), std::move(object));
    ++size_;
    if (objects.size() > kBlockObjects) {
      split(index);
    }
  }

  // Whether there was one.
  bool erase(const Key& key) {
    const const_iterator at = lower_bound(key);
    if (at == end() || (*at).first != key) {
      return false;
    }
    std::vector<Pointer>& objects = writable(at.block_).objects;
    objects.erase(objects.begin() + static_cast<std::ptrdiff_t>(at.at_));
    --size_;
    if (objects.size() < kBlockObjects / 4) {
      merge(at.block_);
    }
    return true;
  }

  // Forgets objects from the end, at least `count` of them if there are so many and at most a block
  // more: a large table is destroyed in slices.
  void drop(size_t count) {
    while (count > 0 && !blocks_.empty()) {
      const size_t dropped = blocks_.back()->objects.size();
      blocks_.pop_back();
      size_ -= dropped;
      count -= std::min(count, dropped);
    }
  }

  // What a copy costs, and how much of it is common with another table: for tests and figures.
  size_t blocks() const { return blocks_.size(); }
  size_t blocks_shared_with(const Table& other) const {
    std::vector<const Block*> theirs;
    for (const auto& block : other.blocks_) {
      theirs.push_back(block.get());
    }
    std::sort(theirs.begin(), theirs.end());
    return static_cast<size_t>(
        std::count_if(blocks_.begin(), blocks_.end(), [&](const auto& block) {
          return std::binary_search(theirs.begin(), theirs.end(), block.get());
        }));
  }

  // Of the same objects, not of equal ones.
  bool operator==(const Table& other) const {
    return size_ == other.size_ &&
           std::equal(begin(), end(), other.begin(), [](const Entry& mine, const Entry& theirs) {
             return mine.second == theirs.second;
           });
  }

 private:
  // Any number but those given before, in the whole process.
  static uint64_t new_edition() {
    static std::atomic<uint64_t> last = 0;
    return ++last;
  }

  void swap(Table& other) noexcept {
    blocks_.swap(other.blocks_);
    std::swap(size_, other.size_);
    std::swap(edition_, other.edition_);
  }

  bool is_past_end(const Key& key) const { return KeyOf()(*blocks_.back()->objects.back()) < key; }

  // The first block that ends at `key` or after it.
  size_t block_of(const Key& key) const {
    const auto found = std::partition_point(
        blocks_.begin(), blocks_.end(),
        [&key](const auto& block) { return KeyOf()(*block->objects.back()) < key; });
    return static_cast<size_t>(found - blocks_.begin());
  }
  static size_t place_in(const Block& block, const Key& key) {
    const auto found =
        std::partition_point(block.objects.begin(), block.objects.end(),
                             [&key](const Pointer& object) { return KeyOf()(*object) < key; });
    return static_cast<size_t>(found - block.objects.begin());
  }

  Block& writable(size_t index) {
    std::shared_ptr<Block>& block = blocks_[index];
    if (block->edition != edition_) {
      block = std::make_shared<Block>(Block{edition_, block->objects});
    }
    return *block;
  }

  void split(size_t index) {
    std::vector<Pointer>& left = blocks_[index]->objects;
    const auto middle = left.begin() + static_cast<std::ptrdiff_t>(left.size() / 2);
    auto right = std::make_shared<Block>();
    right->edition = edition_;
    right->objects.assign(std::make_move_iterator(middle), std::make_move_iterator(left.end()));
    left.erase(middle, left.end());
    left.shrink_to_fit();
    blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(index) + 1, std::move(right));
  }

  // Joins a small block with the one after it if both fit one; no block is ever empty.
  void merge(size_t index) {
    const bool has_next = index + 1 < blocks_.size();
    if (has_next &&
        blocks_[index]->objects.size() + blocks_[index + 1]->objects.size() <= kBlockObjects / 2) {
      const std::vector<Pointer>& next = blocks_[index + 1]->objects;
      std::vector<Pointer>& objects = blocks_[index]->objects;
      objects.insert(objects.end(), next.begin(), next.end());
      blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(index) + 1);
    } else if (blocks_[index]->objects.empty()) {
      blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(index));
    }
  }

  Blocks blocks_;
  size_t size_ = 0;
  mutable uint64_t edition_ = new_edition();
};

using NodeTable = Table<model::Node>;
using ServiceTable = Table<model::Service>;
using RevisionTable = Table<model::Revision, RevisionKeyOf>;
using TaskTable = Table<model::Task>;

}  // namespace swarm::state
