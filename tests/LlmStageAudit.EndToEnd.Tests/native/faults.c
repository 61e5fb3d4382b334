/*
 * Faults between a program and its disk, by LD_PRELOAD: counts the calls that change files under one folder and does something at one of
 * them. Settings come from the environment:
 *
 *   FAULTS_ROOT     the folder; calls elsewhere pass through uncounted
 *   FAULTS_MODE     count  nothing happens
 *                   kill   the process is killed (SIGKILL) before the call
 *                   tear   the same, but of a write the first half is done
 *                   power  the same as kill, and what each file and folder held at its last flush is kept under FAULTS_SHADOW
 *                   idle   nothing happens and nothing is counted until the process itself calls faults_arm
 *                   enospc, eio, short   the call fails; short: the first half of a write is done and the rest fails with ENOSPC
 *   FAULTS_AT       which call, from 1
 *   FAULTS_STICKY   set: every later call that needs the disk fails too (enospc spares calls that need no room)
 *   FAULTS_COUNT    a file that gets the number of calls, written as they happen
 *   FAULTS_SHADOW   for power: file-INODE holds a file's content at its last fsync, folder-INODE a folder's entries, "INODE d|f NAME" a
 *                   line, and root names the folder's own inode. What a process finds when it starts counts as flushed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum mode { OFF, COUNT, KILL, TEAR, POWER, ENOSPC_ONCE, EIO_ONCE, SHORT };
enum kind { WRITES, NEEDS_ROOM, NEEDS_NONE };
enum verdict { GO_ON, FAIL, HALF };

static enum mode mode = OFF;
static char root[PATH_MAX], shadow[PATH_MAX];
static size_t root_length;
static long at;
static int sticky, count_fd = -1;
static long calls;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))real(#name))

static const struct { const char *name; enum mode mode; } modes[] = {
    {"count", COUNT}, {"kill", KILL}, {"tear", TEAR}, {"power", POWER}, {"enospc", ENOSPC_ONCE}, {"eio", EIO_ONCE}, {"short", SHORT}};

static enum mode mode_of(const char *name)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(name, modes[i].name) == 0) return modes[i].mode;
    return OFF;
}

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) _exit(99);
    return found;
}

static int under_root(const char *path)
{
    return strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == 0);
}

static int path_is_ours(int folder, const char *path)
{
    if (mode == OFF || !path) return 0;
    if (path[0] == '/') return under_root(path);
    char base[PATH_MAX], full[2 * PATH_MAX], link[64];
    if (folder == AT_FDCWD) {
        if (!getcwd(base, sizeof base)) return 0;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t n = readlink(link, base, sizeof base - 1);
        if (n < 0) return 0;
        base[n] = 0;
    }
    snprintf(full, sizeof full, "%s/%s", base, path);
    return under_root(full);
}

static int descriptor_is_ours(int fd)
{
    if (mode == OFF) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return under_root(path);
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* The shadow: what the disk is sure to hold. */

static int shadow_open(const char *what, ino_t inode)
{
    char name[PATH_MAX + 64];
    snprintf(name, sizeof name, "%s/%s-%lu", shadow, what, (unsigned long)inode);
    return REAL(open64)(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void shadow_forget(ino_t inode)
{
    char name[PATH_MAX + 64];
    const char *kinds[] = {"file", "folder"};
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s/%s-%lu", shadow, kinds[i], (unsigned long)inode);
        REAL(unlink)(name);
    }
}

static void shadow_file(const char *path, ino_t inode)
{
    char buffer[1 << 16];
    int from = REAL(open64)(path, O_RDONLY | O_CLOEXEC), to = shadow_open("file", inode);
    ssize_t n;
    while (from >= 0 && to >= 0 && (n = read(from, buffer, sizeof buffer)) > 0)
        if (REAL(write)(to, buffer, (size_t)n) != n) _exit(99);
    close(from);
    close(to);
}

static void shadow_folder(const char *path, ino_t inode)
{
    DIR *folder = opendir(path);
    int to = shadow_open("folder", inode);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char line[PATH_MAX + 64], child[PATH_MAX + 512];
        struct stat found;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (lstat(child, &found) != 0) continue;
        int n = snprintf(line, sizeof line, "%lu %c %s\n", (unsigned long)found.st_ino, S_ISDIR(found.st_mode) ? 'd' : 'f', entry->d_name);
        if (REAL(write)(to, line, (size_t)n) != n) _exit(99);
    }
    if (folder) closedir(folder);
    close(to);
}

static void shadow_all(const char *path)
{
    struct stat found;
    if (lstat(path, &found) != 0) return;
    if (!S_ISDIR(found.st_mode)) {
        shadow_file(path, found.st_ino);
        return;
    }
    shadow_folder(path, found.st_ino);
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char child[PATH_MAX + 512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        shadow_all(child);
    }
    if (folder) closedir(folder);
}

