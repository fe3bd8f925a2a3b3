# Loads the completion that swarmctl makes from its own commands, so that it fits this version.
source <(swarmctl completion bash)
