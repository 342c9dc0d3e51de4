// Stands between a process and its disk (LD_PRELOAD): records what the process does to the files of one directory, and
// lets a test make the disk slow, full, read-only or failing while the process runs.
//
//   CRASH_DIRECTORY  absolute path of the watched directory; nothing else is touched
//   CRASH_TRACE      file the record is appended to (absent: nothing is recorded)
//   CRASH_FAULTS     file of one `struct faults`, shared with whoever decides (absent: no faults)
//
// One record is `struct record`, then `length` bytes: a path relative to the directory ("" is the directory itself; two
// paths with a zero byte between them for a rename) or the data of a write. Records stand in the order of the calls:
// a change of a file and its record are made under one lock. A sync has two records, at its begin and at its end, as
// only what was written before its begin is covered.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { R_PROCESS = 1, R_OPEN, R_CLOSE, R_WRITE, R_TRUNCATE, R_SYNC_BEGIN, R_SYNC_END, R_UNLINK, R_RENAME, R_MKDIR };
enum { WATCHED_MAX = 4096, CREATED = 1, TRUNCATED = 2 };

struct record {
  uint32_t kind;
  int32_t fd;
  // Write: where; truncate: the new length; open: CREATED and TRUNCATED; end of a sync: 1 when it succeeded.
  int64_t value;
  // End of a sync: number of the record of its begin.
  uint64_t begun;
  uint64_t length;
};

// Written by the test, but for the counters. `armed` faults hit from the (skip + 1)-th call on.
struct faults {
  volatile uint32_t sync_errno, sync_skip, sync_delay_ms, write_errno;
  volatile uint32_t write_skip, sync_only_once, reserved_a, reserved_b;
  // Counters: syncs begun and ended, faults given.
  volatile uint32_t syncs_begun, syncs_ended, given, reserved_c;
};

static char directory[PATH_MAX];
static size_t directory_length;
static int trace = -1;
static struct faults *faults;
static uint64_t records;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char watched[WATCHED_MAX];
static unsigned char is_directory[WATCHED_MAX];

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

// Path below the directory, "" for itself, NULL for anything else.
static const char *below(int at, const char *path) {
  if (!directory_length || !path || (at != AT_FDCWD && path[0] != '/')) return NULL;
  if (strncmp(path, directory, directory_length) != 0) return NULL;
  if (path[directory_length] == 0) return path + directory_length;
  return path[directory_length] == '/' ? path + directory_length + 1 : NULL;
}
static int is_watched(int fd) { return fd >= 0 && fd < WATCHED_MAX && watched[fd]; }

// Under the lock.
static uint64_t note(struct record record, const void *bytes) {
  if (trace < 0) return ++records;
  struct iovec parts[2] = {{&record, sizeof record}, {(void *)bytes, record.length}};
  ssize_t wanted = (ssize_t)(sizeof record + record.length);
  if (REAL(writev)(trace, parts, record.length ? 2 : 1) != wanted) abort();
  return ++records;
}

