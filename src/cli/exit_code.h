#pragma once

// What the exit code of swarmctl says to a script.
namespace swarm::cli::exit_code {

inline constexpr int kOk = 0;             // done; for a wait: converged
inline constexpr int kError = 1;          // the operation failed
inline constexpr int kRolledBack = 2;     // the update failed and was rolled back
inline constexpr int kPaused = 3;         // the update or rollback is paused
inline constexpr int kTimeout = 4;        // not converged within --timeout
inline constexpr int kSuperseded = 5;     // another update or rollback took its place
inline constexpr int kUsageError = 125;   // the command line was not understood
inline constexpr int kInterrupted = 130;  // Ctrl-C: the operation goes on without the client

}  // namespace swarm::cli::exit_code
