/* Directories and links. SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

static const char *answer(int result)
{
    return result == 0 ? "done" : strerror(errno);
}

static int no_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void list(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    printf("%s:", path);
    for (int i = 0; i < n; i++) {
        unsigned char type = entries[i]->d_type;
        printf(" %s%s", entries[i]->d_name,
               type == DT_DIR ? "/" : type == DT_LNK ? "@" : "");
        free(entries[i]);
    }
    printf(n < 0 ? "%s\n" : "\n", strerror(errno));
}

static void touch(const char *path)
{
    close(open(path, O_CREAT | O_WRONLY | O_EXCL, 0666));
}

static void making(void)
{
    printf("mkdir: %s\n", answer(mkdir("/a", 0777)));
    printf("mkdir: %s\n", answer(mkdir("/a", 0777)));
    printf("mkdir: %s\n", answer(mkdir("/a/b/", 0777)));
    printf("mkdir: %s\n", answer(mkdir("/c/d", 0777)));
    touch("/a/one");
    touch("/a/two");
    touch("/a/b/three");
    list("/a");
    list("/a/b");
    list("/a/one");
    list("/missing");
}

static void reading(void)
{
    struct dirent *entry;
    DIR *directory = opendir("/a");
    readdir(directory);
    readdir(directory);
    rewinddir(directory);
    touch("/a/new");
    rewinddir(directory);
    int n = 0;
    while ((entry = readdir(directory)))
        n++;
    printf("after rewinddir: %d entries\n", n);
    closedir(directory);
    unlink("/a/new");

    int fd = open("/a", O_RDONLY | O_DIRECTORY);
    directory = fdopendir(fd);
    struct stat by_entry, by_path;
    while ((entry = readdir(directory)))
        if (strcmp(entry->d_name, "one") == 0)
            break;
    stat("/a/one", &by_path);
    fstatat(dirfd(directory), "one", &by_entry, 0);
    printf("inode: %d %d\n", entry->d_ino == by_path.st_ino,
           by_entry.st_ino == by_path.st_ino);
    closedir(directory);
}

/* Each entry can be had again by the cookie of the one before it. telldir would
 * do, if its long held 64 bits. */
static void cookies(void)
{
    uint8_t all[1024], some[24 + 255];
    size_t used, one, steps = 0, same = 0;
    uint64_t cookie = 0;
    int fd = open("/a", O_RDONLY | O_DIRECTORY);
    __wasi_fd_readdir(fd, all, sizeof all, 0, &used);
    for (size_t at = 0; at < used; steps++) {
        __wasi_dirent_t entry;
        memcpy(&entry, all + at, sizeof entry);
        __wasi_fd_readdir(fd, some, sizeof entry + entry.d_namlen, cookie, &one);
        same += memcmp(some, all + at, one) == 0;
        at += sizeof entry + entry.d_namlen;
        cookie = entry.d_next;
    }
    printf("entries: %zu, the same by cookie: %zu\n", steps, same);
    __wasi_fd_readdir(fd, some, sizeof some, cookie, &one);
    printf("behind the last: %zu bytes\n", one);
    close(fd);
}

static void relative(void)
{
    char text[10] = "";
    int a = open("/a", O_RDONLY | O_DIRECTORY);
    int fd = openat(a, "b/three", O_RDWR);
    write(fd, "text", 4);
    pread(fd, text, 4, 0);
    close(fd);
    printf("openat: %s\n", text);
    printf("mkdirat: %s\n", answer(mkdirat(a, "c", 0777)));
    printf("renameat: %s\n", answer(renameat(a, "one", a, "c/uno")));
    printf("unlinkat: %s\n", answer(unlinkat(a, "c", AT_REMOVEDIR)));
    printf("unlinkat: %s\n", answer(unlinkat(a, "c/uno", 0)));
    printf("unlinkat: %s\n", answer(unlinkat(a, "c", AT_REMOVEDIR)));
    printf("out: %s\n", answer(openat(a, "../a", O_RDONLY)));
    close(a);
    printf("write: %s\n", answer(open("/a", O_WRONLY)));
    printf("a file: %s\n", answer(open("/a/two", O_RDONLY | O_DIRECTORY)));
}

static void links(void)
{
    char target[20] = "";
    struct stat status;
    printf("symlink: %s\n", answer(symlink("two", "/a/link")));
    printf("symlink: %s\n", answer(symlink("b", "/a/way")));
    printf("symlink: %s\n", answer(symlink("../..", "/a/out")));
    printf("symlink: %s\n", answer(symlink("loop", "/a/loop")));
    printf("readlink: %zd", readlink("/a/link", target, sizeof target));
    printf(" %s\n", target);
    lstat("/a/link", &status);
    printf("lstat: link %d, size %lld\n", S_ISLNK(status.st_mode),
           (long long)status.st_size);
    stat("/a/link", &status);
    printf("stat: link %d\n", S_ISLNK(status.st_mode));
    list("/a/way");
    printf("out: %s\n", answer(open("/a/out", O_RDONLY)));
    printf("loop: %s\n", answer(open("/a/loop", O_RDONLY)));
    printf("not followed: %s\n", answer(open("/a/link", O_RDONLY | O_NOFOLLOW)));
    list("/a");
    printf("unlink: %s\n", answer(unlink("/a/way")));
    printf("rmdir: %s\n", answer(rmdir("/a/link")));
    list("/a/b");
}

static void removing(void)
{
    printf("rmdir: %s\n", answer(rmdir("/a")));
    printf("unlink: %s\n", answer(unlink("/a/b")));
    printf("rmdir: %s\n", answer(rmdir("/a/two")));
    printf("rename: %s\n", answer(rename("/a/b", "/a/two")));
    printf("rename: %s\n", answer(rename("/a/two", "/a/b")));
    printf("rename: %s\n", answer(rename("/a", "/a/b/a")));
    printf("rename: %s\n", answer(rename("/a/b", "/moved")));
    list("/moved");
    printf("remove: %s\n", answer(remove("/moved/three")));
    printf("remove: %s\n", answer(remove("/moved")));
    list("/");
}

static void current(void)
{
    char where[80];
    struct dirent **entries;
    printf("chdir: %s\n", answer(chdir("/a")));
    printf("getcwd: %s\n", getcwd(where, sizeof where));
    int n = scandir(".", &entries, no_dots, alphasort);
    printf("here: %d, first %s\n", n, n > 0 ? entries[0]->d_name : "");
    printf("there: %s\n", answer(access("two", F_OK)));
}

int main(void)
{
    making();
    reading();
    cookies();
    relative();
    links();
    removing();
    current();
    return 0;
}