__attribute__((constructor)) static void begin(void) {
  const char *wanted = getenv("CRASH_DIRECTORY"), *to = getenv("CRASH_TRACE"), *control = getenv("CRASH_FAULTS");
  if (!wanted || strlen(wanted) >= sizeof directory) return;
  if (to) {
    trace = REAL(open)(to, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (trace < 0) abort();
    struct stat found;
    if (fstat(trace, &found) != 0) abort();
    note((struct record){.kind = R_PROCESS}, "");
  }
  if (control) {
    int fd = REAL(open)(control, O_RDWR | O_CLOEXEC);
    faults = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (faults == MAP_FAILED) abort();
  }
  strcpy(directory, wanted);
  directory_length = strlen(directory);
}

// The error this write shall get, or 0. A full disk still takes back what it has: only growing calls come here.
static int write_fault(void) {
  if (!faults || !faults->write_errno) return 0;
  if (faults->write_skip) {
    faults->write_skip--;
    return 0;
  }
  faults->given++;
  return (int)faults->write_errno;
}
static int sync_fault(void) {
  if (!faults || !faults->sync_errno) return 0;
  if (faults->sync_skip) {
    faults->sync_skip--;
    return 0;
  }
  int code = (int)faults->sync_errno;
  faults->given++;
  if (faults->sync_only_once) faults->sync_errno = 0;
  return code;
}

static int opened(int at, const char *path, int flags, mode_t mode) {
  const char *name = below(at, path);
  if (!name) return REAL(openat)(at, path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat before;
  int there = stat(path, &before) == 0;
  int fd = -1;
  if (faults && faults->write_errno == EROFS && (flags & O_ACCMODE) != O_RDONLY) errno = EROFS;
  else fd = REAL(openat)(at, path, flags, mode);
  if (fd >= 0 && fd < WATCHED_MAX) {
    watched[fd] = 1;
    is_directory[fd] = there && S_ISDIR(before.st_mode);
    int64_t how = (there ? 0 : CREATED) | ((flags & O_TRUNC) && there ? TRUNCATED : 0);
    note((struct record){.kind = R_OPEN, .fd = fd, .value = how, .length = strlen(name)}, name);
  }
  pthread_mutex_unlock(&lock);
  return fd;
}

#define WITH_MODE                                       \
  mode_t mode = 0;                                      \
  if (flags & (O_CREAT | O_TMPFILE)) {                  \
    va_list more;                                       \
    va_start(more, flags);                              \
    mode = va_arg(more, mode_t);                        \
    va_end(more);                                       \
  }
int open(const char *path, int flags, ...) { WITH_MODE return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { WITH_MODE return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int at, const char *path, int flags, ...) { WITH_MODE return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { WITH_MODE return opened(at, path, flags | O_LARGEFILE, mode); }

int close(int fd) {
  if (!is_watched(fd)) return REAL(close)(fd);
  pthread_mutex_lock(&lock);
  watched[fd] = 0;
  note((struct record){.kind = R_CLOSE, .fd = fd}, "");
  int result = REAL(close)(fd);
  pthread_mutex_unlock(&lock);
  return result;
}

static ssize_t wrote(int fd, const void *bytes, size_t length, int64_t at) {
  pthread_mutex_lock(&lock);
  int64_t where = at >= 0 ? at : lseek(fd, 0, SEEK_CUR);
  int fault = write_fault();
  ssize_t done = -1;
  if (fault) errno = fault;
  else if (at >= 0) done = REAL(pwrite)(fd, bytes, length, at);
  else done = REAL(write)(fd, bytes, length);
  // An appending file tells only afterwards where it was written.
  if (done > 0 && at < 0) where = lseek(fd, 0, SEEK_CUR) - done;
  if (done > 0) note((struct record){.kind = R_WRITE, .fd = fd, .value = where, .length = (uint64_t)done}, bytes);
  int code = errno;
  pthread_mutex_unlock(&lock);
  errno = code;
  return done;
}
ssize_t write(int fd, const void *bytes, size_t length) {
  return is_watched(fd) ? wrote(fd, bytes, length, -1) : REAL(write)(fd, bytes, length);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  return is_watched(fd) ? wrote(fd, bytes, length, at) : REAL(pwrite)(fd, bytes, length, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  return is_watched(fd) ? wrote(fd, bytes, length, at) : REAL(pwrite64)(fd, bytes, length, at);
}
static ssize_t wrote_parts(int fd, const struct iovec *parts, int count, int64_t at) {
  ssize_t total = 0;
  for (int i = 0; i < count; i++) {
    if (parts[i].iov_len == 0) continue;
    ssize_t done = wrote(fd, parts[i].iov_base, parts[i].iov_len, at < 0 ? -1 : at + total);
    if (done < 0) return total ? total : -1;
    total += done;
    if ((size_t)done < parts[i].iov_len) break;
  }
  return total;
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  return is_watched(fd) ? wrote_parts(fd, parts, count, -1) : REAL(writev)(fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  return is_watched(fd) ? wrote_parts(fd, parts, count, at) : REAL(pwritev)(fd, parts, count, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  return is_watched(fd) ? wrote_parts(fd, parts, count, at) : REAL(pwritev64)(fd, parts, count, at);
}
// A copy in the kernel would pass the record by: whoever copies is told to do it by hand.
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t length, unsigned flags) {
  if (!is_watched(to)) return REAL(copy_file_range)(from, from_at, to, to_at, length, flags);
  errno = ENOSYS;
  return -1;
}

static int truncated(int fd, int64_t length) {
  pthread_mutex_lock(&lock);
  int result = REAL(ftruncate)(fd, length);
  if (result == 0) note((struct record){.kind = R_TRUNCATE, .fd = fd, .value = length}, "");
  pthread_mutex_unlock(&lock);
  return result;
}
int ftruncate(int fd, off_t length) { return is_watched(fd) ? truncated(fd, length) : REAL(ftruncate)(fd, length); }
int ftruncate64(int fd, off64_t length) { return is_watched(fd) ? truncated(fd, length) : REAL(ftruncate64)(fd, length); }

static int synced(int fd, int (*sync)(int)) {
  pthread_mutex_lock(&lock);
  uint64_t begun = records;
  note((struct record){.kind = R_SYNC_BEGIN, .fd = fd}, "");
  if (faults) faults->syncs_begun++;
  int fault = sync_fault();
  uint32_t delay = faults && !is_directory[fd] ? faults->sync_delay_ms : 0;
  pthread_mutex_unlock(&lock);
  // Asked again every millisecond: a test that lets the disk go on need not wait for the rest.
  for (uint32_t waited = 0; waited < delay && faults->sync_delay_ms; waited++)
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  int result = fault ? -1 : sync(fd);
  if (fault) errno = fault;
  int code = errno;
  pthread_mutex_lock(&lock);
  if (faults) faults->syncs_ended++;
  note((struct record){.kind = R_SYNC_END, .fd = fd, .value = result == 0, .begun = begun}, "");
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}
int fsync(int fd) { return is_watched(fd) ? synced(fd, REAL(fsync)) : REAL(fsync)(fd); }
int fdatasync(int fd) { return is_watched(fd) ? synced(fd, REAL(fdatasync)) : REAL(fdatasync)(fd); }

static int unlinked(int at, const char *path, int flags) {
  const char *name = below(at, path);
  if (!name) return REAL(unlinkat)(at, path, flags);
  pthread_mutex_lock(&lock);
  int result = REAL(unlinkat)(at, path, flags);
  if (result == 0) note((struct record){.kind = R_UNLINK, .length = strlen(name)}, name);
  pthread_mutex_unlock(&lock);
  return result;
}
int unlink(const char *path) { return unlinked(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return unlinked(at, path, flags); }

static int renamed(const char *from, const char *to) {
  const char *old = below(AT_FDCWD, from), *fresh = below(AT_FDCWD, to);
  if (!old || !fresh) return REAL(rename)(from, to);
  char both[2 * PATH_MAX];
  size_t length = strlen(old) + 1 + strlen(fresh);
  if (length >= sizeof both) abort();
  strcpy(both, old);
  strcpy(both + strlen(old) + 1, fresh);
  pthread_mutex_lock(&lock);
  int result = REAL(rename)(from, to);
  if (result == 0) note((struct record){.kind = R_RENAME, .length = length}, both);
  pthread_mutex_unlock(&lock);
  return result;
}
int rename(const char *from, const char *to) { return renamed(from, to); }

int mkdir(const char *path, mode_t mode) {
  const char *name = below(AT_FDCWD, path);
  if (!name) return REAL(mkdir)(path, mode);
  pthread_mutex_lock(&lock);
  int result = REAL(mkdir)(path, mode);
  if (result == 0) note((struct record){.kind = R_MKDIR, .length = strlen(name)}, name);
  pthread_mutex_unlock(&lock);
  return result;
}
