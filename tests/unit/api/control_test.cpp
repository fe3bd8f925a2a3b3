#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/client/client.h"
#include "api/server.h"
#include "api/tls_client.h"
#include "model/validate.h"
#include "security/join_token.h"
#include "support/build.h"
#include "support/waiting_loop.h"
#include "unit/api/fake_manager.h"

namespace swarm::api {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

model::ServiceSpec spec_of(const std::string& name, uint64_t replicas = 1) {
  model::ServiceSpec spec;
  spec.name = name;
  spec.replicas = replicas;
  spec.task.container.image = "web:1.0";
  spec.task.ports.push_back({.target = 80, .published = 8080, .mode = model::PublishMode::host});
  return spec;
}

class Control : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = Server::listen_local(*node_, folder_.path() / "s",
                                       swarm_.source("n1", model::Role::manager));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = Client::connect("unix:" + (folder_.path() / "s").string(), seconds(20));
  }

  TestSwarm swarm_;
  test::ScratchDirectory folder_;
  std::shared_ptr<FakeManager> manager_ = std::make_shared<FakeManager>(swarm_);
  std::unique_ptr<FakeNode> node_ = make_manager_node(manager_);
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(Control, TheSocketIsForItsOwnerAndGroupOnly) {
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(folder_.path() / "s").permissions(),
            perms::owner_read | perms::owner_write | perms::group_read | perms::group_write);
}

TEST_F(Control, AServiceIsCreatedShownAndListedAsItWasAskedFor) {
  const auto id = client_->create_service(spec_of("web", 3));
  ASSERT_TRUE(id.ok()) << id.status();
  const auto shown = client_->get_service("web");
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->service.id, *id);
  EXPECT_EQ(shown->spec(), spec_of("web", 3));
  EXPECT_EQ(shown->desired, 3U);
  EXPECT_EQ(shown->running, 0U);
  const auto listed = client_->list_services();
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().service, shown->service);
}

TEST_F(Control, AnUpdateMakesARevisionAndARollbackGoesBack) {
  const auto id = client_->create_service(spec_of("web"));
  ASSERT_TRUE(id.ok()) << id.status();
  const auto first = client_->get_service("web");
  ASSERT_TRUE(first.ok());
  model::ServiceSpec changed = first->spec();
  changed.task.container.image = "web:1.1";
  const auto written = client_->update_service(*id, first->service.meta.version, changed);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(*written, 2U);

  const auto stale = client_->update_service(*id, first->service.meta.version, changed);
  EXPECT_EQ(stale.status().code(), absl::StatusCode::kAborted) << stale.status();

  EXPECT_EQ(*client_->rollback_service("web", 1), 1U);
  const auto history = client_->history("web");
  ASSERT_TRUE(history.ok()) << history.status();
  ASSERT_EQ(history->size(), 2U);
  EXPECT_EQ((*history)[0].revision.number, 2U);
  EXPECT_TRUE((*history)[0].is_previous);
  EXPECT_EQ((*history)[1].revision.number, 1U);
  EXPECT_TRUE((*history)[1].is_current);
}

TEST_F(Control, ScaleAndRemoveChangeTheService) {
  ASSERT_TRUE(client_->create_service(spec_of("web")).ok());
  ASSERT_TRUE(client_->scale_service("web", 5).ok());
  EXPECT_EQ(client_->get_service("web")->service.settings.replicas, 5U);
  ASSERT_TRUE(client_->remove_service("web").ok());
  EXPECT_TRUE(client_->list_services()->empty());
}