static void shadow_flushed(int fd)
{
    if (mode != POWER) return;
    char link[64], path[PATH_MAX];
    struct stat found;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0 || fstat(fd, &found) != 0) return;
    path[n] = 0;
    if (S_ISDIR(found.st_mode)) shadow_folder(path, found.st_ino);
    else shadow_file(link, found.st_ino);
}

static void shadow_created(const char *path)
{
    struct stat found;
    if (mode == POWER && lstat(path, &found) == 0) shadow_forget(found.st_ino);
}

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("FAULTS_ROOT"), *how = getenv("FAULTS_MODE"), *when = getenv("FAULTS_AT"), *count = getenv("FAULTS_COUNT");
    const char *kept = getenv("FAULTS_SHADOW");
    if (!folder || !how || !realpath(folder, root)) return;
    root_length = strlen(root);
    at = when ? atol(when) : 0;
    sticky = getenv("FAULTS_STICKY") != NULL;
    if (count) count_fd = REAL(open64)(count, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum mode chosen = mode_of(how);
    if (chosen == POWER) {
        struct stat found;
        if (!kept || !realpath(kept, shadow) || stat(root, &found) != 0) return;
        shadow_all(root);
        char name[PATH_MAX + 64], text[64];
        snprintf(name, sizeof name, "%s/root", shadow);
        int to = REAL(open64)(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        int n = snprintf(text, sizeof text, "%lu", (unsigned long)found.st_ino);
        if (REAL(write)(to, text, (size_t)n) != n) _exit(99);
        close(to);
    }
    mode = chosen;
    /* Programs it starts are none of ours. */
    unsetenv("LD_PRELOAD");
}

/* For a process that runs one command after the other. Returns how many calls the last one made. */
long faults_arm(const char *how, long when, int from_then_on)
{
    pthread_mutex_lock(&gate);
    long made = calls;
    calls = 0;
    at = when;
    sticky = from_then_on;
    mode = mode_of(how);
    pthread_mutex_unlock(&gate);
    return made;
}

/* Every counted call passes here, one at a time, so that a shadow is of one moment. */
static enum verdict pass(enum kind kind)
{
    calls++;
    if (count_fd >= 0) {
        char text[32];
        int n = snprintf(text, sizeof text, "%ld", calls);
        if (REAL(pwrite64)(count_fd, text, (size_t)n, 0) != n) _exit(99);
    }
    int now = calls == at, later = sticky && calls > at && at > 0;
    if (now && (mode == KILL || mode == POWER)) die();
    if (now && mode == TEAR) {
        if (kind == WRITES) return HALF;
        die();
    }
    if (now && mode == SHORT && kind == WRITES) return HALF;
    if (now && mode == SHORT) at++;
    if ((now || later) && mode == EIO_ONCE) return FAIL;
    if ((now || later) && mode == ENOSPC_ONCE) {
        if (kind != NEEDS_NONE) return FAIL;
        /* Wait for a call that can run out of room. */
        if (now && !sticky) at++;
    }
    return GO_ON;
}

static int fault(void) { return mode == EIO_ONCE ? EIO : ENOSPC; }

#define COUNTED(ours, kind, type, call, half)                         \
    do {                                                              \
        if (!(ours)) return (call);                                   \
        pthread_mutex_lock(&gate);                                    \
        enum verdict verdict = pass(kind);                            \
        type result;                                                  \
        int error = 0;                                                \
        if (verdict == FAIL) {                                        \
            result = -1;                                              \
            error = fault();                                          \
        } else if (verdict == HALF) {                                 \
            result = (half);                                          \
            error = errno;                                            \
            if (mode == TEAR) die();                                  \
            at++; /* the other half fails */                          \
            if (mode == SHORT) mode = ENOSPC_ONCE;                    \
        } else {                                                      \
            result = (call);                                          \
            error = errno;                                            \
        }                                                             \
        pthread_mutex_unlock(&gate);                                  \
        errno = error;                                                \
        return result;                                                \
    } while (0)

ssize_t write(int fd, const void *data, size_t count)
{
    COUNTED(descriptor_is_ours(fd), WRITES, ssize_t, REAL(write)(fd, data, count), REAL(write)(fd, data, count / 2));
}

ssize_t pwrite(int fd, const void *data, size_t count, off_t offset)
{
    COUNTED(descriptor_is_ours(fd), WRITES, ssize_t, REAL(pwrite)(fd, data, count, offset), REAL(pwrite)(fd, data, count / 2, offset));
}

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t offset)
{
    COUNTED(descriptor_is_ours(fd), WRITES, ssize_t, REAL(pwrite64)(fd, data, count, offset), REAL(pwrite64)(fd, data, count / 2, offset));
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    COUNTED(descriptor_is_ours(fd), WRITES, ssize_t, REAL(writev)(fd, parts, count), REAL(write)(fd, parts[0].iov_base, parts[0].iov_len / 2));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    COUNTED(descriptor_is_ours(fd), WRITES, ssize_t, REAL(pwritev64)(fd, parts, count, offset),
            REAL(pwrite64)(fd, parts[0].iov_base, parts[0].iov_len / 2, offset));
}

