// What jemalloc reads at the start of a program that is linked with it. A daemon has a handful of
// busy threads whatever the machine's size, and gives back soon what a burst needed.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "narenas:4,dirty_decay_ms:1000,muzzy_decay_ms:0";
}
