// A simulated RS-485 line on a pty: one Modbus RTU master (whoever opens the pty) and N units, paced byte by byte.
//
// Every byte has a moment on the wire in absolute monotonic time: a request occupies the line from its arrival for its
// length, the answer starts a silence and a turn-around later, and its bytes are handed over when they have passed, in
// chunks like those of a UART's FIFO. Half duplex: two talkers at a time spoil each other's frames. A request that comes
// too soon after the last byte is counted and, where so told, not heard by any unit.
//
// usage: paced-line '{"baud":115200,"units":16,...}' (the fields of `struct line`); commands and answers are flat JSON
// objects, one per line, on stdin and stdout. It ends with its stdin.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_MAX = 256, TALKS_MAX = 16, UNITS_MAX = 248, BINS = 20000, COMMAND_MAX = 4096 };
// Sleeps end this much early, the rest is spun: a sleeping core of a virtual machine needs that long to wake up.
static const int64_t SPIN_NS = 150000;
// After a frame the next request is due a silence later: from so long before to so long after it is waited for spinning,
// or its arrival would be stamped with the time of our waking up.
static const int64_t EXPECT_BEFORE_NS = 150000, EXPECT_AFTER_NS = 600000;
static const int64_t COMMANDS_EVERY_NS = 10000000;

// Someone who is on the line, or will be: talker 0 is the master.
struct talk {
  bool used, started, ended, spoilt, unheard;
  int talker, length, handed;
  int64_t start, end;
  uint8_t bytes[FRAME_MAX];
};

static struct line {
  double baud, bits, chunk, units, turnaroundUs, jitterUs;
  double replyGapUs;      // silence of a unit before it answers
  double gapUs;           // silence owed before a request
  double hearShortGaps;   // 1: a request that comes too soon is counted but answered
  double seed, core;      // core: bind to this one, -1: to none
  double lossPpm, latePpm, lateUs, flipPpm, noisePpm, twicePpm;
} line = {.baud = 115200, .bits = 10, .chunk = 8, .units = 16, .replyGapUs = 1750, .gapUs = 1750, .seed = 1, .core = -1};

static struct stats {
  uint64_t requests, replies, collisions, shortGaps, badFrames, lostBytes, lost, late, flipped, noisy, twice, wireNs;
  int64_t sinceNs, minGapNs, maxErrorNs;
  uint64_t errors, bins[BINS + 1], unitReplies[UNITS_MAX];
} stats;

static int master = -1;
static bool watching, dead[UNITS_MAX];
static uint16_t sequence[UNITS_MAX];
static struct talk talks[TALKS_MAX];
static int64_t characterNs, lastEnd;
static uint64_t chance = 1;

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// xorshift64*: the same seed gives the same faults.
static uint32_t drawn(void) {
  chance ^= chance >> 12;
  chance ^= chance << 25;
  chance ^= chance >> 27;
  return (uint32_t)((chance * 0x2545F4914F6CDD1DULL) >> 32);
}
static bool happens(double ppm) { return ppm > 0 && drawn() % 1000000 < (uint32_t)ppm; }

// Modbus over serial line v1.02, 6.2.2.
static uint16_t crc(const uint8_t *bytes, int length) {
  uint16_t c = 0xffff;
  for (int i = 0; i < length; i++) {
    c ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) c = c & 1 ? (c >> 1) ^ 0xa001 : c >> 1;
  }
  return c;
}

// What a register holds: bound to unit, address and the number of the request, so that a shifted answer shows.
static uint16_t value(int unit, int address, uint16_t number) {
  return (uint16_t)(unit * 4099 + address * 257 + number * 31);
}

static struct talk *new_talk(int talker, int64_t start) {
  for (int i = 0; i < TALKS_MAX; i++) {
    if (talks[i].used) continue;
    talks[i] = (struct talk){.used = true, .talker = talker, .start = start, .end = start};
    return &talks[i];
  }
  return NULL;
}

// Two talkers at a time: both frames are spoilt.
static void start(struct talk *talk) {
  talk->started = true;
  for (int i = 0; i < TALKS_MAX; i++) {
    struct talk *other = &talks[i];
    if (other == talk || !other->used || !other->started || other->end <= talk->start) continue;
    other->spoilt = talk->spoilt = true;
    stats.collisions++;
  }
  if (talk->end > lastEnd && talk->talker) lastEnd = talk->end;
}

static void says(int unit, const uint8_t *bytes, int length, int64_t at) {
  struct talk *talk = new_talk(unit, at);
  if (!talk) return;
  memcpy(talk->bytes, bytes, (size_t)length);
  talk->length = length;
  talk->end = at + length * characterNs;
}

