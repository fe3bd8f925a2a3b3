// A program of one module that uses another one behind the build's back. Linking it must fail.
namespace swarm::dispatcher {
void planted();
}

int main() {
  swarm::dispatcher::planted();
}
