#include "state/request_memory.h"

#include <gtest/gtest.h>

#include "unit/state/store_fixture.h"

namespace swarm::state {
namespace {

using Found = std::optional<model::Position>;

TEST(RequestMemory, KnowsWhatWasCarriedOutAndWhere) {
  RequestMemory memory;
  memory.note(7, 1);
  memory.note(0, 2);
  memory.note(9, 3);
  EXPECT_EQ(*memory.find({.number = 7}), Found(1));
  EXPECT_EQ(*memory.find({.number = 9, .repeated_since = 0}), Found(3));
  EXPECT_EQ(*memory.find({.number = 8, .repeated_since = 0}), Found());
  EXPECT_EQ(*memory.find({.number = 0}), Found()) << "nobody's";
}

TEST(RequestMemory, WhatWasUndoneWasNotCarriedOut) {
  RequestMemory memory;
  memory.note(7, 1);
  memory.note(8, 2);
  memory.undo_after(1);
  EXPECT_EQ(*memory.find({.number = 7}), Found(1));
  EXPECT_EQ(*memory.find({.number = 8}), Found());
}

TEST(RequestMemory, SaysSoWhenARepeatedRequestIsOlderThanWhatItKnows) {
  RequestMemory memory;
  memory.restart(10);
  EXPECT_EQ(*memory.find({.number = 7}), Found()) << "sent for the first time";
  EXPECT_EQ(*memory.find({.number = 7, .repeated_since = 10}), Found());
  EXPECT_TRUE(absl::IsAborted(memory.find({.number = 7, .repeated_since = 9}).status()));
}

TEST(RequestMemory, IsBoundedAndKnowsWhatItForgot) {
  RequestMemory memory(2);
  memory.note(1, 4);
  memory.note(2, 5);
  memory.note(3, 6);
  EXPECT_EQ(*memory.find({.number = 2, .repeated_since = 4}), Found(5));
  EXPECT_TRUE(absl::IsAborted(memory.find({.number = 1, .repeated_since = 3}).status()));
}

TEST_F(StoreTest, ARequestIsKnownWhereverItsEntryIsApplied) {
  ChangeSet changes = removing(model::TaskId("t2"));
  changes.request = 42;
  ASSERT_TRUE(store.commit(std::move(changes), kStart).ok());
  EXPECT_EQ(*store.find_request({.number = 42}), Found(2));

  Store follower;
  for (const std::string& entry : log.entries) {
    ASSERT_TRUE(follower.apply_committed(entry).ok());
  }
  EXPECT_EQ(*follower.find_request({.number = 42, .repeated_since = 1}), Found(2));

  store.confirm(1);
  store.abandon();
  EXPECT_EQ(*store.find_request({.number = 42, .repeated_since = 1}), Found());

  Store restored;
  ASSERT_TRUE(restore(restored, chunks_of(follower)).ok());
  EXPECT_TRUE(absl::IsAborted(restored.find_request({.number = 42, .repeated_since = 1}).status()));
}

}  // namespace
}  // namespace swarm::state