// The frame of the answer without CRC; 0 when there is none.
static int answer(const uint8_t *ask, int length, uint8_t *out) {
  int unit = ask[0], function = ask[1], address = ask[2] << 8 | ask[3], count = ask[4] << 8 | ask[5];
  out[0] = (uint8_t)unit;
  out[1] = (uint8_t)function;
  if (function == 3 && length == 8 && count >= 1 && count <= 125) {
    out[2] = (uint8_t)(2 * count);
    for (int i = 0; i < count; i++) {
      uint16_t v = value(unit, address + i, sequence[unit]);
      out[3 + 2 * i] = (uint8_t)(v >> 8);
      out[4 + 2 * i] = (uint8_t)v;
    }
    return 3 + 2 * count;
  }
  if ((function == 6 && length == 8) || (function == 16 && length == 9 + ask[6])) {
    memcpy(out, ask, 6);
    return 6;
  }
  out[1] |= 0x80;
  out[2] = 1;
  return 3;
}

static void reply(const struct talk *request) {
  uint8_t out[FRAME_MAX];
  int unit = request->bytes[0], length = answer(request->bytes, request->length, out);
  uint16_t sum = crc(out, length);
  out[length++] = (uint8_t)sum;
  out[length++] = (uint8_t)(sum >> 8);
  int64_t at = request->end + (int64_t)((line.replyGapUs + line.turnaroundUs) * 1000);
  if (line.jitterUs > 0) at += drawn() % (uint32_t)(line.jitterUs * 1000);
  if (happens(line.lossPpm)) { stats.lost++; return; }
  if (happens(line.latePpm)) { stats.late++; at += (int64_t)(line.lateUs * 1000); }
  if (happens(line.flipPpm)) { stats.flipped++; out[drawn() % (uint32_t)length] ^= (uint8_t)(1u << (drawn() & 7)); }
  if (happens(line.noisePpm)) {
    uint8_t noise[3] = {(uint8_t)drawn(), (uint8_t)drawn(), (uint8_t)drawn()};
    stats.noisy++;
    says(unit, noise, 3, at);
    at += 3 * characterNs;
  }
  says(unit, out, length, at);
  if (happens(line.twicePpm)) { stats.twice++; says(unit, out, length, at + (length + 4) * characterNs); }
  stats.replies++;
  stats.unitReplies[unit]++;
}

// The last byte of the master has passed: a whole frame is answered; a piece gets the time of t1.5 to become one.
static void heard(struct talk *talk, int64_t t) {
  bool whole = talk->length >= 4 && crc(talk->bytes, talk->length) == 0;
  int64_t pieceNs = line.baud > 19200 ? 750000 : 3 * characterNs / 2;
  if (!whole && !talk->spoilt && t < talk->end + pieceNs) return;
  talk->used = false;
  stats.wireNs += (uint64_t)(talk->length * characterNs);
  if (!whole) { if (!talk->spoilt) stats.badFrames++; return; }
  stats.requests++;
  int unit = talk->bytes[0];
  if (talk->spoilt || talk->unheard || unit == 0 || unit > (int)line.units) return;
  if (watching && talk->bytes[1] != 3) {
    printf("{\"event\":\"write\",\"unit\":%d,\"function\":%d,\"address\":%d,\"value\":%d,\"atNs\":\"%lld\"}\n", unit,
           talk->bytes[1], talk->bytes[2] << 8 | talk->bytes[3], talk->bytes[4] << 8 | talk->bytes[5],
           (long long)talk->start);
    fflush(stdout);
  }
  sequence[unit]++;
  if (!dead[unit]) reply(talk);
}

static void arrived(const uint8_t *bytes, int length, int64_t t) {
  struct talk *talk = NULL;
  for (int i = 0; i < TALKS_MAX; i++) if (talks[i].used && talks[i].talker == 0) talk = &talks[i];
  if (!talk) {
    if (!(talk = new_talk(0, t))) return;
    if (lastEnd) {
      int64_t gap = t - lastEnd;
      if (gap >= 0 && gap < stats.minGapNs) stats.minGapNs = gap;
      if (gap >= 0 && gap < (int64_t)(line.gapUs * 1000)) { stats.shortGaps++; talk->unheard = !line.hearShortGaps; }
    }
    talk->end = t + length * characterNs;
    start(talk);
  } else talk->end = (talk->end > t ? talk->end : t) + length * characterNs;
  if (talk->length + length > FRAME_MAX) { talk->spoilt = true; return; }
  memcpy(talk->bytes + talk->length, bytes, (size_t)length);
  talk->length += length;
  if (talk->end > lastEnd) lastEnd = talk->end;
}

