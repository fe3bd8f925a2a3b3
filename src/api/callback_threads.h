#pragma once

namespace swarm::api {

// Keeps gRPC's callback threads for the life of the process once anything of ours uses them.
//
// gRPC 1.51 stops them with the last channel or server that uses them, on the thread that drops it;
// when that is one of these very threads, at the end of a call that has outlived its owner, it
// joins itself and frees what it stands on. With one user that never goes this cannot happen.
void keep_callback_threads();

}  // namespace swarm::api
