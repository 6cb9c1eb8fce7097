/* Waiting on the minimal backing: pipes, terminals, sockets, streams, clocks,
 * and how interrupt ends each wait.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define E(name) WB_ERRNO_##name
#define MS 1000000ull

static uint64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* ---- something that happens in a while ----------------------------------- */

static struct {
    int write_to;  /* a byte is written here, */
    int read_from; /* or all is read from here, */
    int connect_to; /* or a connection made to this port, */
    int interrupt; /* or the context interrupted, */
    uint64_t after; /* after these nanoseconds */
} event;
static pthread_t event_thread;

static void pause_for(uint64_t time)
{
    struct timespec left = {(time_t)(time / 1000000000),
                            (long)(time % 1000000000)};
    nanosleep(&left, NULL);
}

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address))
        perror("connect");
    return fd;
}

static int connected = -1;

static void *happen(void *nothing)
{
    static char bytes[1 << 16];
    pause_for(event.after);
    if (event.write_to >= 0 && write(event.write_to, "!", 1) != 1)
        perror("write");
    struct pollfd more = {event.read_from, POLLIN, 0};
    while (event.read_from >= 0 && poll(&more, 1, 0) > 0)
        if (read(event.read_from, bytes, sizeof bytes) < 0)
            perror("read");
    if (event.connect_to)
        connected = connect_to(event.connect_to);
    if (event.interrupt)
        b->interrupt(self);
    return nothing;
}

static void later(int write_to, int read_from, int port, int interrupt)
{
    event.write_to = write_to;
    event.read_from = read_from;
    event.connect_to = port;
    event.interrupt = interrupt;
    event.after = 30 * MS;
    pthread_create(&event_thread, NULL, happen, NULL);
}

static void it_happened(void)
{
    pthread_join(event_thread, NULL);
}

/* ---- lent pipes, terminals and sockets ----------------------------------- */

static int in[2], out[2]; /* the guest's 0 is in[0], its 1 is out[1] */

static void lend(void)
{
    options.stdio[0] = (struct wb_stdio){WB_STDIO_DESCRIPTOR, in[0], NULL};
    options.stdio[1] = (struct wb_stdio){WB_STDIO_DESCRIPTOR, out[1], NULL};
    init();
}

static void begin_pipes(void)
{
    prepare();
    CHECK_INT(pipe(in), 0);
    CHECK_INT(pipe(out), 0);
    lend();
}

static void begin_sockets(int type)
{
    prepare();
    CHECK_INT(socketpair(AF_UNIX, type, 0, in), 0);
    CHECK_INT(socketpair(AF_UNIX, type, 0, out), 0);
    lend();
}

/* A terminal for 0 and 1: the guest gets the slave, in[1] and out[0] are the
 * master. */
