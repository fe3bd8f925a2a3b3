#pragma once

#include <algorithm>
#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "model/change_set.h"

namespace swarm::state {

// The first eight characters as a number that is ordered as they are.
inline uint64_t prefix_of(std::string_view text) {
  uint64_t prefix = 0;
  for (size_t i = 0; i < sizeof(prefix); ++i) {
    prefix = prefix << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0);
  }
  return prefix;
}

// The key an object is found and ordered by, and the beginning of that key: a smaller one means a
// smaller key.
struct IdOf {
  template <class T>
  const auto& operator()(const T& object) const {
    return object.id;
  }
  template <class Id>
  static uint64_t prefix(const Id& id) {
    return prefix_of(id.value());
  }
};
struct RevisionKeyOf {
  using Key = std::tuple<const model::ServiceId&, const model::RevisionNumber&>;
  Key operator()(const model::Revision& revision) const {
    return {revision.service, revision.number};
  }
  static uint64_t prefix(const Key& key) { return prefix_of(std::get<0>(key).value()); }
};

// Immutable objects in order of their keys; an ordered map whose copy costs next to nothing.
//
// The pointers stand in sorted blocks of at most kBlockObjects, and a copy shares the blocks: a
// million objects are copied by some ten thousand pointers. Whoever writes copies the one block it
// writes to, once after each copy of the table. (A tree of such blocks would be a B+ tree; two
// levels do for what a swarm holds, and are read faster.) Objects hold their keys; beside its
// pointer stands only the beginning of the key, or each step of a search would wait for three lines
// of memory: the count of the pointer, the object, the text of its id.
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
  struct Slot {
    uint64_t prefix;
    Pointer object;

    bool is_before(uint64_t key_prefix, const Key& key) const {
      return prefix != key_prefix ? prefix < key_prefix : KeyOf()(*object) < key;
    }
  };
  struct Block {
    explicit Block(uint64_t of) : edition(of) {}
    Block(uint64_t of, std::vector<Slot> with) : edition(of), slots(std::move(with)) {}

    const uint64_t edition;  // of the table that may write to it
    std::vector<Slot> slots;
  };
  // Beside each block stands the beginning of its last key, or each step of the search for a block
  // would wait for memory in the same way.
  struct BlockRef {
    uint64_t last;
    std::shared_ptr<Block> block;
  };
  using Blocks = std::vector<BlockRef>;

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
      const Pointer& object = (*blocks_)[block_].block->slots[at_].object;
      return {KeyOf()(*object), object};
    }
    pointer operator->() const { return {**this}; }
    const_iterator& operator++() {
      if (++at_ == (*blocks_)[block_].block->slots.size()) {
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
    return {blocks_, block, place_in(*blocks_[block].block, key)};
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
    const size_t block = block_of(key);
    const bool is_past_end = block == blocks_.size();
    if (is_past_end && (blocks_.empty() || blocks_.back().block->slots.size() >= kBlockObjects)) {
      // In order, as from a snapshot: blocks get full.
      const uint64_t prefix = KeyOf::prefix(key);
      blocks_.push_back({prefix, std::make_shared<Block>(edition_)});
      blocks_.back().block->slots.push_back({prefix, std::move(object)});
      ++size_;
      return;
    }
    const size_t index = is_past_end ? block - 1 : block;
    std::vector<Slot>& slots = writable(index).slots;
    const size_t place = place_in(*blocks_[index].block, key);
    if (place < slots.size() && KeyOf()(*slots[place].object) == key) {
      slots[place].object = std::move(object);
      return;
    }
    Slot slot{KeyOf::prefix(key), std::move(object)};
    make_room(slots);
    slots.insert(slots.begin() + static_cast<std::ptrdiff_t>(place), std::move(slot));
    ++size_;
    note_last(index);
    if (slots.size() > kBlockObjects) {
      split(index);
    }
  }

  // Whether there was one.
  bool erase(const Key& key) {
    const const_iterator at = lower_bound(key);
    if (at == end() || (*at).first != key) {
      return false;
    }
    std::vector<Slot>& slots = writable(at.block_).slots;
    slots.erase(slots.begin() + static_cast<std::ptrdiff_t>(at.at_));
    --size_;
    if (!slots.empty()) {
      note_last(at.block_);
    }
    if (slots.size() < kBlockObjects / 4) {
      merge(at.block_);
    }
    return true;
  }

  // Forgets objects from the end, at least `count` of them if there are so many and at most a block
  // more: a large table is destroyed in slices.
  void drop(size_t count) {
    while (count > 0 && !blocks_.empty()) {
      const size_t dropped = blocks_.back().block->slots.size();
      blocks_.pop_back();
      size_ -= dropped;
      count -= std::min(count, dropped);
    }
  }

  // What a copy costs, and how much of it is common with another table: for tests and figures.
  size_t blocks() const { return blocks_.size(); }
  size_t blocks_shared_with(const Table& other) const {
    std::vector<const Block*> theirs;
    for (const BlockRef& ref : other.blocks_) {
      theirs.push_back(ref.block.get());
    }
    std::sort(theirs.begin(), theirs.end());
    return static_cast<size_t>(
        std::count_if(blocks_.begin(), blocks_.end(), [&](const BlockRef& ref) {
          return std::binary_search(theirs.begin(), theirs.end(), ref.block.get());
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

  // The first block that ends at `key` or after it.
  size_t block_of(const Key& key) const {
    const uint64_t prefix = KeyOf::prefix(key);
    const auto found =
        std::partition_point(blocks_.begin(), blocks_.end(), [&](const BlockRef& ref) {
          return ref.last != prefix ? ref.last < prefix
                                    : KeyOf()(*ref.block->slots.back().object) < key;
        });
    return static_cast<size_t>(found - blocks_.begin());
  }
  static size_t place_in(const Block& block, const Key& key) {
    const uint64_t prefix = KeyOf::prefix(key);
    const auto found =
        std::partition_point(block.slots.begin(), block.slots.end(),
                             [&](const Slot& slot) { return slot.is_before(prefix, key); });
    return static_cast<size_t>(found - block.slots.begin());
  }

  Block& writable(size_t index) {
    std::shared_ptr<Block>& block = blocks_[index].block;
    if (block->edition != edition_) {
      block = std::make_shared<Block>(edition_, block->slots);
    }
    return *block;
  }

  // A quarter more instead of twice as much: a block of a large table seldom grows, and what it
  // keeps free is never used by others.
  static void make_room(std::vector<Slot>& slots) {
    if (slots.size() == slots.capacity()) {
      slots.reserve(slots.size() + slots.size() / 4 + 4);
    }
  }

  void note_last(size_t index) { blocks_[index].last = blocks_[index].block->slots.back().prefix; }

  void split(size_t index) {
    std::vector<Slot>& left = blocks_[index].block->slots;
    const auto middle = left.begin() + static_cast<std::ptrdiff_t>(left.size() / 2);
    auto right = std::make_shared<Block>(edition_);
    right->slots.assign(std::make_move_iterator(middle), std::make_move_iterator(left.end()));
    left.erase(middle, left.end());
    left.shrink_to_fit();
    blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(index) + 1,
                   {blocks_[index].last, std::move(right)});
    note_last(index);
  }

  // Joins a small block with the one after it if both fit one; no block is ever empty.
  void merge(size_t index) {
    const bool has_next = index + 1 < blocks_.size();
    if (has_next && blocks_[index].block->slots.size() + blocks_[index + 1].block->slots.size() <=
                        kBlockObjects / 2) {
      const std::vector<Slot>& next = blocks_[index + 1].block->slots;
      std::vector<Slot>& slots = blocks_[index].block->slots;
      slots.insert(slots.end(), next.begin(), next.end());
      note_last(index);
      blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(index) + 1);
    } else if (blocks_[index].block->slots.empty()) {
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