ssize_t sendfile64(int to, int from, off64_t *offset, size_t count)
{
    ssize_t (*call)(int, int, off64_t *, size_t) = (ssize_t(*)(int, int, off64_t *, size_t))real("sendfile64");
    COUNTED(descriptor_is_ours(to), WRITES, ssize_t, call(to, from, offset, count), call(to, from, offset, count / 2));
}

ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t count, unsigned flags)
{
    COUNTED(descriptor_is_ours(to), WRITES, ssize_t, REAL(copy_file_range)(from, from_offset, to, to_offset, count, flags),
            REAL(copy_file_range)(from, from_offset, to, to_offset, count / 2, flags));
}

/* A clone shares blocks unseen, so copies fall back to calls that are counted. */
int ioctl(int fd, unsigned long request, ...)
{
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    if (request == 0x40049409UL && descriptor_is_ours(fd)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return REAL(ioctl)(fd, request, argument);
}

static int flush(int fd, int (*call)(int))
{
    int result = call(fd), error = errno;
    if (result == 0) shadow_flushed(fd);
    errno = error;
    return result;
}

int fsync(int fd) { COUNTED(descriptor_is_ours(fd), NEEDS_ROOM, int, flush(fd, REAL(fsync)), -1); }

int fdatasync(int fd) { COUNTED(descriptor_is_ours(fd), NEEDS_ROOM, int, flush(fd, REAL(fdatasync)), -1); }

int ftruncate(int fd, off_t length) { COUNTED(descriptor_is_ours(fd), NEEDS_NONE, int, REAL(ftruncate)(fd, length), -1); }

int ftruncate64(int fd, off64_t length) { COUNTED(descriptor_is_ours(fd), NEEDS_NONE, int, REAL(ftruncate64)(fd, length), -1); }

int fallocate(int fd, int how, off_t offset, off_t length)
{
    COUNTED(descriptor_is_ours(fd), NEEDS_ROOM, int, REAL(fallocate)(fd, how, offset, length), -1);
}

int fallocate64(int fd, int how, off64_t offset, off64_t length)
{
    COUNTED(descriptor_is_ours(fd), NEEDS_ROOM, int, REAL(fallocate64)(fd, how, offset, length), -1);
}

int rename(const char *from, const char *to)
{
    COUNTED(path_is_ours(AT_FDCWD, from) || path_is_ours(AT_FDCWD, to), NEEDS_ROOM, int, REAL(rename)(from, to), -1);
}

int link(const char *from, const char *to) { COUNTED(path_is_ours(AT_FDCWD, to), NEEDS_ROOM, int, REAL(link)(from, to), -1); }

int symlink(const char *from, const char *to) { COUNTED(path_is_ours(AT_FDCWD, to), NEEDS_ROOM, int, REAL(symlink)(from, to), -1); }

int unlink(const char *path) { COUNTED(path_is_ours(AT_FDCWD, path), NEEDS_NONE, int, REAL(unlink)(path), -1); }

int rmdir(const char *path) { COUNTED(path_is_ours(AT_FDCWD, path), NEEDS_NONE, int, REAL(rmdir)(path), -1); }

static int make(const char *path, mode_t rights)
{
    int result = REAL(mkdir)(path, rights), error = errno;
    if (result == 0) shadow_created(path);
    errno = error;
    return result;
}

int mkdir(const char *path, mode_t rights) { COUNTED(path_is_ours(AT_FDCWD, path), NEEDS_ROOM, int, make(path, rights), -1); }

static int create(const char *path, int flags, mode_t rights)
{
    int is_new = access(path, F_OK) != 0, result = REAL(open64)(path, flags, rights), error = errno;
    if (result >= 0 && is_new) shadow_created(path);
    errno = error;
    return result;
}

#define OPENED(path, flags)                                                                   \
    mode_t rights = 0;                                                                        \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                      \
        va_list more;                                                                         \
        va_start(more, flags);                                                                \
        rights = va_arg(more, mode_t);                                                        \
        va_end(more);                                                                         \
    }                                                                                         \
    if (!(flags & (O_CREAT | O_TRUNC))) return REAL(open64)(path, flags, rights);             \
    COUNTED(path_is_ours(AT_FDCWD, path), NEEDS_ROOM, int, create(path, flags, rights), -1)

int open(const char *path, int flags, ...) { OPENED(path, flags); }

int open64(const char *path, int flags, ...) { OPENED(path, flags); }