static void begin_terminal(void)
{
    prepare();
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK_INT(grantpt(master) | unlockpt(master), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK(slave >= 0);
    in[0] = slave;
    in[1] = master;
    out[0] = dup(master);
    out[1] = dup(slave);
    lend();
}

static void end_lent(void)
{
    for (int i = 0; i < 2; i++) {
        close(in[i]);
        close(out[i]);
    }
    end();
}

static void (*const begin_lent[])(void) = {begin_pipes, begin_terminal};

static void begin_stream_sockets(void)
{
    begin_sockets(SOCK_STREAM);
}

static void (*const begin_any[])(void) = {begin_pipes, begin_terminal,
                                          begin_stream_sockets};

TEST(a_read_waits_for_input)
{
    char text[8];
    for (size_t i = 0; i < 3; i++) {
        begin_any[i]();
        int terminal = i == 1;
        later(in[1], -1, 0, 0);
        if (terminal) {
            it_happened();
            later(-1, -1, 0, 0);
            CHECK_INT(write(in[1], "\n", 1), 1);
        }
        CHECK_INT(read_text(0, text, sizeof text), 0);
        CHECK_INT(text[0], '!');
        it_happened();
        CHECK_INT(fcntl(in[0], F_GETFL) & O_NONBLOCK, 0);
        end_lent();
    }
}

TEST(interrupt_ends_a_read)
{
    char text[8];
    for (size_t i = 0; i < 3; i++) {
        begin_any[i]();
        later(-1, -1, 0, 1);
        CHECK_INT(read_text(0, text, sizeof text), WB_STOP_GUEST);
        it_happened();
        /* It is sticky, and what would not block is not stopped. */
        CHECK_INT(read_text(0, text, sizeof text), WB_STOP_GUEST);
        CHECK_INT(write(in[1], "now\n", 4), 4);
        /* A terminal moves bytes on in its own time. */
        struct pollfd arrived = {in[0], POLLIN, 0};
        CHECK_INT(poll(&arrived, 1, -1), 1);
        CHECK_INT(read_text(0, text, sizeof text), 0);
        end_lent();
    }
}

TEST(nonblock_reads_and_writes_are_again)
{
    static char bytes[1 << 16];
    char text[8];
    size_t count;
    wb_fdstat facts;
    for (size_t i = 0; i < 3; i++) {
        begin_any[i]();
        CHECK_INT(b->fd_fdstat_set_flags(self, 0, WB_FDFLAGS_NONBLOCK), 0);
        CHECK_INT(b->fd_fdstat_set_flags(self, 1, WB_FDFLAGS_NONBLOCK), 0);
        CHECK_INT(b->fd_fdstat_get(self, 0, &facts), 0);
        CHECK_INT(facts.fs_flags, WB_FDFLAGS_NONBLOCK);
        CHECK_INT(read_text(0, text, sizeof text), E(AGAIN));
        wb_ciovec span = {bytes, sizeof bytes};
        uint16_t error = 0;
        size_t total = 0;
        for (int n = 0; n < 10000 && !error; n++) {
            error = b->fd_write(self, 1, &span, 1, &count);
            total += error ? 0 : count;
        }
        CHECK_INT(error, E(AGAIN));
        CHECK(total > 1000);
        CHECK_INT(fcntl(in[0], F_GETFL) & O_NONBLOCK, 0);
        CHECK_INT(fcntl(out[1], F_GETFL) & O_NONBLOCK, 0);
        end_lent();
    }
}

/* Fill what descriptor 1 leads to, from the host's side, until nothing goes in
 * any more: a terminal moves bytes on in its own time. */
static void fill(void)
{
    static char bytes[1 << 16];
    int before = fcntl(out[1], F_GETFL);
    int rounds = isatty(out[1]) ? 50 : 1;
    fcntl(out[1], F_SETFL, before | O_NONBLOCK);
    for (int quiet = 0; quiet < rounds; quiet++) {
        while (write(out[1], bytes, sizeof bytes) > 0)
            quiet = 0;
        while (write(out[1], bytes, 1) > 0)
            quiet = 0;
        pause_for(4 * MS);
    }
    fcntl(out[1], F_SETFL, before);
}

TEST(a_write_waits_for_room_and_interrupt_ends_it)
{
    size_t count = 0;
    for (size_t i = 0; i < 3; i++) {
        begin_any[i]();
        fill();
        later(-1, out[0], 0, 0);
        CHECK_INT(write_text(1, "text", &count), 0);
        CHECK(count > 0);
        it_happened();
        fill();
        later(-1, -1, 0, 1);
        CHECK_INT(write_text(1, "text", &count), WB_STOP_GUEST);
        it_happened();
        end_lent();
    }
}

TEST(a_reader_that_has_gone_is_pipe_and_no_signal)
{
    size_t count;
    for (size_t i = 0; i < 3; i += 2) {
        begin_any[i]();
        signal(SIGPIPE, SIG_DFL);
        close(out[0]);
        CHECK_INT(write_text(1, "x", &count), E(PIPE));
        CHECK_INT(write_text(1, "x", &count), E(PIPE));
        sigset_t pending;
        sigpending(&pending);
        CHECK(!sigismember(&pending, SIGPIPE));
        out[0] = dup(in[0]);
        end_lent();
    }
}

TEST(a_terminal_is_one_and_a_device_is_none)
{
    wb_fdstat facts;
    wb_filesize at;
    size_t count;
    begin_terminal();
    CHECK_INT(b->fd_fdstat_get(self, 0, &facts), 0);
    CHECK_INT(facts.fs_filetype, WB_FILETYPE_CHARACTER_DEVICE);
    CHECK(!(facts.fs_rights_base & (WB_RIGHTS_FD_SEEK | WB_RIGHTS_FD_TELL)));
    CHECK_INT(b->fd_seek(self, 0, 0, WB_WHENCE_SET, &at), E(SPIPE));
    CHECK_INT(b->fd_pread(self, 0, NULL, 0, 0, &count), E(SPIPE));
    end_lent();
    begin_pipes();
    CHECK_INT(b->fd_seek(self, 0, 0, WB_WHENCE_SET, &at), E(SPIPE));
    CHECK_INT(b->fd_tell(self, 0, &at), E(SPIPE));
    CHECK_INT(b->fd_pread(self, 0, NULL, 0, 0, &count), E(SPIPE));
    end_lent();
    prepare();
    preopens[0].host_path = "/dev";
    init();
    wb_fd null = must_open("null", 0);
    CHECK_INT(b->fd_fdstat_get(self, null, &facts), 0);
    CHECK_INT(facts.fs_filetype, WB_FILETYPE_CHARACTER_DEVICE);
    CHECK(facts.fs_rights_base & WB_RIGHTS_FD_SEEK);
    CHECK_INT(write_text(null, "gone", &count), 0);
    CHECK_INT(count, 4);
    end();
}

/* ---- FIFOs opened by path ------------------------------------------------ */

static void *open_and_write(void *nothing)
{
    pause_for(30 * MS);
    int fd = openat(outside, "root/fifo", O_WRONLY);
    pause_for(30 * MS);
    if (write(fd, "hi", 2) != 2)
        perror("fifo");
    close(fd);
    return nothing;
}

static void *open_and_read(void *nothing)
{
    char byte;
    pause_for(30 * MS);
    int fd = openat(outside, "root/fifo", O_RDONLY);
    if (read(fd, &byte, 1) != 1)
        perror("fifo");
    close(fd);
    return nothing;
}

TEST(a_fifo_waits_for_its_other_end)
{
    pthread_t thread;
    char text[8];
    size_t count;
    wb_fd fd;
    begin();
    CHECK_INT(mkfifoat(outside, "root/fifo", 0666), 0);
    CHECK_INT(open_with(3, 0, "fifo", 0, READ, 0, &fd), 0);
    pthread_create(&thread, NULL, open_and_write, NULL);
    CHECK_INT(read_text(fd, text, sizeof text), 0);
    CHECK_TEXT(text, "hi");
    pthread_join(thread, NULL);
    CHECK_INT(read_text(fd, text, sizeof text), 0);
    CHECK_TEXT(text, "");
    CHECK_INT(b->fd_close(self, fd), 0);

    CHECK_INT(open_with(3, 0, "fifo", 0, WRITE, WB_FDFLAGS_NONBLOCK, &fd),
              E(NXIO));
    pthread_create(&thread, NULL, open_and_read, NULL);
    CHECK_INT(open_with(3, 0, "fifo", 0, WRITE, 0, &fd), 0);
    CHECK_INT(write_text(fd, "x", &count), 0);
    pthread_join(thread, NULL);
    CHECK_INT(write_text(fd, "x", &count), E(PIPE));

    CHECK_INT(open_with(3, 0, "fifo", 0, READ, 0, &fd), 0);
    later(-1, -1, 0, 1);
    CHECK_INT(b->fd_close(self, fd), 0);
    CHECK_INT(open_with(3, 0, "fifo", 0, WRITE, 0, &fd), WB_STOP_GUEST);
    it_happened();
    end();
}

/* ---- sockets ------------------------------------------------------------- */

static uint32_t port;
static struct wb_listen listens[1];

static void begin_listening(void)
{
    prepare();
    port = 0;
    listens[0] = (struct wb_listen){"127.0.0.1", 0, 0, &port};
    options.listens = listens;
    options.listens_len = 1;
    init();
    CHECK(port > 0);
}

TEST(a_connection_is_accepted_and_talked_to)
{
    begin_listening();
    wb_fd fd = 0;
    size_t count;
    wb_roflags flags;
    wb_fdstat facts;
    char text[16] = "";
    CHECK_INT(b->fd_fdstat_get(self, 4, &facts), 0);
    CHECK_INT(facts.fs_filetype, WB_FILETYPE_SOCKET_STREAM);
    CHECK_INT(b->fd_fdstat_set_flags(self, 4, WB_FDFLAGS_NONBLOCK), 0);
    CHECK_INT(b->sock_accept(self, 4, 0, &fd), E(AGAIN));
    CHECK_INT(b->fd_fdstat_set_flags(self, 4, 0), 0);
    later(-1, -1, (int)port, 0);
    CHECK_INT(b->sock_accept(self, 4, WB_FDFLAGS_NONBLOCK, &fd), 0);
    it_happened();
    CHECK_INT(fd, 5);
    CHECK_INT(b->fd_fdstat_get(self, fd, &facts), 0);
    CHECK_INT(facts.fs_flags, WB_FDFLAGS_NONBLOCK);
    wb_iovec span = {text, 15};
    CHECK_INT(b->sock_recv(self, fd, &span, 1, 0, &count, &flags), E(AGAIN));
    CHECK_INT(b->fd_fdstat_set_flags(self, fd, 0), 0);
    CHECK_INT(write(connected, "hello", 5), 5);
    CHECK_INT(b->sock_recv(self, fd, &span, 1, WB_RIFLAGS_RECV_PEEK, &count,
                           &flags), 0);
    CHECK_INT(count, 5);
    wb_iovec parts[2] = {{text, 2}, {text + 2, 4}};
    later(connected, -1, 0, 0);
    CHECK_INT(b->sock_recv(self, fd, parts, 2,
                           WB_RIFLAGS_RECV_PEEK | WB_RIFLAGS_RECV_WAITALL,
                           &count, &flags), 0);
    CHECK_INT(count, 6);
    it_happened();
    later(connected, -1, 0, 0);
    wb_iovec seven[2] = {{text, 3}, {text + 3, 4}};
    CHECK_INT(b->sock_recv(self, fd, seven, 2, WB_RIFLAGS_RECV_WAITALL, &count,
                           &flags), 0);
    it_happened();
    CHECK_INT(count, 7);
    CHECK_INT(flags, 0);
    CHECK_TEXT(text, "hello!!");
    CHECK_INT(b->sock_send(self, fd, &(wb_ciovec){"bye", 3}, 1, &count), 0);
    CHECK_INT(b->sock_shutdown(self, fd, WB_SDFLAGS_WR), 0);
    CHECK_INT(read(connected, text, 16), 3);
    CHECK_INT(read(connected, text, 16), 0);
    close(connected);
    CHECK_INT(read_text(fd, text, 16), 0);
    CHECK_TEXT(text, "");
    CHECK_INT(b->sock_send(self, fd, &(wb_ciovec){"bye", 3}, 1, &count),
              E(PIPE));
    CHECK_INT(b->sock_shutdown(self, 4, WB_SDFLAGS_RD), 0);
    end();
}

TEST(interrupt_ends_accept_and_receive)
{
    begin_listening();
    wb_fd fd;
    later(-1, -1, 0, 1);
    CHECK_INT(b->sock_accept(self, 4, 0, &fd), WB_STOP_GUEST);
    it_happened();
    end();
    begin_stream_sockets();
    char text[8];
    size_t count;
    wb_roflags flags;
    CHECK_INT(write(in[1], "abc", 3), 3);
    later(-1, -1, 0, 1);
    CHECK_INT(b->sock_recv(self, 0, &(wb_iovec){text, 8}, 1,
                           WB_RIFLAGS_RECV_WAITALL, &count, &flags),
              WB_STOP_GUEST);
    it_happened();
    end_lent();
}

TEST(a_datagram_is_cut_and_that_is_told)
{
    begin_sockets(SOCK_DGRAM);
    char text[8];
    size_t count;
    wb_roflags flags = 0;
    wb_fdstat facts;
    CHECK_INT(b->fd_fdstat_get(self, 0, &facts), 0);
    CHECK_INT(facts.fs_filetype, WB_FILETYPE_SOCKET_DGRAM);
    CHECK_INT(write(in[1], "0123456789", 10), 10);
    CHECK_INT(b->sock_recv(self, 0, &(wb_iovec){text, 4}, 1,
                           WB_RIFLAGS_RECV_WAITALL, &count, &flags), 0);
    CHECK_INT(count, 4);
    CHECK_INT(flags, WB_ROFLAGS_RECV_DATA_TRUNCATED);
    CHECK_INT(b->sock_recv(self, 3, &(wb_iovec){text, 4}, 1, 0, &count, &flags),
              E(NOTSOCK));
    end_lent();
}

/* ---- poll_oneoff --------------------------------------------------------- */

struct events {
    struct wb_event_sink sink;
    int count;
    wb_event all[8];
};

static uint16_t add_event(struct wb_event_sink *sink, const wb_event *one)
{
    struct events *events = (struct events *)sink;
    events->all[events->count++ % 8] = *one;
    return 0;
}

static wb_subscription on_clock(wb_userdata userdata, wb_clockid id,
                                wb_timestamp timeout, int absolute)
{
    wb_subscription clock = {.userdata = userdata,
                             .type = WB_EVENTTYPE_CLOCK};
    clock.u.clock = (wb_subscription_clock){
        timeout, 0, id,
        absolute ? WB_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME : 0};
    return clock;
}

static wb_subscription on_fd(wb_userdata userdata, wb_eventtype type, wb_fd fd)
{
    wb_subscription subscription = {.userdata = userdata, .type = type};
    subscription.u.fd = fd;
    return subscription;
}

static struct events poll_for(uint16_t want, const wb_subscription *all,
                              size_t count)
{
    struct events events = {{add_event}, 0, {{0}}};
    CHECK_INT(b->poll_oneoff(self, all, count, &events.sink), want);
    return events;
}

TEST(clocks_are_due_at_their_time_and_not_before)
{
    begin();
    const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    for (int absolute = 0; absolute < 2; absolute++) {
        for (wb_clockid id = 0; id < 2; id++) {
            uint64_t start = now(CLOCK_MONOTONIC);
            uint64_t base = absolute ? now(clocks[id]) : 0;
            wb_subscription all[3] = {
                on_clock(1, id, base + 10000 * MS, absolute),
                on_clock(2, id, base + 20 * MS, absolute),
                on_clock(3, !id, 5000 * MS, 0),
            };
            struct events events = poll_for(0, all, 3);
            uint64_t took = now(CLOCK_MONOTONIC) - start;
            CHECK_INT(events.count, 1);
            CHECK_INT(events.all[0].userdata, 2);
            CHECK_INT(events.all[0].type, WB_EVENTTYPE_CLOCK);
            CHECK(took >= 20 * MS && took < 1000 * MS);
            /* Long ago, and now. */
            all[1] = on_clock(2, id, absolute, absolute);
            all[2] = on_clock(3, id, 0, 0);
            start = now(CLOCK_MONOTONIC);
            events = poll_for(0, all, 3);
            CHECK_INT(events.count, absolute || !all[1].u.clock.timeout ? 2 : 1);
            CHECK(now(CLOCK_MONOTONIC) - start < 1000 * MS);
        }
    }
    end();
}

TEST(a_sleeping_guest_uses_no_processor_time)
{
    begin();
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    wb_subscription all[2] = {on_clock(1, WB_CLOCKID_MONOTONIC, 200 * MS, 0),
                              on_clock(2, 0, UINT64_MAX, 0)};
    CHECK_INT(poll_for(0, all, 2).count, 1);
    getrusage(RUSAGE_THREAD, &after);
    CHECK(after.ru_nvcsw - before.ru_nvcsw < 5);
    CHECK(after.ru_utime.tv_sec * 1000000 + after.ru_utime.tv_usec -
              before.ru_utime.tv_sec * 1000000 - before.ru_utime.tv_usec <
          20000);
    end();
}

TEST(interrupt_ends_a_sleep)
{
    for (int absolute = 0; absolute < 2; absolute++) {
        begin();
        wb_subscription clock = on_clock(
            1, 0, absolute ? now(CLOCK_REALTIME) + 60000 * MS : UINT64_MAX,
            absolute);
        later(-1, -1, 0, 1);
        poll_for(WB_STOP_GUEST, &clock, 1);
        it_happened();
        poll_for(WB_STOP_GUEST, &clock, 1);
        end();
    }
    begin();
    b->interrupt(self); /* before there ever was a wait */
    wb_subscription clock = on_clock(1, 0, 60000 * MS, 0);
    poll_for(WB_STOP_GUEST, &clock, 1);
    end();
}

TEST(failing_subscriptions_have_events_of_their_own)
{
    begin_pipes();
    wb_subscription all[5] = {
        on_clock(1, WB_CLOCKID_PROCESS_CPUTIME_ID, 0, 0),
        on_fd(2, WB_EVENTTYPE_FD_READ, 77),
        on_fd(3, WB_EVENTTYPE_FD_WRITE, 0),
        on_clock(4, 0, 60000 * MS, 0),
        on_fd(5, WB_EVENTTYPE_FD_READ, 3),
    };
    struct events events = poll_for(0, all, 5);
    CHECK_INT(events.count, 4);
    CHECK_INT(events.all[0].error, E(INVAL));
    CHECK_INT(events.all[1].error, E(BADF));
    CHECK_INT(events.all[1].userdata, 2);
    CHECK_INT(events.all[2].error, E(NOTCAPABLE));
    CHECK_INT(events.all[3].error, E(BADF));
    CHECK_INT(events.all[3].userdata, 5);
    end_lent();
}

TEST(descriptors_are_waited_for_beside_clocks)
{
    begin_pipes();
    wb_subscription all[3] = {
        on_fd(1, WB_EVENTTYPE_FD_READ, 0),
        on_clock(2, 1, 20 * MS, 0),
        on_fd(3, WB_EVENTTYPE_FD_WRITE, 1),
    };
    struct events events = poll_for(0, all, 2);
    CHECK_INT(events.count, 1);
    CHECK_INT(events.all[0].userdata, 2);
    events = poll_for(0, all, 3);
    CHECK_INT(events.count, 1);
    CHECK_INT(events.all[0].userdata, 3);
    CHECK(events.all[0].nbytes > 0);
    later(in[1], -1, 0, 0);
    all[1].u.clock.timeout = 60000 * MS;
    events = poll_for(0, all, 2);
    it_happened();
    CHECK_INT(events.count, 1);
    CHECK_INT(events.all[0].userdata, 1);
    CHECK_INT(events.all[0].nbytes, 1);
    CHECK_INT(events.all[0].flags, 0);
    close(in[1]);
    char text[4];
    CHECK_INT(read_text(0, text, 4), 0);
    events = poll_for(0, all, 1);
    CHECK_INT(events.all[0].nbytes, 0);
    CHECK_INT(events.all[0].flags, WB_EVENTRWFLAGS_FD_READWRITE_HANGUP);
    in[1] = dup(in[0]);
    end_lent();
}

TEST(files_are_always_ready)
{
    begin();
    host_file("root/f", "12345");
    wb_fd fd = must_open("f", 0);
    char text[3];
    CHECK_INT(read_text(fd, text, 3), 0);
    wb_subscription all[2] = {on_fd(1, WB_EVENTTYPE_FD_READ, fd),
                              on_fd(2, WB_EVENTTYPE_FD_WRITE, fd)};
    struct events events = poll_for(0, all, 2);
    CHECK_INT(events.count, 2);
    CHECK_INT(events.all[0].nbytes, 3);
    CHECK_INT(events.all[1].nbytes, 1);
    b->interrupt(self); /* nothing of that would block */
    CHECK_INT(poll_for(0, all, 2).count, 2);
    end();
}

/* ---- streams ------------------------------------------------------------- */

static int stream_bytes;

static uint16_t stream_read(void *nothing, void *buf, size_t len,
                            uint32_t nonblock, size_t *count)
{
    (void)nothing;
    if (stream_bytes == 0 && nonblock)
        return E(AGAIN);
    *count = (size_t)stream_bytes < len ? (size_t)stream_bytes : len;
    memset(buf, 's', *count);
    stream_bytes -= (int)*count;
    return 0;
}

static uint16_t stream_ready(void *nothing, uint32_t write,
                             wb_timestamp timeout, wb_filesize *count)
{
    (void)nothing;
    *count = (wb_filesize)stream_bytes;
    if (write || stream_bytes)
        return 0;
    pause_for(timeout);
    return E(AGAIN);
}

TEST(streams_are_read_and_waited_for)
{
    const struct wb_stream stream = {sizeof stream, 0, NULL, stream_read, NULL,
                                     stream_ready};
    prepare();
    options.stdio[0] = (struct wb_stdio){WB_STDIO_STREAM, -1, &stream};
    options.stdio[1] = options.stdio[0];
    init();
    char text[8];
    size_t count;
    stream_bytes = 3;
    wb_iovec two[2] = {{text, 2}, {text + 2, 4}};
    CHECK_INT(b->fd_read(self, 0, two, 2, &count), 0);
    CHECK_INT(count, 3);
    CHECK_INT(b->fd_fdstat_set_flags(self, 0, WB_FDFLAGS_NONBLOCK), 0);
    CHECK_INT(read_text(0, text, 8), E(AGAIN));
    CHECK_INT(write_text(1, "x", &count), E(NOTCAPABLE));
    wb_subscription all[3] = {on_fd(1, WB_EVENTTYPE_FD_READ, 0),
                              on_clock(2, 1, 30 * MS, 0),
                              on_clock(3, 0, now(CLOCK_REALTIME) + 40 * MS, 1)};
    CHECK_INT(poll_for(0, all, 2).all[0].userdata, 2);
    all[1].u.clock.timeout = 60000 * MS;
    CHECK_INT(poll_for(0, all, 3).all[0].userdata, 3);
    stream_bytes = 5;
    struct events events = poll_for(0, all, 2);
    CHECK_INT(events.count, 1);
    CHECK_INT(events.all[0].nbytes, 5);
    stream_bytes = 0;
    later(-1, -1, 0, 1);
    poll_for(WB_STOP_GUEST, all, 2);
    it_happened();
    end();
}

/* ---- clocks -------------------------------------------------------------- */

static uint16_t fixed_clock(void *nothing, wb_clockid id, uint32_t resolution,
                            wb_timestamp *time)
{
    (void)nothing;
    *time = resolution ? 1000 : 5000 + id;
    return 0;
}

TEST(clocks_tell_time_and_resolution)
{
    begin();
    wb_timestamp time, next, resolution;
    for (wb_clockid id = 0; id < WB_CLOCKID_COUNT; id++) {
        CHECK_INT(b->clock_res_get(self, id, &resolution), 0);
        CHECK(resolution > 0);
        CHECK_INT(b->clock_time_get(self, id, 0, &time), 0);
        CHECK_INT(b->clock_time_get(self, id, 0, &next), 0);
        CHECK(next >= time);
    }
    CHECK_INT(b->clock_time_get(self, 4, 0, &time), E(INVAL));
    end();
    prepare();
    options.clock = fixed_clock;
    init();
    CHECK_INT(b->clock_time_get(self, 1, 0, &time), 0);
    CHECK_INT(time, 5001);
    wb_subscription clock = on_clock(1, 1, 5001 + 10 * MS, 1);
    uint64_t start = now(CLOCK_MONOTONIC);
    CHECK_INT(poll_for(0, &clock, 1).count, 1);
    CHECK(now(CLOCK_MONOTONIC) - start >= 10 * MS);
    end();
}

int main(int argc, char **argv)
{
    return run_tests(argc, argv);
}
