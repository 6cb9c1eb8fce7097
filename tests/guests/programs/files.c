/* Files by way of stdio and of POSIX calls. SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static void show(const char *name)
{
    char text[200];
    FILE *file = fopen(name, "r");
    size_t n = file ? fread(text, 1, sizeof text, file) : 0;
    printf("%s: ", name);
    for (size_t i = 0; i < n; i++)
        putchar(text[i] == '\0' ? '.' : text[i]);
    printf(file ? "\n" : "%s\n", strerror(errno));
    if (file)
        fclose(file);
}

static void by_stdio(void)
{
    char line[80];
    int number;
    FILE *file = fopen("/notes", "w+");
    fprintf(file, "first %d\nsecond %s\nthird %.3f\n", 1, "two", 3.0);
    fseek(file, 6, SEEK_SET);
    printf("scanned: %d", fscanf(file, "%d ", &number));
    printf(" %d, at %ld\n", number, ftell(file));
    printf("line: %s", fgets(line, sizeof line, file));
    fseek(file, -6, SEEK_END);
    fputs("THIRD", file);
    rewind(file);
    ungetc('F', file);
    printf("ungot: %c\n", getc(file));
    fclose(file);

    file = fopen("/notes", "a+");
    fputs("appended\n", file);
    fseek(file, 0, SEEK_SET);
    fgets(line, sizeof line, file);
    printf("line: %s", line);
    fputs("and again\n", file);
    fclose(file);
    show("/notes");
    printf("no such: %s\n", fopen("/nowhere/notes", "w") ? "?" : strerror(errno));
    printf("exclusive: %s\n", fopen("/notes", "wx") ? "?" : strerror(errno));
}

static void by_descriptor(void)
{
    char a[5] = "", b[6] = "";
    struct iovec parts[] = {{"scat", 4}, {"tered", 5}};
    struct iovec rooms[] = {{a, 4}, {b, 5}};
    struct stat status;
    int fd = open("/data", O_RDWR | O_CREAT | O_TRUNC, 0666);

    printf("written: %zd\n", writev(fd, parts, 2));
    printf("seek: %lld\n", (long long)lseek(fd, 0, SEEK_SET));
    printf("read: %zd", readv(fd, rooms, 2));
    printf(" %s %s\n", a, b);
    printf("pwrite: %zd\n", pwrite(fd, "XY", 2, 12));
    printf("pread: %zd", pread(fd, a, 4, 2));
    printf(" %s, at %lld\n", a, (long long)lseek(fd, 0, SEEK_CUR));
    show("/data");
    printf("ftruncate: %d\n", ftruncate(fd, 6));
    show("/data");
    printf("fallocate: %d\n", posix_fallocate(fd, 0, 10));
    printf("fadvise: %d\n", posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
    printf("sync: %d %d\n", fsync(fd), fdatasync(fd));
    fstat(fd, &status);
    printf("size: %lld, links: %d, regular: %d\n", (long long)status.st_size,
           (int)status.st_nlink, S_ISREG(status.st_mode));
    printf("below zero: %lld %s\n", (long long)lseek(fd, -1, SEEK_SET),
           strerror(errno));

    printf("append: %d", !!(fcntl(fd, F_GETFL) & O_APPEND));
    fcntl(fd, F_SETFL, O_APPEND);
    printf(" %d\n", !!(fcntl(fd, F_GETFL) & O_APPEND));
    lseek(fd, 0, SEEK_SET);
    write(fd, "end", 3);
    fcntl(fd, F_SETFL, 0);
    lseek(fd, 0, SEEK_SET);
    write(fd, "S", 1);
    show("/data");
    close(fd);
    printf("closed: %zd %s\n", write(fd, "a", 1), strerror(errno));
}

static void access_modes(void)
{
    char byte;
    int fd = open("/data", O_RDONLY);
    printf("mode: %s\n", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY ? "r" : "?");
    printf("write: %zd\n", write(fd, "a", 1));
    close(fd);
    fd = open("/data", O_WRONLY);
    printf("mode: %s\n", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY ? "w" : "?");
    printf("read: %zd\n", read(fd, &byte, 1));
    close(fd);
    fd = open("/data", O_RDWR);
    printf("mode: %s\n", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR ? "rw" : "?");
    close(fd);
}

static void by_name(void)
{
    struct stat a, b;
    printf("link: %d\n", link("/data", "/second"));
    stat("/data", &a);
    stat("/second", &b);
    printf("same: %d, links: %d\n", a.st_ino == b.st_ino && a.st_dev == b.st_dev,
           (int)b.st_nlink);
    printf("rename: %d\n", rename("/second", "/notes"));
    show("/notes");
    printf("unlink: %d\n", unlink("/data"));
    printf("unlink: %d %s\n", unlink("/data"), strerror(errno));
    printf("access: %d %d\n", access("/notes", R_OK | W_OK), access("/data", F_OK));
    printf("truncate: %d\n", truncate("/notes", 3));
    show("/notes");
}

int main(void)
{
    by_stdio();
    by_descriptor();
    access_modes();
    by_name();
    return 0;
}
