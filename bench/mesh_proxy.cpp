// How much the mesh costs: requests a second straight to a task, through the mesh of its node, and
// through that of another node, with a connection for each request and with kept ones. Ratios,
// because all of it shares the processors of one machine. Rounds alternate, the median counts.
//
//   mesh_proxy_bench [seconds per measurement, default 1]
//
// Called as `mesh_proxy_bench mesh ...` it is a mesh: the processes measured are real ones.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "mesh/proxy/mesh_launcher.h"
#include "mesh_fixture.h"

namespace swarm::mesh {
namespace {

using test::Connection;

constexpr int kClients = 4;
constexpr int kRounds = 5;

// A node with a mesh in a process of its own.
class BenchNode {
 public:
  BenchNode(const std::string& id, const std::string& host, const test::Authority& authority)
      : loop_("swarmd") {
    options_.control_socket = folder_.path() / "mesh.sock";
    options_.swarm = model::SwarmId(authority.swarm());
    options_.node = model::NodeId(id);
    options_.data_address = host;
    options_.peer_address = test::free_address(host);
    launcher_ = std::make_unique<MeshLauncher>(loop_, "/proc/self/exe", options_, "");
    client_ = std::make_unique<MeshClient>(
        loop_, MeshClient::Options{options_.control_socket, options_.swarm, options_.node},
        [this](MeshClient::Failed on_failed) { return launcher_->launch(std::move(on_failed)); });
    client_->set_credentials(authority.issue(id));
    client_->start();
    loop_.start();
  }

  ~BenchNode() {
    std::promise<void> ended;
    loop_.post([&] { client_->shut_down([&] { ended.set_value(); }); });
    ended.get_future().wait();
    loop_.stop();
    client_.reset();
    launcher_.reset();
  }

  void set(const model::MeshTable& table, const std::string& task_address) {
    loop_.post([=, this] {
      if (!task_address.empty()) {
        client_->admit(model::TaskId("t1"), model::ServiceId("web"), {{80, task_address}});
      }
      client_->set_table(table);
    });
  }

  model::Endpoint endpoint() const {
    return {model::TaskId("t1"), options_.node, options_.peer_address, model::EndpointState::ready};
  }
  const std::filesystem::path& control_socket() const { return options_.control_socket; }

 private:
  test::TemporaryFolder folder_;
  MeshOptions options_;
  AsioLoop loop_;
  std::unique_ptr<MeshLauncher> launcher_;
  std::unique_ptr<MeshClient> client_;
};

double measure(const std::string& address, bool keep, double duration) {
  std::atomic<size_t> answered = 0;
  std::atomic<size_t> failed = 0;
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::duration<double>(duration);
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      std::optional<Connection> connection;
      while (std::chrono::steady_clock::now() < end) {
        if (!connection.has_value()) connection.emplace(address);
        ++(connection->get("/", keep).has_value() ? answered : failed);
        if (!keep) connection.reset();
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  if (failed > 0) {
    std::cerr << failed << " requests failed at " << address << "\n";
    std::exit(1);
  }
  return static_cast<double>(answered) / duration;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Resident memory of the mesh processes of this run, largest first, from /proc.
void print_memory() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream command(entry.path() / "cmdline");
    std::string program;
    std::string verb;
    std::getline(command, program, '\0');
    std::getline(command, verb, '\0');
    if (program != "/proc/self/exe" || verb != "mesh") continue;
    std::ifstream status(entry.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("VmRSS", 0) == 0 || line.rfind("RssAnon", 0) == 0) {
        std::cout << entry.path().filename().string() << " " << line << "\n";
      }
    }
  }
}

// One thread for each connection that may be open, and none made while it is measured.
void serve(int listener) {
  for (;;) {
    const int descriptor = ::accept(listener, nullptr, nullptr);
    if (descriptor < 0) return;
    Connection connection(descriptor);
    for (std::string request = connection.receive(); !request.empty();
         request = connection.receive()) {
      const bool is_last = request.find("Connection: close") != std::string::npos;
      connection.send(is_last
                          ? "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
                          : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      if (is_last) break;
    }
  }
}

int run(double duration) {
  std::string task_address;
  const int listener = test::listen_on("127.0.0.1", task_address);
  std::vector<std::thread> servers;
  for (int i = 0; i < 4 * kClients; ++i) {
    servers.emplace_back(serve, listener);
  }
  {
    const test::Authority authority;
    BenchNode local("node1", "127.0.0.1", authority);
    BenchNode remote("node2", "127.0.0.2", authority);
    const uint16_t port = test::port_of(test::free_address("127.0.0.1"));
    const auto table = test::web_table(1, port, {local.endpoint()});
    local.set(table, task_address);
    remote.set(table, "");
    const std::vector<std::pair<const char*, std::string>> paths = {
        {"direct", task_address},
        {"mesh, own node", "127.0.0.1:" + std::to_string(port)},
        {"mesh, other node", "127.0.0.2:" + std::to_string(port)}};
    for (const auto& path : paths) {
      if (!test::await([&] { return test::get_once(path.second).has_value(); })) return 1;
    }
    std::cout << "idle meshes:\n";
    print_memory();
    for (const bool keep : {false, true}) {
      std::map<std::string, std::vector<double>> rates;
      for (int round = 0; round < kRounds; ++round) {
        for (const auto& [name, address] : paths) {
          rates[name].push_back(measure(address, keep, duration));
        }
      }
      const double direct = median(rates["direct"]);
      std::printf("%s\n", keep ? "kept connections" : "a connection for each request");
      for (const auto& [name, address] : paths) {
        const double rate = median(rates[name]);
        std::printf("  %-18s %8.0f requests/s  %.2f\n", name, rate, rate / direct);
      }
    }
    print_memory();
  }
  test::stop_listening(listener);
  for (std::thread& server : servers) {
    server.join();
  }
  return 0;
}

}  // namespace
}  // namespace swarm::mesh

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments[0] == "mesh") {
    const auto options =
        swarm::mesh::parse_mesh_arguments({arguments.begin() + 1, arguments.end()});
    if (!options.ok()) {
      std::cerr << options.status() << "\n";
      return 2;
    }
    return swarm::mesh::run_mesh(*options);
  }
  return swarm::mesh::run(arguments.empty() ? 1.0 : std::atof(arguments[0].c_str()));
}
