#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "raft/core/byte_codec.h"
#include "raft/replica/state_machine.h"

namespace swarm::test {

// The simplest replicated state: the list of all commands in order.
class ListMachine final : public raft::StateMachine {
 public:
  struct Item {
    uint64_t index;
    std::string text;
    bool operator==(const Item&) const = default;
  };
  struct Events {
    std::function<void(const raft::CommittedEntry&)> on_entry;
    std::function<void(raft::Index)> on_restored;
    // The replica is to be told, some time later.
    std::function<void(raft::Index)> on_applied;
    std::function<void(raft::Term)> on_won;
    std::function<void(raft::Term)> on_lost;
  };

  explicit ListMachine(Events events) : events_(std::move(events)) {}

  void apply(std::vector<raft::CommittedEntry> entries, raft::Index up_to) override {
    for (const raft::CommittedEntry& entry : entries) {
      add({entry.index.value(), *entry.data});
      events_.on_entry(entry);
    }
    applied_ = up_to;
    events_.on_applied(up_to);
  }

  void leadership_won(raft::Term term) override { events_.on_won(term); }
  void leadership_lost(raft::Term term) override { events_.on_lost(term); }
  void leader_changed(std::optional<raft::MemberId>) override {}

  void take_snapshot(raft::Index,
                     absl::AnyInvocable<void(raft::Index, SnapshotSource)> done) override {
    auto chunks = std::make_shared<std::vector<std::string>>();
    for (size_t start = 0; start < items_.size(); start += kItemsPerChunk) {
      raft::ByteWriter writer;
      for (size_t i = start; i < std::min(items_.size(), start + kItemsPerChunk); ++i) {
        writer.number(items_[i].index);
        writer.text(items_[i].text);
      }
      chunks->push_back(writer.take());
    }
    done(applied_, [chunks, next = size_t{0}]() mutable {
      return next < chunks->size() ? (*chunks)[next++] : std::string();
    });
  }

  void restore(raft::Index index, std::vector<std::string> chunks,
               absl::AnyInvocable<void(Status)> done) override {
    items_.clear();
    hash_ = 0;
    for (const std::string& chunk : chunks) {
      raft::ByteReader reader(chunk);
      for (size_t i = 0; i < kItemsPerChunk && !reader.finish("").ok(); ++i) {
        const uint64_t at = reader.number();
        add({at, std::string(reader.text())});
      }
    }
    applied_ = index;
    events_.on_restored(index);
    done(absl::OkStatus());
  }

  const std::vector<Item>& items() const { return items_; }
  // Of all of them in their order.
  uint64_t hash() const { return hash_; }
  raft::Index applied() const { return applied_; }

 private:
  static constexpr size_t kItemsPerChunk = 16;

  void add(Item item) {
    hash_ = (hash_ ^ item.index) * 0x9e3779b97f4a7c15 + std::hash<std::string>{}(item.text);
    items_.push_back(std::move(item));
  }

  const Events events_;
  std::vector<Item> items_;
  uint64_t hash_ = 0;
  raft::Index applied_;
};

}  // namespace swarm::test
