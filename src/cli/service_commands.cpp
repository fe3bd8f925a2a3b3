#include "cli/service_commands.h"

#include <array>

namespace swarm::cli {

namespace {

constexpr std::array kCommands = {
    Command{"create", "", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a service",
            "swarmctl service create --name web --replicas 3 --publish 8080:80 web:1.0\n"
            "swarmctl service create --name one --publish mode=host,target=80,published=8080 "
            "web:1.0",
            &define_service_create, true},
    Command{"update", "", "[OPTIONS] SERVICE", "Change a service and replace its tasks",
            "swarmctl service update --image web:1.1 web\n"
            "swarmctl service update --env-add LEVEL=debug --update-parallelism 2 web\n"
            "swarmctl service update --rollback web",
            &define_service_update},
    Command{"rollback", "", "[OPTIONS] SERVICE", "Return a service to an earlier revision",
            "swarmctl service rollback web\nswarmctl service rollback --to 3 web",
            &define_service_rollback},
    Command{"scale", "", "[OPTIONS] SERVICE=REPLICAS [SERVICE=REPLICAS...]",
            "Change how many tasks services run", "swarmctl service scale web=5 api=2",
            &define_service_scale},
    Command{"ls", "list", "[OPTIONS]", "List services",
            "swarmctl service ls\nswarmctl service ls --format '{{.Name}} {{.Replicas}}'",
            &define_service_ls},
    Command{"ps", "", "[OPTIONS] SERVICE [SERVICE...]", "List the tasks of services",
            "swarmctl service ps --no-trunc web\n"
            "swarmctl service ps --filter desired-state=running web",
            &define_service_ps},
    Command{"inspect", "", "[OPTIONS] SERVICE [SERVICE...]", "Show everything about services",
            "swarmctl service inspect --pretty web\n"
            "swarmctl service inspect --format '{{.UpdateStatus.State}}' web",
            &define_service_inspect},
    Command{"rm", "remove", "SERVICE [SERVICE...]", "Remove services", "swarmctl service rm web",
            &define_service_rm},
    Command{"history", "", "[OPTIONS] SERVICE", "List the revisions of a service",
            "swarmctl service history web", &define_service_history},
};

}  // namespace

std::span<const Command> service_commands() {
  return kCommands;
}

}  // namespace swarm::cli
