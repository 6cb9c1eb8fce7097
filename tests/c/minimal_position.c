/* Positions on the minimal backing, which keeps those of a guest's own files
 * itself and leaves the others to the kernel. The guest cannot tell which.
 *
 * SPDX-License-Identifier: MIT
 */
#include "minimal_test.h"

#include <limits.h>

static wb_filesize tell(wb_fd fd)
{
    wb_filesize position = 9999;
    CHECK_INT(b->fd_tell(self, fd, &position), 0);
    return position;
}

/* Seek, and expect that it works. */
static wb_filesize seek(wb_fd fd, wb_filedelta offset, wb_whence whence)
{
    wb_filesize position = 9999;
    CHECK_INT(b->fd_seek(self, fd, offset, whence, &position), 0);
    CHECK_INT(tell(fd), position);
    return position;
}

static void check_read(wb_fd fd, size_t room, const char *want)
{
    char text[20];
    CHECK_INT(read_text(fd, text, room + 1), 0);
    CHECK_TEXT(text, want);
}

static void check_write(wb_fd fd, const char *text)
{
    size_t count = 9999;
    CHECK_INT(write_text(fd, text, &count), 0);
    CHECK_INT(count, strlen(text));
}

static void check_contents(const char *path, const char *want)
{
    char text[40] = "";
    int fd = openat(outside, path, O_RDONLY);
    CHECK(read(fd, text, sizeof text - 1) >= 0);
    close(fd);
    CHECK_TEXT(text, want);
}

/* A guest's file "file" with these contents, opened with these flags. */
static wb_fd open_file(const char *contents, wb_fdflags fdflags)
{
    wb_fd fd = 9999;
    host_file("root/file", contents);
    CHECK_INT(open_with(3, FOLLOW, "file", 0, WB_RIGHTS_OF_FILE, fdflags, &fd),
              0);
    return fd;
}

/* A sink for the one event that is expected. */
struct one_event {
    struct wb_event_sink sink;
    wb_event event;
    int count;
};

static uint16_t take_event(struct wb_event_sink *sink, const wb_event *event)
{
    struct one_event *one = (struct one_event *)sink;
    one->event = *event;
    one->count++;
    return 0;
}

TEST(reading_and_writing_advance_the_position)
{
    begin();
    wb_fd fd = open_file("0123456789", 0);
    CHECK_INT(tell(fd), 0);
    check_read(fd, 3, "012");
    CHECK_INT(tell(fd), 3);
    check_write(fd, "ab");
    CHECK_INT(tell(fd), 5);
    check_read(fd, 10, "56789");
    check_read(fd, 10, "");
    CHECK_INT(tell(fd), 10);
    check_contents("root/file", "012ab56789");
    end();
}

TEST(seeking_goes_by_start_position_and_end)
{
    begin();
    wb_fd fd = open_file("0123456789", 0);
    CHECK_INT(seek(fd, 4, WB_WHENCE_SET), 4);
    check_read(fd, 1, "4");
    CHECK_INT(seek(fd, -2, WB_WHENCE_CUR), 3);
    check_read(fd, 1, "3");
    CHECK_INT(seek(fd, -1, WB_WHENCE_END), 9);
    check_read(fd, 5, "9");
    CHECK_INT(seek(fd, 0, WB_WHENCE_SET), 0);
    check_read(fd, 1, "0");
    CHECK_INT(seek(fd, 15, WB_WHENCE_END), 25);
    check_read(fd, 5, "");
    end();
}

TEST(a_refused_seek_leaves_the_position_alone)
{
    begin();
    wb_fd fd = open_file("0123456789", 0);
    wb_filesize position;
    seek(fd, 4, WB_WHENCE_SET);
    const struct {
        wb_filedelta offset;
        wb_whence whence;
    } refused[] = {
        {-1, WB_WHENCE_SET},        {INT64_MIN, WB_WHENCE_SET},
        {-5, WB_WHENCE_CUR},        {INT64_MIN, WB_WHENCE_CUR},
        {INT64_MAX, WB_WHENCE_CUR}, {-11, WB_WHENCE_END},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CHECK_INT(b->fd_seek(self, fd, refused[i].offset, refused[i].whence,
                             &position),
                  WB_ERRNO_INVAL);
        CHECK_INT(tell(fd), 4);
    }
    check_read(fd, 1, "4");
    end();
}