// When the last byte of the next chunk has passed.
static int64_t passed(const struct talk *talk) {
  int next = talk->handed + (int)line.chunk;
  return talk->start + (next < talk->length ? next : talk->length) * characterNs;
}

static int64_t due(const struct talk *talk) {
  if (talk->talker == 0) return talk->end;
  return talk->started ? passed(talk) : talk->start;
}

// Hands over the bytes that have passed by now, and notes how late that is; what the pty takes to bring
// them comes on top, for every master the same.
static void hand_over(struct talk *talk) {
  int count = talk->length - talk->handed < (int)line.chunk ? talk->length - talk->handed : (int)line.chunk;
  uint8_t *bytes = talk->bytes + talk->handed;
  if (talk->spoilt) for (int i = 0; i < count; i++) bytes[i] ^= (uint8_t)(drawn() | 1);
  int64_t error = now() - passed(talk);
  ssize_t taken = write(master, bytes, (size_t)count);
  if (taken < count) stats.lostBytes += (uint64_t)(count - (taken > 0 ? taken : 0));
  stats.errors++;
  stats.bins[error / 1000 < BINS ? error / 1000 : BINS]++;
  if (error > stats.maxErrorNs) stats.maxErrorNs = error;
  talk->handed += count;
  if (talk->handed < talk->length) return;
  stats.wireNs += (uint64_t)(talk->length * characterNs);
  talk->used = false;
}

static void pass(int64_t t) {
  for (int i = 0; i < TALKS_MAX; i++) {
    struct talk *talk = &talks[i];
    if (!talk->used || due(talk) > t) continue;
    if (talk->talker == 0) heard(talk, t);
    else if (!talk->started) start(talk);
    else hand_over(talk);
  }
}

// A flat object only: finds "name": and reads a number or true/false behind it.
static bool field(const char *json, const char *name, double *out) {
  char key[40];
  snprintf(key, sizeof key, "\"%s\":", name);
  const char *at = strstr(json, key);
  if (!at) return false;
  at += strlen(key);
  while (*at == ' ') at++;
  *out = !strncmp(at, "true", 4) ? 1 : strtod(at, NULL);
  return true;
}

static void configure(const char *json) {
  const struct { const char *name; double *to; } fields[] = {
      {"baud", &line.baud}, {"bits", &line.bits}, {"chunk", &line.chunk}, {"units", &line.units},
      {"turnaroundUs", &line.turnaroundUs}, {"jitterUs", &line.jitterUs}, {"replyGapUs", &line.replyGapUs},
      {"gapUs", &line.gapUs}, {"hearShortGaps", &line.hearShortGaps}, {"seed", &line.seed}, {"core", &line.core},
      {"lossPpm", &line.lossPpm}, {"latePpm", &line.latePpm}, {"lateUs", &line.lateUs}, {"flipPpm", &line.flipPpm},
      {"noisePpm", &line.noisePpm}, {"twicePpm", &line.twicePpm}};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) field(json, fields[i].name, fields[i].to);
  characterNs = (int64_t)(1e9 * line.bits / line.baud);
  double unit = 0, on = 0;
  if (field(json, "unit", &unit) && field(json, "dead", &on) && unit >= 1 && unit < UNITS_MAX) dead[(int)unit] = on != 0;
  if (field(json, "watch", &on)) watching = on != 0;
}

static void reset(void) {
  stats = (struct stats){.sinceNs = now(), .minGapNs = INT64_MAX};
  lastEnd = 0;
}

static double error_us(double share) {
  uint64_t seen = 0, rank = (uint64_t)(share * (double)stats.errors);
  for (int bin = 0; bin <= BINS; bin++) if ((seen += stats.bins[bin]) > rank) return bin + 1;
  return 0;
}

