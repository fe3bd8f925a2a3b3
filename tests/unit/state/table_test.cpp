#include "state/table.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/random.h"

namespace swarm::state {
namespace {

using model::TaskId;
using Model = std::map<TaskId, TaskTable::Pointer>;

TaskTable::Pointer task(const std::string& id) {
  auto task = std::make_shared<model::Task>();
  task->id = TaskId(id);
  return task;
}

std::string numbered(size_t number) {
  const std::string digits = std::to_string(number);
  return "t" + std::string(8 - digits.size(), '0') + digits;
}

TaskTable table_of(size_t count) {
  TaskTable table;
  for (size_t i = 0; i < count; ++i) {
    table.put(task(numbered(i)));
  }
  return table;
}

void expect_equal(const TaskTable& table, const Model& model) {
  ASSERT_EQ(table.size(), model.size());
  ASSERT_EQ(table.empty(), model.empty());
  auto expected = model.begin();
  for (const auto& [id, object] : table) {
    ASSERT_EQ(id, expected->first);
    ASSERT_EQ(object, expected->second);
    ++expected;
  }
}

TEST(Table, FindsWhatWasPutInOrderOfKeys) {
  TaskTable table;
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.find(TaskId("b")), nullptr);
  const TaskTable::Pointer b = task("b");
  table.put(task("c"));
  table.put(task("a"));
  table.put(b);
  EXPECT_EQ(table.find(TaskId("b")), b);
  EXPECT_EQ(table.begin()->first, TaskId("a"));
  EXPECT_EQ(table.lower_bound(TaskId("aa"))->first, TaskId("b"));
  EXPECT_EQ(table.lower_bound(TaskId("d")), table.end());
  EXPECT_FALSE(table.erase(TaskId("bb")));
  EXPECT_TRUE(table.erase(TaskId("b")));
  EXPECT_FALSE(table.contains(TaskId("b")));
  EXPECT_EQ(table.size(), 2u);
}

TEST(Table, RevisionsAreOrderedByServiceAndNumber) {
  RevisionTable table;
  for (const auto& [service, number] : {std::pair("b", 1), {"a", 10}, {"a", 9}}) {
    auto revision = std::make_shared<model::Revision>();
    revision->service = model::ServiceId(service);
    revision->number = number;
    table.put(revision);
  }
  std::string seen;
  for (const auto& [key, revision] : table) {
    seen += revision->service.value() + std::to_string(revision->number) + " ";
  }
  EXPECT_EQ(seen, "a9 a10 b1 ");
}

TEST(Table, IsAnOrderedMapWhateverIsDoneToIt) {
  Random random = Random::from_system();
  for (int round = 0; round < 8; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const size_t range = 1 + random.below(4000);
    const bool is_growing = random.chance(0.5);
    TaskTable table;
    Model model;
    std::pair<TaskTable, Model> kept;  // as copied at some moment
    for (int step = 0; step < 5000; ++step) {
      const TaskId id(numbered(random.below(range)));
      if (random.chance(is_growing ? 0.7 : 0.45)) {
        const TaskTable::Pointer object = task(id.value());
        table.put(object);
        model[id] = object;
      } else {
        ASSERT_EQ(table.erase(id), model.erase(id) > 0);
      }
      if (random.chance(0.002)) {
        expect_equal(kept.first, kept.second);
        kept = {table, model};
        if (random.chance(0.5)) {
          kept.first.put(task(numbered(range)));  // a copy may be written to as well
          kept.second[TaskId(numbered(range))] = kept.first.find(TaskId(numbered(range)));
        }
      }
    }
    expect_equal(table, model);
    expect_equal(kept.first, kept.second);
  }
}

TEST(Table, IsCopiedBySharingBlocks) {
  const TaskTable table = table_of(30'000);
  EXPECT_LE(table.blocks(), 30'000 / TaskTable::kBlockObjects + 1);
  const TaskTable copy = table;
  EXPECT_EQ(copy.blocks_shared_with(table), table.blocks());
  EXPECT_EQ(copy, table);
}

TEST(Table, AWriteAfterACopyCopiesOneBlock) {
  TaskTable table = table_of(10'000);
  const TaskTable copy = table;
  const size_t blocks = table.blocks();
  table.put(task(numbered(5'000)));
  EXPECT_EQ(table.blocks_shared_with(copy), blocks - 1);
  table.put(task(numbered(5'001)));  // the same block: it is its own by now
  EXPECT_EQ(table.blocks_shared_with(copy), blocks - 1);
  table.erase(TaskId(numbered(9'000)));
  EXPECT_EQ(table.blocks_shared_with(copy), blocks - 2);
  EXPECT_EQ(copy.size(), 10'000u);
  EXPECT_TRUE(copy.contains(TaskId(numbered(9'000))));
}

TEST(Table, KeepsFewBlocksForFewObjects) {
  TaskTable table = table_of(8'000);
  Random random(7);
  while (table.size() > 100) {
    table.erase(TaskId(numbered(random.below(8'000))));
  }
  EXPECT_LE(table.blocks(), 20u);
}

TEST(Table, DropForgetsFromTheEndInBoundedSteps) {
  TaskTable table = table_of(1'000);
  table.drop(300);
  EXPECT_LE(table.size(), 700u);
  EXPECT_GE(table.size(), 700u - TaskTable::kBlockObjects);
  EXPECT_TRUE(table.contains(TaskId(numbered(0))));
  while (!table.empty()) {
    table.drop(300);
  }
}

}  // namespace
}  // namespace swarm::state
