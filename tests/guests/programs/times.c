/* File times, to the nanosecond. SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void show(const char *what, const char *path)
{
    struct stat s;
    time_t now = time(NULL);
    if (lstat(path, &s) != 0) {
        perror(path);
        return;
    }
    printf("%s:", what);
    for (int i = 0; i < 2; i++) {
        struct timespec t = i ? s.st_mtim : s.st_atim;
        if (t.tv_sec > now - 3600 && t.tv_sec <= now + 1)
            printf(" now");
        else
            printf(" %lld.%09ld", (long long)t.tv_sec, t.tv_nsec);
    }
    printf("\n");
}

/* The values in ziglang's headers are not those that its libc was built with. */
#define OMIT 0x3ffffffe
#define NOW 0x3fffffff

int main(void)
{
    struct timespec both[2] = {{1000000000, 1}, {1234567890, 987654321}};
    struct timespec one[2] = {{7, 7}, {0, OMIT}};
    struct timespec now[2] = {{0, OMIT}, {0, NOW}};
    int fd = open("/file", O_CREAT | O_RDWR, 0666);
    mkdir("/dir", 0777);
    symlink("file", "/link");
    show("new", "/file");
    printf("futimens %d\n", futimens(fd, both));
    show("set", "/file");
    printf("futimens %d\n", futimens(fd, one));
    show("one kept", "/file");
    printf("utimensat %d\n", utimensat(AT_FDCWD, "/file", now, 0));
    show("one now", "/file");
    printf("futimens %d\n", futimens(fd, NULL));
    show("both now", "/file");
    printf("utimensat %d\n",
           utimensat(AT_FDCWD, "/link", both, AT_SYMLINK_NOFOLLOW));
    show("link", "/link");
    show("its file", "/file");
    printf("utimensat %d\n", utimensat(AT_FDCWD, "/link", both, 0));
    show("file by its link", "/file");
    printf("utimensat %d\n", utimensat(AT_FDCWD, "/dir", both, 0));
    show("dir", "/dir");
    printf("stat %d\n", write(fd, "a", 1) == 1 && fsync(fd) == 0);
    struct stat s;
    fstat(fd, &s);
    printf("changed after: %d\n", s.st_ctim.tv_sec >= 1600000000);
    return 0;
}
