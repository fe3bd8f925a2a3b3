"""The rules of the house as data; architecture.py checks them."""

# Layers, lowest first. A module may depend on lower layers only; edges inside a layer are listed.
LAYERS = [
    {"base", "platform", "model"},
    {"wire", "state", "raft_core"},
    {"control", "scheduler", "orchestrator", "dispatcher", "agent", "mesh", "security"},
    {"api", "api_client", "runtime_probe", "runtime_docker", "runtime_process", "runtime_fake", "mesh_proxy",
     "security_tls", "raft_log", "raft_replica", "raft_report"},
    {"manager"},
    {"daemon", "cli", "swarmd", "swarmctl"},
]
EDGES_WITHIN_A_LAYER = {
    ("platform", "base"), ("model", "base"),
    ("state", "wire"),
    ("raft_replica", "raft_log"), ("raft_report", "raft_log"),
    ("api", "api_client"), ("api", "security_tls"),
    ("mesh_proxy", "security_tls"),
    ("runtime_docker", "runtime_probe"), ("runtime_process", "runtime_probe"),
    ("swarmctl", "cli"), ("swarmd", "daemon"),
}

# Headers that a module exports as a contract, without its implementation: who links one sees only
# these folders.
CONTRACTS = {"api_contract": {"api/client"}}

# Third-party headers (by prefix of the include) and the modules that may name them. Debian puts all
# of them in /usr/include, where any file could see them: the include farm cannot stop that.
THIRD_PARTY = {
    "grpc": {"api", "api_client"},
    "proto/": {"wire", "api", "api_client"},
    "google/protobuf": {"wire", "api"},
    "boost/beast": {"runtime_docker"},
    "boost/asio": {"base", "platform", "api", "mesh_proxy", "runtime_probe", "runtime_docker",
                   "runtime_process", "security_tls", "daemon", "manager"},
    "boost/": {"base", "platform", "api", "mesh_proxy", "runtime_probe", "runtime_docker",
               "runtime_process", "security_tls", "daemon", "manager"},
    "openssl/": {"security_tls", "mesh_proxy"},
    "nlohmann/": {"cli", "raft_report", "runtime_docker", "runtime_process"},
    "spdlog/": {"base"},
    "CLI/": {"cli", "daemon"},
    "isa-l": {"base"},
}

# Headers of the operating system: only in files of src/platform that end in _posix.cpp or
# _windows.cpp.
SYSTEM_HEADERS = {
    "unistd.h", "fcntl.h", "pwd.h", "grp.h", "signal.h", "poll.h", "dirent.h", "netdb.h",
    "ifaddrs.h", "termios.h", "windows.h", "sys/", "arpa/", "netinet/", "net/", "linux/",
    "systemd/",
}

# What a pattern means, why it is banned, and the modules that may use it. swarmctl waits for people
# and prints ages: its one system_environment.cpp has a clock of its own.
BANNED_CALLS = [
    (r"\b(?:system|steady|high_resolution)_clock\b", "time comes from EventLoop", {"base", "cli"}),
    (r"\brandom_device\b|\bmt19937|\bs?rand\s*\(", "chance comes from base/random.h", {"base"}),
    (r"\bsleep_for\b|\bsleep_until\b|\busleep\b", "await the condition", {"cli"}),
    (r"\bstd::this_thread\b", "threads belong to event loops", {"base", "cli"}),
    (r"\basio::detached\b", "every coroutine is counted by its owner", {"base"}),
    (r"\bstd::filesystem::(?:remove_all|permissions)\b", "use platform/file_system.h", set()),
    (r"\bthread_local\b", "destructors of thread_local crash on Windows", set()),
    (r"\bTODO\b|\bFIXME\b|\bXXX\b", "open an issue instead", set()),
    (r"#\s*if(?:n?def|)\b.*(?:__linux__|_WIN32|__APPLE__)",
     "the operating system is chosen by file in platform/", set()),
]

# Names that windows.h turns into something else.
WINDOWS_MACROS = {
    "CreateService", "StartService", "CreateProcess", "CreateEvent", "CreateFile",
    "CreateJobObject", "ReportEvent", "GetMessage", "SendMessage", "DeleteFile", "GetObject",
    "Yield", "GetCurrentTime", "ERROR",
}

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
MAX_COLUMNS = 100
MAX_SERVICE_METHODS = 10
