#include "runtime/docker/container_maker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "fake_engine.h"
#include "support/waiting_loop.h"

namespace swarm::runtime {
namespace {

using testing::ElementsAre;
using testing::Pair;

class ContainerMakers : public testing::Test {
 protected:
  ContainerMakers() {
    engine_.on("POST /containers/create", {.never = true});
    maker_.set_queue_listener([this](const model::TaskId& task, size_t before) {
      places_.emplace_back(task.value(), before);
    });
  }

  void make(const std::string& id) {
    agent::TaskLabels labels;
    labels.task = model::TaskId(id);
    labels.service_name = "web";
    model::TaskTemplate spec;
    spec.container.image = "web:1.0";
    maker_.make(labels, spec, [this, id](Result<std::string> made) {
      EXPECT_FALSE(made_.contains(id));
      made_.emplace(id, std::move(made));
    });
  }
  void fill() {
    for (size_t i = 0; i < kMaxCreations; ++i) {
      make("busy" + std::to_string(i));
    }
  }
  bool await_calls(size_t count) {
    return loop_.until([&] { return engine_.count("POST /containers/create") == count; });
  }
  std::string socket() const { return (folder_.path() / "engine.sock").string(); }

  test::WaitingLoop loop_;
  test::ScratchDirectory folder_;
  FakeEngine engine_{loop_.loop().context(), socket()};
  EngineClient client_{loop_.loop(), socket()};
  ContainerMaker maker_{loop_.loop(), client_, true};
  std::map<std::string, Result<std::string>> made_;
  std::vector<std::pair<std::string, size_t>> places_;
};

TEST_F(ContainerMakers, MakeAFewAtATimeAndTellTheOthersTheirPlace) {
  fill();
  make("next");
  make("last");
  ASSERT_TRUE(await_calls(kMaxCreations));
  EXPECT_THAT(places_, ElementsAre(Pair("next", 1), Pair("last", 2)));
  engine_.close();  // what is under way fails, and what waits fails in its turn
  ASSERT_TRUE(loop_.until([&] { return made_.size() == kMaxCreations + 2; }));
  EXPECT_TRUE(absl::IsUnavailable(made_.at("busy0").status()));
  EXPECT_THAT(places_, testing::Contains(Pair("next", 0)));
}

TEST_F(ContainerMakers, DoNotBeginWhatNobodyWaitsFor) {
  fill();
  ASSERT_TRUE(await_calls(kMaxCreations));
  make("next");
  maker_.abandon(model::TaskId("next"));
  EXPECT_FALSE(made_.contains("next")) << "never from inside the call";
  ASSERT_TRUE(loop_.until([&] { return made_.contains("next"); }));
  EXPECT_TRUE(absl::IsCancelled(made_.at("next").status()));
  maker_.abandon(model::TaskId("busy0"));
  loop_.idle(milliseconds(20));
  EXPECT_EQ(made_.size(), 1U) << "what is under way goes on";
  EXPECT_EQ(engine_.count("POST /containers/create"), kMaxCreations);
}

TEST_F(ContainerMakers, LetOthersBeMadeWhileAnImageIsPulled) {
  engine_.on("POST /containers/create",
             {.status = 404, .body = R"({"message":"No such image: web:1.0"})"});
  engine_.on("POST /images/create", {.never = true});
  fill();
  ASSERT_TRUE(await_calls(kMaxCreations));
  ASSERT_TRUE(loop_.until([&] { return engine_.count("POST /images/create") == 1; }));
  engine_.on("POST /containers/create", {.status = 201, .body = R"({"Id":"c1"})"});
  make("other");
  ASSERT_TRUE(loop_.until([&] { return made_.contains("other"); }));
  EXPECT_TRUE(made_.at("other").ok());
}

}  // namespace
}  // namespace swarm::runtime
