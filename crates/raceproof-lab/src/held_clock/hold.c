/* The clock that a server is given instead of the machine's.
 *
 * Loaded into a redis-server by LD_PRELOAD, this answers its questions for the time of day from a page of memory that
 * the lab writes. All other clocks (time since the start, processor time) run on: the server's timers are theirs, and a
 * server whose timers stand still does nothing by itself any more.
 *
 * The file named by RACEPROOF_HELD_CLOCK holds a turn (one byte) and two times (ns since the epoch, at bytes 8 and 16).
 * The turn's lowest bit says which of the two counts. The lab writes the other one and then the turn, so that no time is
 * ever read half written. Where there is no such file, or the time is 0, the machine's clock is asked.
 *
 * Nothing is linked: the server's own C library, glibc or musl, has the few functions that are called. clock_gettime is
 * asked of the kernel, since to look for the library's own would allocate memory, and the allocator asks for the time
 * while it starts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct page {
  uint8_t turn;
  int64_t ns[2];
};

_Static_assert(offsetof(struct page, ns) == 8, "the times are at bytes 8 and 16");
_Static_assert(sizeof(time_t) == 8, "times have 64 bits");

static const struct page *page;

__attribute__((constructor)) static void find_page(void) {
  const char *path = getenv("RACEPROOF_HELD_CLOCK");
  if (path == NULL) return;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void *at = mmap(NULL, sizeof *page, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (at != MAP_FAILED) page = at;
}

/* The time of day in ns, or 0 if it is not held. */
static int64_t held_ns(void) {
  if (page == NULL) return 0;
  for (;;) {
    uint8_t turn = __atomic_load_n(&page->turn, __ATOMIC_ACQUIRE);
    int64_t ns = __atomic_load_n(&page->ns[turn & 1], __ATOMIC_ACQUIRE);
    if (turn == __atomic_load_n(&page->turn, __ATOMIC_ACQUIRE)) return ns;
  }
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int64_t ns = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? held_ns() : 0;
  if (ns == 0) return (int)syscall(SYS_clock_gettime, clock, now);
  now->tv_sec = ns / 1000000000;
  now->tv_nsec = ns % 1000000000;
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *now) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (now != NULL) *now = exact.tv_sec;
  return exact.tv_sec;
}