static void print_stats(double id) {
  printf("{\"id\":%.0f,\"spanNs\":%lld,\"requests\":%llu,\"replies\":%llu,\"collisions\":%llu,\"shortGaps\":%llu,"
         "\"badFrames\":%llu,\"lostBytes\":%llu,\"lost\":%llu,\"late\":%llu,\"flipped\":%llu,\"noisy\":%llu,"
         "\"twice\":%llu,\"wireNs\":%llu,\"minGapUs\":%.1f,\"chunks\":%llu,\"errorP50Us\":%.0f,\"errorP99Us\":%.0f,"
         "\"errorMaxUs\":%.1f,\"unitReplies\":[",
         id, (long long)(now() - stats.sinceNs), (unsigned long long)stats.requests, (unsigned long long)stats.replies,
         (unsigned long long)stats.collisions, (unsigned long long)stats.shortGaps, (unsigned long long)stats.badFrames,
         (unsigned long long)stats.lostBytes, (unsigned long long)stats.lost, (unsigned long long)stats.late,
         (unsigned long long)stats.flipped, (unsigned long long)stats.noisy, (unsigned long long)stats.twice,
         (unsigned long long)stats.wireNs, stats.minGapNs == INT64_MAX ? -1.0 : (double)stats.minGapNs / 1e3,
         (unsigned long long)stats.errors, error_us(0.5), error_us(0.99), (double)stats.maxErrorNs / 1e3);
  for (int unit = 1; unit <= (int)line.units; unit++)
    printf("%s%llu", unit > 1 ? "," : "", (unsigned long long)stats.unitReplies[unit]);
  printf("]}\n");
  fflush(stdout);
}

// One command per line: sets the fields that it names; {"id":N} answers with the figures since the last "reset":true.
static bool commands(void) {
  static char text[COMMAND_MAX];
  static size_t filled;
  ssize_t count = read(STDIN_FILENO, text + filled, sizeof text - 1 - filled);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return false;
  if (count > 0) filled += (size_t)count;
  text[filled] = 0;
  for (char *end; (end = strchr(text, '\n'));) {
    *end = 0;
    double id, yes;
    configure(text);
    if (field(text, "id", &id)) print_stats(id);
    if (field(text, "reset", &yes) && yes) reset();
    filled -= (size_t)(end + 1 - text);
    memmove(text, end + 1, filled + 1);
  }
  return filled < sizeof text - 1;
}

static int64_t next_due(void) {
  int64_t next = INT64_MAX;
  for (int i = 0; i < TALKS_MAX; i++)
    if (talks[i].used && due(&talks[i]) < next) next = due(&talks[i]);
  return next;
}

// Sleeps until shortly before something is due, but not past a byte of the master or a command.
static void rest(int64_t t) {
  int64_t next = next_due(), expect = lastEnd + (int64_t)(line.gapUs * 1000);
  int64_t wake = next == INT64_MAX ? t + 1000000000LL : next - SPIN_NS;
  if (lastEnd && t < expect + EXPECT_AFTER_NS && wake > expect - EXPECT_BEFORE_NS) wake = expect - EXPECT_BEFORE_NS;
  if (wake <= t) return;
  struct timespec left = {(wake - t) / 1000000000LL, (wake - t) % 1000000000LL};
  struct pollfd on[2] = {{master, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  ppoll(on, 2, &left, NULL);
}

// Best effort: what it brings shows in the pacing error that is printed with every result.
static bool become_punctual(void) {
  if (line.core >= 0) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET((size_t)line.core, &cores);
    sched_setaffinity(0, sizeof cores, &cores);
  }
  prctl(PR_SET_TIMERSLACK, 1);
  mlockall(MCL_CURRENT | MCL_FUTURE);
  struct sched_param fifo = {.sched_priority = 50};
  return sched_setscheduler(0, SCHED_FIFO, &fifo) == 0;
}

int main(int count, char **arguments) {
  if (count > 1) configure(arguments[1]);
  chance = (uint64_t)line.seed * 0x9E3779B97F4A7C15ULL | 1;
  master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
  if (master < 0 || grantpt(master) || unlockpt(master)) { perror("pty"); return 1; }
  // The other end stays open, unread: without it the master reports EIO whenever no program holds the line.
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  struct termios raw;
  if (slave < 0 || tcgetattr(slave, &raw)) { perror("pty"); return 1; }
  cfmakeraw(&raw);
  tcsetattr(slave, TCSANOW, &raw);
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  bool realtime = become_punctual();
  reset();
  printf("{\"event\":\"ready\",\"path\":\"%s\",\"realtime\":%s}\n", ptsname(master), realtime ? "true" : "false");
  fflush(stdout);
  for (int64_t commandsAt = 0;;) {
    uint8_t bytes[FRAME_MAX];
    ssize_t got = read(master, bytes, sizeof bytes);
    int64_t t = now();
    if (got > 0) arrived(bytes, (int)got, t);
    pass(t);
    if (t >= commandsAt) {
      if (!commands()) return 0;
      commandsAt = t + COMMANDS_EVERY_NS;
    }
    rest(now());
  }
}
