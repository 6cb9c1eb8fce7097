/* The numbers of descriptors. SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/libc.h>

int main(void)
{
    char text[6] = "";
    int fds[3], n, fd;
    for (int i = 0; i < 3; i++)
        fds[i] = open("/file", O_CREAT | O_RDWR, 0666);
    printf("one after the other: %d\n",
           fds[1] == fds[0] + 1 && fds[2] == fds[1] + 1);
    close(fds[0]);
    close(fds[1]);
    printf("the lowest: %d\n", open("/file", O_RDONLY) == fds[0]);
    write(fds[2], "words", 5);
    printf("renumber: %d\n", __wasilibc_fd_renumber(fds[2], fds[0]));
    pread(fds[0], text, 5, 0);
    printf("moved: %s\n", text);
    printf("old number: %zd %s\n", read(fds[2], text, 1), strerror(errno));
    printf("to a free number: %d", __wasilibc_fd_renumber(fds[0], 90));
    printf(" %s\n", strerror(errno));

    for (n = 0; (fd = open("/file", O_RDONLY)) >= 0; n++)
        if (n == 100000)
            break;
    printf("opened: %d, then %s\n", n, strerror(errno));
    printf("mkdir: %d\n", mkdir("/still-works", 0777));
    close(50);
    printf("freed: %d\n", open("/file", O_RDONLY) == 50);

    fflush(stdout);
    fd = 51;
    close(fd);
    fd = open("/redirected", O_CREAT | O_WRONLY, 0666);
    printf("renumber: %d\n", __wasilibc_fd_renumber(fd, 2));
    fprintf(stderr, "to the file\n");
    close(0);
    fd = open("/file", O_RDONLY);
    printf("number 0 stays free: %d\n", fd > 2);
    printf("and reads: %zd %s\n", read(0, text, 5), strerror(errno));
    return 0;
}
