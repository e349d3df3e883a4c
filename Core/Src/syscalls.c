/*
 * What newlib asks of an operating system. There is none: output goes to the console, everything else says so.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>

#include "board.h"

int _close(int file);
int _fstat(int file, struct stat *status);
int _getpid(void);
int _isatty(int file);
int _kill(int process, int signal);
int _lseek(int file, int offset, int whence);
int _read(int file, char *buffer, int length);
int _write(int file, const char *buffer, int length);
void _exit(int status);

int _close(int file)
{
    (void)file;
    errno = EBADF;
    return -1;
}

int _fstat(int file, struct stat *status)
{
    (void)file;
    status->st_mode = S_IFCHR;
    return 0;
}

int _getpid(void)
{
    return 1;
}

int _isatty(int file)
{
    (void)file;
    return 1;
}

int _kill(int process, int signal)
{
    (void)process;
    (void)signal;
    errno = EINVAL;
    return -1;
}

int _lseek(int file, int offset, int whence)
{
    (void)file;
    (void)offset;
    (void)whence;
    return 0;
}

int _read(int file, char *buffer, int length)
{
    (void)file;
    (void)buffer;
    (void)length;
    return 0;
}

int _write(int file, const char *buffer, int length)
{
    (void)file;
    board_write(buffer, (size_t)length);
    return length;
}

void _exit(int status)
{
    board_exit(status);
}