TEST(appending_moves_the_position_behind_what_was_written)
{
    begin();
    wb_fd fd = open_file("0123", WB_FDFLAGS_APPEND);
    check_read(fd, 1, "0");
    check_write(fd, "");
    CHECK_INT(tell(fd), 1);
    check_write(fd, "45");
    CHECK_INT(tell(fd), 6);
    check_read(fd, 5, "");
    CHECK_INT(seek(fd, -2, WB_WHENCE_CUR), 4);
    check_read(fd, 5, "45");
    seek(fd, 1, WB_WHENCE_SET);
    check_write(fd, "67");
    CHECK_INT(b->fd_fdstat_set_flags(self, fd, 0), 0);
    CHECK_INT(seek(fd, 1, WB_WHENCE_SET), 1);
    check_write(fd, "x");
    check_contents("root/file", "0x234567");
    end();
}

TEST(each_opening_has_a_position_of_its_own)
{
    begin();
    wb_fd first = open_file("0123456789", 0);
    wb_fd second = must_open("file", 0);
    check_read(first, 4, "0123");
    check_read(second, 2, "01");
    CHECK_INT(tell(first), 4);
    CHECK_INT(b->fd_renumber(self, first, second), 0);
    CHECK_INT(tell(second), 4);
    check_read(second, 2, "45");
    end();
}

TEST(transfers_at_an_offset_leave_the_position_alone)
{
    begin();
    wb_fd fd = open_file("0123456789", 0);
    char byte = 'x';
    size_t count;
    wb_iovec into = {&byte, 1};
    wb_ciovec from = {&byte, 1};
    seek(fd, 2, WB_WHENCE_SET);
    CHECK_INT(b->fd_pwrite(self, fd, &from, 1, 7, &count), 0);
    CHECK_INT(b->fd_pread(self, fd, &into, 1, 5, &count), 0);
    CHECK_INT(byte, '5');
    CHECK_INT(tell(fd), 2);
    check_read(fd, 10, "23456x89");
    end();
}

TEST(a_lent_file_shares_its_position_with_the_host)
{
    prepare();
    host_file("root/file", "0123456789");
    int lent = openat(outside, "root/file", O_RDWR);
    options.stdio[0] =
        (struct wb_stdio){.kind = WB_STDIO_DESCRIPTOR, .descriptor = lent};
    init();
    check_read(0, 2, "01");
    CHECK_INT(lseek(lent, 0, SEEK_CUR), 2);
    CHECK_INT(lseek(lent, 5, SEEK_SET), 5);
    CHECK_INT(tell(0), 5);
    CHECK_INT(seek(0, 1, WB_WHENCE_CUR), 6);
    CHECK_INT(lseek(lent, 0, SEEK_CUR), 6);
    check_read(0, 1, "6");
    CHECK_INT(lseek(lent, 0, SEEK_CUR), 7);
    close(lent);
    end();
}

TEST(poll_tells_the_bytes_from_the_position_on)
{
    begin();
    wb_fd fd = open_file("0123456789", 0);
    check_read(fd, 4, "0123");
    seek(fd, 3, WB_WHENCE_CUR);
    wb_subscription subscription = {.type = WB_EVENTTYPE_FD_READ, .u.fd = fd};
    struct one_event one = {{take_event}, {0}, 0};
    CHECK_INT(b->poll_oneoff(self, &subscription, 1, &one.sink), 0);
    CHECK_INT(one.count, 1);
    CHECK_INT(one.event.nbytes, 3);
    end();
}

int main(int argc, char **argv)
{
    return run_tests(argc, argv);
}
