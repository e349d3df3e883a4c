/* Preloaded into the tool and all that it starts: counts the operations that change the disk below a folder, and lets
   the n-th one be the moment of a crash, or the first of many that fail. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { NOTHING, SEND, FULL, READ_ONLY };

struct state {
    _Atomic int count;
    int at, action, signal, root;
};

static struct state *state;
static const char *folder;

static void begin(void)
{
    if (state != NULL) {
        return;
    }
    const char *name = getenv("CRASH_STATE");
    folder = getenv("CRASH_FOLDER");
    int file = name != NULL && folder != NULL ? (int)syscall(257 /* openat */, AT_FDCWD, name, O_RDWR, 0) : -1;
    if (file < 0) {
        return;
    }
    void *mapped = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) {
        state = mapped;
    }
}

static int is_below(const char *path)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Whether an operation may go on; 0 with errno otherwise. takes_room: it needs space on the disk. */
static int allowed(int directory, const char *path, int takes_room)
{
    char whole[8192], link[64];
    begin();
    if (state == NULL || path == NULL) {
        return 1;
    }
    if (path[0] != '/') {
        ssize_t length;
        if (directory == AT_FDCWD) {
            length = getcwd(whole, 4096) != NULL ? (ssize_t)strlen(whole) : -1;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
            length = readlink(link, whole, 4096);
        }
        if (length < 0) {
            return 1;
        }
        snprintf(whole + length, 4000, "%s%s", path[0] != '\0' ? "/" : "", path);
        path = whole;
    }
    if (!is_below(path)) {
        return 1;
    }
    int number = atomic_fetch_add(&state->count, 1) + 1;
    if (state->action == SEND && number == state->at) {
        kill(state->signal == SIGINT ? -state->root : state->root, state->signal);
        if (state->signal == SIGKILL) {
            usleep(200000); /* nothing of the tool's happens after its end */
        }
    }
    if (state->at == 0 || number < state->at) {
        return 1;
    }
    if (state->action == FULL && takes_room) {
        errno = ENOSPC;
        return 0;
    }
    if (state->action == READ_ONLY) {
        errno = EROFS;
        return 0;
    }
    return 1;
}

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

static int changes(int flags)
{
    return (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0;
}

#define MODE(flags, last)                                                                                              \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                             \
        va_list list;                                                                                                  \
        va_start(list, last);                                                                                          \
        mode = va_arg(list, mode_t);                                                                                   \
        va_end(list);                                                                                                  \
    }

#define OPEN(symbol)                                                                                                   \
    int symbol(const char *path, int flags, ...)                                                                       \
    {                                                                                                                  \
        MODE(flags, flags)                                                                                             \
        if (changes(flags) && !allowed(AT_FDCWD, path, flags & O_CREAT)) {                                             \
            return -1;                                                                                                 \
        }                                                                                                              \
        return REAL(int, #symbol, const char *, int, ...)(path, flags, mode);                                          \
    }

#define OPENAT(symbol)                                                                                                 \
    int symbol(int directory, const char *path, int flags, ...)                                                        \
    {                                                                                                                  \
        MODE(flags, flags)                                                                                             \
        if (changes(flags) && !allowed(directory, path, flags & O_CREAT)) {                                            \
            return -1;                                                                                                 \
        }                                                                                                              \
        return REAL(int, #symbol, int, const char *, int, ...)(directory, path, flags, mode);                          \
    }

#define FOPEN(symbol)                                                                                                  \
    FILE *symbol(const char *path, const char *mode)                                                                   \
    {                                                                                                                  \
        if (strpbrk(mode, "wa+") != NULL && !allowed(AT_FDCWD, path, 1)) {                                             \
            return NULL;                                                                                               \
        }                                                                                                              \
        return REAL(FILE *, #symbol, const char *, const char *)(path, mode);                                          \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
FOPEN(fopen)
FOPEN(fopen64)

ssize_t write(int file, const void *data, size_t count)
{
    char link[64], path[4097];
    begin();
    if (state != NULL && file > 2) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t length = readlink(link, path, sizeof path - 1);
        if (length > 0) {
            path[length] = '\0';
            if (path[0] == '/' && !allowed(AT_FDCWD, path, 1)) {
                return -1;
            }
        }
    }
    return REAL(ssize_t, "write", int, const void *, size_t)(file, data, count);
}

int rename(const char *from, const char *to)
{
    return allowed(AT_FDCWD, to, 0) ? REAL(int, "rename", const char *, const char *)(from, to) : -1;
}

int unlink(const char *path)
{
    return allowed(AT_FDCWD, path, 0) ? REAL(int, "unlink", const char *)(path) : -1;
}

int unlinkat(int directory, const char *path, int flags)
{
    return allowed(directory, path, 0) ? REAL(int, "unlinkat", int, const char *, int)(directory, path, flags) : -1;
}

int mkdir(const char *path, mode_t mode)
{
    return allowed(AT_FDCWD, path, 1) ? REAL(int, "mkdir", const char *, mode_t)(path, mode) : -1;
}

int rmdir(const char *path)
{
    return allowed(AT_FDCWD, path, 0) ? REAL(int, "rmdir", const char *)(path) : -1;
}
