// A decider that reaches for another one. Compiling this must fail: see ../CMakeLists.txt.
#include "dispatcher/dispatcher.h"

int main() {
  return 0;
}
