// Writes through a control API, as many at a time as there are clients: each starts its next when
// the last was answered. The same client drives both systems, so that its own cost falls on both.
//
//   write_load --system swarm|etcd|nothing --target 127.0.0.1:2377 --pem node.pem --clients 16
//   [--seconds 5]
//
// swarm: Services.Create of a service without replicas that carries the bytes as a label. etcd: Put
// of a new key. nothing: the request of swarm to a method that no server has, refused at once: what
// the calls cost without any write. Prints one JSON line: writes a second, latencies in
// milliseconds, failures.

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "model/service.h"
#include "proto/services.pb.h"
#include "security/tls/names.h"
#include "wire/service_codec.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string system;
  std::string target;
  std::string pem;
  int clients = 16;
  int connections = 16;
  int seconds = 5;
  size_t bytes = 512;
};

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A field of wire type 2 with a number below 16 and fewer than 16,384 bytes.
void append_field(int number, const std::string& value, std::string* out) {
  out->push_back(static_cast<char>(number << 3 | 2));
  if (value.size() >= 128) {
    out->push_back(static_cast<char>((value.size() & 127) | 128));
    out->push_back(static_cast<char>(value.size() >> 7));
  } else {
    out->push_back(static_cast<char>(value.size()));
  }
  out->append(value);
}

std::string put_request(const std::string& key, const std::string& value) {
  std::string request;
  append_field(1, key, &request);
  append_field(2, value, &request);
  return request;
}

std::string create_request(const std::string& name, const std::string& value) {
  swarm::model::ServiceSpec spec;
  spec.name = name;
  spec.labels["payload"] = value;
  spec.replicas = 0;
  spec.task.container.image = "web:1.0";
  swarm::v1::ServiceCreateRequest request;
  swarm::wire::encode(spec, request.mutable_spec());
  return request.SerializeAsString();
}

const char* method_of(const std::string& system) {
  if (system == "etcd") {
    return "/etcdserverpb.KV/Put";
  }
  return system == "swarm" ? "/swarm.v1.Services/Create" : "/swarm.v1.Services/Nothing";
}

// The clients, and what came of them. Callbacks come on gRPC's threads.
class Load {
 public:
  explicit Load(const Options& options)
      : options_(options),
        run_(std::to_string(getpid())),
        method_(method_of(options.system)),
        expected_(options.system == "nothing" ? grpc::UNIMPLEMENTED : grpc::OK),
        request_(options.system == "etcd" ? put_request(key(0, 0), value_of(options))
                                          : create_request(key(0, 0), value_of(options))),
        key_at_(request_.find(key(0, 0))) {
    grpc::SslCredentialsOptions tls;
    // One file with the authority, the certificate and the key: TLS takes from each what it needs.
    tls.pem_root_certs = tls.pem_cert_chain = tls.pem_private_key = read_whole(options.pem);
    const auto credentials = grpc::SslCredentials(tls);
    for (int i = 0; i < std::min(options.connections, options.clients); ++i) {
      grpc::ChannelArguments arguments;
      arguments.SetSslTargetNameOverride(options.system == "etcd"
                                             ? options.target.substr(0, options.target.rfind(':'))
                                             : swarm::security::kManagerName);
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      // Without what this client does not use, so that it takes less from those it measures.
      arguments.SetInt(GRPC_ARG_MINIMAL_STACK, 1);
      arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
      arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
      stubs_.push_back(std::make_unique<grpc::GenericStub>(
          grpc::CreateCustomChannel("ipv4:" + options.target, credentials, arguments)));
    }
    clients_.resize(options.clients);
  }

  // True when every client could write.
  bool run() {
    const Clock::time_point start = Clock::now();
    end_ = start + std::chrono::seconds(options_.seconds);
    running_ = options_.clients;
    for (int i = 0; i < options_.clients; ++i) {
      write(i);
    }
    std::unique_lock lock(mutex_);
    is_done_.wait(lock, [this] { return running_ == 0; });
    return report(std::chrono::duration<double>(Clock::now() - start).count());
  }

 private:
  struct Client {
    std::unique_ptr<grpc::ClientContext> context;
    grpc::ByteBuffer request;
    grpc::ByteBuffer reply;
    Clock::time_point start;
    std::vector<float> latencies;
    uint64_t failures = 0;
    std::string error;
  };

  static std::string value_of(const Options& options) { return std::string(options.bytes, 'x'); }

  // All of one length: the same request is sent again and again with another key in its place.
  std::string key(int client, size_t write) const {
    char text[64];
    std::snprintf(text, sizeof(text), "w%s-%05d-%08zu", run_.c_str(), client, write);
    return text;
  }

  void write(int number) {
    Client& client = clients_[number];
    std::string request = request_;
    const std::string written = key(number, client.latencies.size() + client.failures);
    request.replace(key_at_, written.size(), written);
    const grpc::Slice bytes(request);
    client.context = std::make_unique<grpc::ClientContext>();
    client.context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    client.request = grpc::ByteBuffer(&bytes, 1);
    client.start = Clock::now();
    stubs_[number % stubs_.size()]->UnaryCall(
        client.context.get(), method_, grpc::StubOptions(), &client.request, &client.reply,
        [this, number](const grpc::Status& status) { answered(number, status); });
  }

  void answered(int number, const grpc::Status& status) {
    Client& client = clients_[number];
    const Clock::time_point now = Clock::now();
    if (status.error_code() == expected_) {
      client.latencies.push_back(
          std::chrono::duration<float, std::milli>(now - client.start).count());
    } else {
      ++client.failures;
      client.error = status.error_message();
    }
    // A client that cannot write at all must not turn into a loop of failures.
    if (now < end_ && client.failures < 100) {
      write(number);
      return;
    }
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) {
      is_done_.notify_one();
    }
  }

  bool report(double seconds) const {
    std::vector<float> all;
    uint64_t failures = 0;
    std::string error;
    for (const Client& client : clients_) {
      all.insert(all.end(), client.latencies.begin(), client.latencies.end());
      failures += client.failures;
      error = client.error.empty() ? error : client.error;
    }
    std::sort(all.begin(), all.end());
    const auto percentile = [&all](double share) {
      return all.empty() ? 0.0 : all[static_cast<size_t>(share * double(all.size() - 1))];
    };
    std::printf("{\"writes_per_s\": %.0f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"failures\": %lu}\n",
                double(all.size()) / seconds, percentile(0.5), percentile(0.99), failures);
    if (failures != 0) {
      std::fprintf(stderr, "write_load: %s\n", error.c_str());
    }
    return failures == 0 && !all.empty();
  }

  const Options options_;
  const std::string run_;
  const std::string method_;
  const grpc::StatusCode expected_;
  const std::string request_;
  const size_t key_at_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  std::vector<Client> clients_;
  Clock::time_point end_;
  std::mutex mutex_;
  std::condition_variable is_done_;
  int running_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // see api/grpc_setup.cpp
  Options options;
  CLI::App app("Writes through a control API, as many at a time as there are clients.");
  app.add_option("--system", options.system)
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>{"swarm", "etcd", "nothing"}));
  app.add_option("--target", options.target, "ADDRESS:PORT of the leader")->required();
  app.add_option("--pem", options.pem, "authority, certificate and key in one file")->required();
  app.add_option("--clients", options.clients)->check(CLI::Range(1, 10000));
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 1000));
  app.add_option("--seconds", options.seconds)->check(CLI::Range(1, 600));
  app.add_option("--bytes", options.bytes)->check(CLI::Range(1, 8000));
  CLI11_PARSE(app, argc, argv);
  return Load(options).run() ? 0 : 1;
}