TEST_F(Control, ErrorsOfUseCasesArriveUnchanged) {
  const Status unknown = client_->scale_service("nothing", 1);
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(client_->create_service(spec_of("web")).ok());
  const auto twice = client_->create_service(spec_of("web"));
  EXPECT_EQ(twice.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(twice.status().message(), HasSubstr("web"));
}

TEST_F(Control, ASpecOfTwoMebibytesIsAClearError) {
  model::ServiceSpec large = spec_of("web");
  for (int i = 0; i < 40; ++i) {
    large.task.container.env.push_back("V" + std::to_string(i) + "=" + std::string(55'000, 'x'));
  }
  const auto refused = client_->create_service(large);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.status().message(), AllOf(HasSubstr("spec has 2200"), HasSubstr("at most"),
                                                HasSubstr(std::to_string(model::kMaxSpecBytes))));
  EXPECT_TRUE(client_->list_services()->empty());
}

TEST_F(Control, NodesAreListedWithWhoLeadsAndWhichIsAsked) {
  manager_->change([](state::ChangeSet& changes) { changes.put(test::ready_node("n2")); });
  const auto nodes = client_->list_nodes();
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  ASSERT_EQ(nodes->size(), 2U);
  EXPECT_EQ((*nodes)[0].node.id.value(), "n2");  // hostname "host-n2"
  EXPECT_FALSE((*nodes)[0].is_leader || (*nodes)[0].is_reachable || (*nodes)[0].is_self);
  EXPECT_EQ((*nodes)[1].node.id.value(), "n1");
  EXPECT_TRUE((*nodes)[1].is_leader && (*nodes)[1].is_reachable && (*nodes)[1].is_self);
  const auto self = client_->get_node("self");
  ASSERT_TRUE(self.ok()) << self.status();
  EXPECT_EQ(self->node.id.value(), "n1");
}

TEST_F(Control, ANodeIsUpdatedAndRemoved) {
  manager_->change([](state::ChangeSet& changes) { changes.put(test::ready_node("n2")); });
  const auto node = client_->get_node("host-n2");
  ASSERT_TRUE(node.ok()) << node.status();
  model::NodeSpec drained = node->node.spec;
  drained.availability = model::Availability::drain;
  ASSERT_TRUE(client_->update_node(node->node.id, node->node.meta.version, drained).ok());
  EXPECT_EQ(client_->get_node("n2")->node.spec.availability, model::Availability::drain);
  const Status removed = client_->remove_node("n2", true);
  ASSERT_TRUE(removed.ok()) << removed;
  EXPECT_EQ(client_->get_node("n2").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(Control, TasksAreListedWithTheNewestKnownStatus) {
  const auto id = client_->create_service(spec_of("web"));
  ASSERT_TRUE(id.ok());
  manager_->change([&](state::ChangeSet& changes) {
    model::Task task;
    task.id = model::TaskId("t1");
    task.service = *id;
    task.slot = 1;
    task.revision = 1;
    task.node = model::NodeId("n1");
    task.status.state = model::TaskState::assigned;
    changes.put(std::move(task));
  });
  model::TaskStatus soft;
  soft.state = model::TaskState::preparing;
  soft.message = "the image is fetched";
  soft.wait = model::WaitReason::image;
  soft.at = WallTime(seconds(7));
  manager_->set_soft_status(model::TaskId("t1"), soft);

  const auto tasks = client_->list_tasks({.services = {"web"}, .nodes = {"self"}});
  ASSERT_TRUE(tasks.ok()) << tasks.status();
  ASSERT_EQ(tasks->size(), 1U);
  EXPECT_EQ(tasks->front().task.status, soft);
  EXPECT_EQ(tasks->front().wait,
            (model::TaskWait{"the image is fetched", WallTime(seconds(7)), {}}));
  EXPECT_EQ(tasks->front().service_name, "web");
  EXPECT_EQ(tasks->front().image, "web:1.0");
  EXPECT_EQ(tasks->front().node_hostname, "host1");
  EXPECT_EQ(tasks->front().ports, spec_of("web").task.ports);
}

TEST_F(Control, UnknownReferencesAreAllNamed) {
  const auto tasks = client_->list_tasks({.services = {"web", "db"}, .nodes = {"mars"}});
  EXPECT_EQ(tasks.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(tasks.status().message(),
              AllOf(HasSubstr("web"), HasSubstr("db"), HasSubstr("mars")));
}

TEST_F(Control, InspectShowsTheSwarmWithoutItsSecrets) {
  const auto view = client_->inspect_swarm();
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->cluster.id, swarm_.id());
  EXPECT_EQ(view->cluster.ca_certificate, swarm_.root().certificate);
  EXPECT_EQ(view->cluster.ca_key, "");
  EXPECT_EQ(view->cluster.worker_token_secret, "");
  EXPECT_EQ(view->cluster.manager_token_secret, "");
  EXPECT_EQ(view->managers, 1U);
  EXPECT_EQ(view->workers, 0U);
}

TEST_F(Control, AJoinTokenHoldsTheDigestOfTheRootAndRotates) {
  const auto worker = client_->join_token(model::Role::worker, false);
  const auto manager = client_->join_token(model::Role::manager, false);
  ASSERT_TRUE(worker.ok() && manager.ok()) << worker.status() << manager.status();
  const auto parsed = security::parse_join_token(worker->token);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->digest, swarm_.digest());
  EXPECT_EQ(parsed->secret, std::string(25, 'w'));
  EXPECT_EQ(worker->manager_address, "127.0.0.1:2377");

  const auto rotated = client_->join_token(model::Role::worker, true);
  ASSERT_TRUE(rotated.ok()) << rotated.status();
  EXPECT_NE(rotated->token, worker->token);
  EXPECT_EQ(client_->join_token(model::Role::worker, false)->token, rotated->token);
  EXPECT_EQ(client_->join_token(model::Role::manager, false)->token, manager->token);
}

TEST_F(Control, OverTheNetworkAManagerMayUseItToo) {
  const auto network = serve(*node_, swarm_.source("n1", model::Role::manager));
  const auto remote = connect_tls(address_of(*network),
                                  *swarm_.credentials("n2", model::Role::manager), seconds(20));
  const auto id = remote->create_service(spec_of("web"));
  EXPECT_TRUE(id.ok()) << id.status();
}

}  // namespace
}  // namespace swarm::api
