/* A server on the listening socket that its first argument numbers: answers each
 * line in capitals until a connection says "stop". SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int serve(int peer)
{
    char line[256];
    char first[4];
    ssize_t peeked = recv(peer, first, sizeof first, MSG_PEEK);
    int stop = peeked == 4 && memcmp(first, "stop", 4) == 0;
    size_t total = 0;
    ssize_t n;
    printf("peeked %zd\n", peeked);
    while ((n = recv(peer, line, sizeof line, 0)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            line[i] = (char)toupper(line[i]);
        for (ssize_t sent = 0; sent < n;)
            sent += send(peer, line + sent, (size_t)(n - sent), 0);
        total += (size_t)n;
    }
    printf("served %zu bytes, then %zd\n", total, n);
    printf("shutdown %d\n", shutdown(peer, SHUT_WR));
    printf("send after it: %zd\n", send(peer, "x", 1, 0));
    printf("close %d\n", close(peer));
    return stop;
}

int main(int argc, char **argv)
{
    int listener = argc > 1 ? atoi(argv[1]) : 3;
    struct pollfd ready = {.fd = listener, .events = POLLIN};

    fcntl(listener, F_SETFL, O_NONBLOCK);
    int none = accept(listener, NULL, NULL);
    printf("nobody yet: %d %d\n", none, errno == EAGAIN);
    printf("to a file: %zd %s\n", send(0, "x", 1, 0), strerror(errno));
    fflush(stdout);
    fcntl(listener, F_SETFL, 0);
    close(open("/waiting", O_CREAT | O_WRONLY, 0666)); /* for the test to see */
    for (int stop = 0; !stop;) {
        printf("poll %d\n", poll(&ready, 1, 10000));
        int peer = accept(listener, NULL, NULL);
        if (peer < 0) {
            perror("accept");
            return 1;
        }
        stop = serve(peer);
        fflush(stdout);
    }
    return 0;
}
