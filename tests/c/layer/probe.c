/* See probe.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "probe_note.h"

#include <inttypes.h>
#include <string.h>

void probe_forget(struct probe *probe)
{
    probe->said[0] = '\0';
    probe->calls = probe->added = probe->refused = 0;
    memset(probe->taken, 0, sizeof(probe->taken));
    probe->subscriptions_len = 0;
}

/* ---- transfers -------------------------------------------------------------- */

/* Store "ABC..." into the buffers in order, probe->count bytes. A backing that
 * claims more than there is room for stores nothing. */
static void fill(const struct probe *probe, const wb_iovec *iovs, size_t count,
                 uint64_t room)
{
    size_t left = probe->count <= room ? probe->count : 0, letter = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < iovs[i].buf_len && left > 0; j++, left--)
            ((char *)iovs[i].buf)[j] = (char)('A' + letter++ % 26);
}

/* Keep the first bytes that are offered. */
static void take(struct probe *probe, const wb_ciovec *iovs, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0;
             j < iovs[i].buf_len && kept < sizeof(probe->taken); j++)
            probe->taken[kept++] = ((const uint8_t *)iovs[i].buf)[j];
}

static uint16_t tell_sizes(struct probe *probe, size_t *count, size_t *bytes)
{
    *count = probe->told_strings;
    *bytes = probe->told_bytes;
    return probe->answer;
}

static uint16_t add_strings(struct probe *probe, struct wb_string_sink *sink)
{
    for (size_t i = 0; i < probe->strings_len; i++) {
        size_t length = probe->string_lens ? probe->string_lens[i]
                                           : strlen(probe->strings[i]);

        if (sink->add(sink, probe->strings[i], length)) {
            probe->refused++;
            break;
        }
        probe->added++;
    }
    return probe->answer;
}

static uint16_t probe_args_sizes_get(void *self, size_t *argc, size_t *bytes)
{
    return tell_sizes(probe_begin(self, "args_sizes_get"), argc, bytes);
}

static uint16_t probe_args_get(void *self, struct wb_string_sink *sink)
{
    return add_strings(probe_begin(self, "args_get"), sink);
}

static uint16_t probe_environ_sizes_get(void *self, size_t *count,
                                        size_t *bytes)
{
    return tell_sizes(probe_begin(self, "environ_sizes_get"), count, bytes);
}

static uint16_t probe_environ_get(void *self, struct wb_string_sink *sink)
{
    return add_strings(probe_begin(self, "environ_get"), sink);
}

static uint16_t probe_clock_res_get(void *self, wb_clockid id,
                                    wb_timestamp *resolution)
{
    struct probe *probe = probe_begin(self, "clock_res_get");

    probe_note_u32(probe, id);
    *resolution = probe->number;
    return probe->answer;
}

static uint16_t probe_clock_time_get(void *self, wb_clockid id,
                                     wb_timestamp precision,
                                     wb_timestamp *time)
{
    struct probe *probe = probe_begin(self, "clock_time_get");

    probe_note_u32(probe, id);
    probe_note_u64(probe, precision);
    *time = probe->number;
    return probe->answer;
}

static uint16_t probe_fd_advise(void *self, wb_fd fd, wb_filesize offset,
                                wb_filesize len, wb_advice advice)
{
    struct probe *probe = probe_begin(self, "fd_advise");

    probe_note_u32(probe, fd);
    probe_note_u64(probe, offset);
    probe_note_u64(probe, len);
    probe_note_u32(probe, advice);
    return probe->answer;
}

static uint16_t probe_fd_allocate(void *self, wb_fd fd, wb_filesize offset,
                                  wb_filesize len)
{
    struct probe *probe = probe_begin(self, "fd_allocate");

    probe_note_u32(probe, fd);
    probe_note_u64(probe, offset);
    probe_note_u64(probe, len);
    return probe->answer;
}

/* The slots that get a descriptor and nothing else. */
static uint16_t just_fd(void *self, const char *name, wb_fd fd)
{
    struct probe *probe = probe_begin(self, name);

    probe_note_u32(probe, fd);
    return probe->answer;
}

static uint16_t probe_fd_close(void *self, wb_fd fd)
{
    return just_fd(self, "fd_close", fd);
}

static uint16_t probe_fd_datasync(void *self, wb_fd fd)
{
    return just_fd(self, "fd_datasync", fd);
}

static uint16_t probe_fd_sync(void *self, wb_fd fd)
{
    return just_fd(self, "fd_sync", fd);
}

static uint16_t probe_fd_fdstat_get(void *self, wb_fd fd, wb_fdstat *fdstat)
{
    struct probe *probe = self;

    just_fd(self, "fd_fdstat_get", fd);
    *fdstat = probe->fdstat;
    return probe->answer;
}

static uint16_t probe_fd_fdstat_set_flags(void *self, wb_fd fd,
                                          wb_fdflags flags)
{
    struct probe *probe = probe_begin(self, "fd_fdstat_set_flags");

    probe_note_u32(probe, fd);
    probe_note_u32(probe, flags);
    return probe->answer;
}

static uint16_t probe_fd_fdstat_set_rights(void *self, wb_fd fd, wb_rights base,
                                           wb_rights inheriting)
{
    struct probe *probe = probe_begin(self, "fd_fdstat_set_rights");

    probe_note_u32(probe, fd);
    probe_note_u64(probe, base);
    probe_note_u64(probe, inheriting);
    return probe->answer;
}

static uint16_t probe_fd_filestat_get(void *self, wb_fd fd,
                                      wb_filestat *filestat)
{
    struct probe *probe = self;

    just_fd(self, "fd_filestat_get", fd);
    *filestat = probe->filestat;
    return probe->answer;
}

static uint16_t probe_fd_filestat_set_size(void *self, wb_fd fd,
                                           wb_filesize size)
{
    struct probe *probe = probe_begin(self, "fd_filestat_set_size");

    probe_note_u32(probe, fd);
    probe_note_u64(probe, size);
    return probe->answer;
}

static uint16_t probe_fd_filestat_set_times(void *self, wb_fd fd,
                                            wb_timestamp atim,
                                            wb_timestamp mtim,
                                            wb_fstflags flags)
{
    struct probe *probe = probe_begin(self, "fd_filestat_set_times");

    probe_note_u32(probe, fd);
    probe_note_u64(probe, atim);
    probe_note_u64(probe, mtim);
    probe_note_u32(probe, flags);
    return probe->answer;
}

static uint16_t probe_fd_pread(void *self, wb_fd fd, const wb_iovec *iovs,
                               size_t iovs_len, wb_filesize offset,
                               size_t *nread)
{
    struct probe *probe = probe_begin(self, "fd_pread");

    probe_note_u32(probe, fd);
    fill(probe, iovs, iovs_len, probe_note_iovecs(probe, iovs, iovs_len));
    probe_note_u64(probe, offset);
    *nread = probe->count;
    return probe->answer;
}

static uint16_t probe_fd_prestat_get(void *self, wb_fd fd, wb_prestat *prestat)
{
    struct probe *probe = self;

    just_fd(self, "fd_prestat_get", fd);
    *prestat = probe->prestat;
    return probe->answer;
}

static uint16_t probe_fd_prestat_dir_name(void *self, wb_fd fd, char *path,
                                          size_t path_len)
{
    struct probe *probe = probe_begin(self, "fd_prestat_dir_name");

    probe_note_u32(probe, fd);
    probe_note_u64(probe, path_len);
    if (path_len > 0)
        memset(path, 'N', path_len);
    return probe->answer;
}

static uint16_t probe_fd_pwrite(void *self, wb_fd fd, const wb_ciovec *iovs,
                                size_t iovs_len, wb_filesize offset,
                                size_t *nwritten)
{
    struct probe *probe = probe_begin(self, "fd_pwrite");

    probe_note_u32(probe, fd);
    probe_note_ciovecs(probe, iovs, iovs_len);
    probe_note_u64(probe, offset);
    take(probe, iovs, iovs_len);
    *nwritten = probe->count;
    return probe->answer;
}

static uint16_t probe_fd_read(void *self, wb_fd fd, const wb_iovec *iovs,
                              size_t iovs_len, size_t *nread)
{
    struct probe *probe = probe_begin(self, "fd_read");

    probe_note_u32(probe, fd);
    fill(probe, iovs, iovs_len, probe_note_iovecs(probe, iovs, iovs_len));
    *nread = probe->count;
    return probe->answer;
}

static uint16_t probe_fd_readdir(void *self, wb_fd fd, wb_dircookie cookie,
                                 struct wb_dirent_sink *sink)
{
    struct probe *probe = probe_begin(self, "fd_readdir");

    probe_note_u32(probe, fd);
    probe_note_u64(probe, cookie);
    for (size_t i = 0; i < probe->dirents_len; i++) {
        const struct probe_dirent *dirent = &probe->dirents[i];

        if (sink->add(sink, &dirent->entry, dirent->name)) {
            probe->refused++;
            break;
        }
        probe->added++;
    }
    return probe->answer;
}

static uint16_t probe_fd_renumber(void *self, wb_fd fd, wb_fd to)
{
    struct probe *probe = probe_begin(self, "fd_renumber");

    probe_note_u32(probe, fd);
    probe_note_u32(probe, to);
    return probe->answer;
}

static uint16_t probe_fd_seek(void *self, wb_fd fd, wb_filedelta offset,
                              wb_whence whence, wb_filesize *newoffset)
{
    struct probe *probe = probe_begin(self, "fd_seek");

    probe_note(probe, " %" PRIu32 " %" PRId64 " %u", fd, offset, (unsigned)whence);
    *newoffset = probe->number;
    return probe->answer;
}

static uint16_t probe_fd_tell(void *self, wb_fd fd, wb_filesize *offset)
{
    struct probe *probe = self;

    just_fd(self, "fd_tell", fd);
    *offset = probe->number;
    return probe->answer;
}

static uint16_t probe_fd_write(void *self, wb_fd fd, const wb_ciovec *iovs,
                               size_t iovs_len, size_t *nwritten)
{
    struct probe *probe = probe_begin(self, "fd_write");

    probe_note_u32(probe, fd);
    probe_note_ciovecs(probe, iovs, iovs_len);
    take(probe, iovs, iovs_len);
    *nwritten = probe->count;
    return probe->answer;
}

/* The slots that get a path below a descriptor and nothing else. */
static uint16_t just_path(void *self, const char *name, wb_fd fd,
                          const char *path, size_t path_len)
{
    struct probe *probe = probe_begin(self, name);

    probe_note_u32(probe, fd);
    probe_note_path(probe, path, path_len);
    return probe->answer;
}

static uint16_t probe_path_create_directory(void *self, wb_fd fd,
                                            const char *path, size_t path_len)
{
    return just_path(self, "path_create_directory", fd, path, path_len);
}

static uint16_t probe_path_remove_directory(void *self, wb_fd fd,
                                            const char *path, size_t path_len)
{
    return just_path(self, "path_remove_directory", fd, path, path_len);
}

static uint16_t probe_path_unlink_file(void *self, wb_fd fd, const char *path,
                                       size_t path_len)
{
    return just_path(self, "path_unlink_file", fd, path, path_len);
}

static uint16_t probe_path_filestat_get(void *self, wb_fd fd,
                                        wb_lookupflags flags, const char *path,
                                        size_t path_len, wb_filestat *filestat)
{
    struct probe *probe = probe_begin(self, "path_filestat_get");

    probe_note_u32(probe, fd);
    probe_note_u32(probe, flags);
    probe_note_path(probe, path, path_len);
    *filestat = probe->filestat;
    return probe->answer;
}

static uint16_t probe_path_filestat_set_times(void *self, wb_fd fd,
                                              wb_lookupflags flags,
                                              const char *path, size_t path_len,
                                              wb_timestamp atim,
                                              wb_timestamp mtim,
                                              wb_fstflags fst_flags)
{
    struct probe *probe = probe_begin(self, "path_filestat_set_times");

    probe_note_u32(probe, fd);
    probe_note_u32(probe, flags);
    probe_note_path(probe, path, path_len);
    probe_note_u64(probe, atim);
    probe_note_u64(probe, mtim);
    probe_note_u32(probe, fst_flags);
    return probe->answer;
}

static uint16_t probe_path_link(void *self, wb_fd old_fd,
                                wb_lookupflags old_flags, const char *old_path,
                                size_t old_path_len, wb_fd new_fd,
                                const char *new_path, size_t new_path_len)
{
    struct probe *probe = probe_begin(self, "path_link");

    probe_note_u32(probe, old_fd);
    probe_note_u32(probe, old_flags);
    probe_note_path(probe, old_path, old_path_len);
    probe_note_u32(probe, new_fd);
    probe_note_path(probe, new_path, new_path_len);
    return probe->answer;
}

static uint16_t probe_path_open(void *self, wb_fd fd, wb_lookupflags dirflags,
                                const char *path, size_t path_len,
                                wb_oflags oflags, wb_rights base,
                                wb_rights inheriting, wb_fdflags fdflags,
                                wb_fd *opened_fd)
{
    struct probe *probe = probe_begin(self, "path_open");

    probe_note_u32(probe, fd);
    probe_note_u32(probe, dirflags);
    probe_note_path(probe, path, path_len);
    probe_note_u32(probe, oflags);
    probe_note_u64(probe, base);
    probe_note_u64(probe, inheriting);
    probe_note_u32(probe, fdflags);
    *opened_fd = probe->opened;
    return probe->answer;
}

static uint16_t probe_path_readlink(void *self, wb_fd fd, const char *path,
                                    size_t path_len, char *buf, size_t buf_len,
                                    size_t *bufused)
{
    struct probe *probe = probe_begin(self, "path_readlink");

    probe_note_u32(probe, fd);
    probe_note_path(probe, path, path_len);
    if (buf_len != WB_MAX_PATH)
        probe_note(probe, " (room for %zu)", buf_len);
    if (probe->target && probe->count <= buf_len)
        memcpy(buf, probe->target, probe->count);
    *bufused = probe->count;
    return probe->answer;
}

static uint16_t probe_path_rename(void *self, wb_fd fd, const char *old_path,
                                  size_t old_path_len, wb_fd new_fd,
                                  const char *new_path, size_t new_path_len)
{
    struct probe *probe = probe_begin(self, "path_rename");

    probe_note_u32(probe, fd);
    probe_note_path(probe, old_path, old_path_len);
    probe_note_u32(probe, new_fd);
    probe_note_path(probe, new_path, new_path_len);
    return probe->answer;
}

static uint16_t probe_path_symlink(void *self, const char *old_path,
                                   size_t old_path_len, wb_fd fd,
                                   const char *new_path, size_t new_path_len)
{
    struct probe *probe = probe_begin(self, "path_symlink");

    probe_note_path(probe, old_path, old_path_len);
    probe_note_u32(probe, fd);
    probe_note_path(probe, new_path, new_path_len);
    return probe->answer;
}

static uint16_t probe_poll_oneoff(void *self,
                                  const wb_subscription *subscriptions,
                                  size_t nsubscriptions,
                                  struct wb_event_sink *sink)
{
    struct probe *probe = probe_begin(self, "poll_oneoff");

    probe_note_u64(probe, nsubscriptions);
    memcpy(probe->subscriptions, subscriptions,
           nsubscriptions * sizeof(*subscriptions));
    probe->subscriptions_len = nsubscriptions;
    for (size_t i = 0; i < probe->events_len; i++) {
        if (sink->add(sink, &probe->events[i])) {
            probe->refused++;
            break;
        }
        probe->added++;
    }
    return probe->answer;
}

static uint16_t probe_proc_exit(void *self, wb_exitcode rval)
{
    return just_fd(self, "proc_exit", rval);
}

static uint16_t probe_proc_raise(void *self, wb_signal sig)
{
    return just_fd(self, "proc_raise", sig);
}

static uint16_t probe_sched_yield(void *self)
{
    return probe_begin(self, "sched_yield")->answer;
}

static uint16_t probe_random_get(void *self, uint8_t *buf, size_t buf_len)
{
    struct probe *probe = probe_begin(self, "random_get");

    probe_note_u64(probe, probe_offset_of(probe, buf));
    probe_note_u64(probe, buf_len);
    for (size_t i = 0; i < buf_len && i < 4096; i++)
        buf[i] = 'R';
    return probe->answer;
}

static uint16_t probe_sock_accept(void *self, wb_fd fd, wb_fdflags flags,
                                  wb_fd *new_fd)
{
    struct probe *probe = probe_begin(self, "sock_accept");

    probe_note_u32(probe, fd);
    probe_note_u32(probe, flags);
    *new_fd = probe->opened;
    return probe->answer;
}

static uint16_t probe_sock_recv(void *self, wb_fd fd, const wb_iovec *ri_data,
                                size_t ri_data_len, wb_riflags ri_flags,
                                size_t *ro_datalen, wb_roflags *ro_flags)
{
    struct probe *probe = probe_begin(self, "sock_recv");

    probe_note_u32(probe, fd);
    fill(probe, ri_data, ri_data_len,
         probe_note_iovecs(probe, ri_data, ri_data_len));
    probe_note_u32(probe, ri_flags);
    *ro_datalen = probe->count;
    *ro_flags = probe->roflags;
    return probe->answer;
}

static uint16_t probe_sock_send(void *self, wb_fd fd, const wb_ciovec *si_data,
                                size_t si_data_len, size_t *so_datalen)
{
    struct probe *probe = probe_begin(self, "sock_send");

    probe_note_u32(probe, fd);
    probe_note_ciovecs(probe, si_data, si_data_len);
    take(probe, si_data, si_data_len);
    *so_datalen = probe->count;
    return probe->answer;
}

static uint16_t probe_sock_shutdown(void *self, wb_fd fd, wb_sdflags how)
{
    struct probe *probe = probe_begin(self, "sock_shutdown");

    probe_note_u32(probe, fd);
    probe_note_u32(probe, how);
    return probe->answer;
}

/* ---- contexts --------------------------------------------------------------- */

static uint16_t probe_init(const struct wb_options *options, void **self)
{
    struct probe *probe = options->arena;

    probe->created++;
    *self = probe;
    return WB_ERRNO_SUCCESS;
}

static void probe_destroy(void *self)
{
    struct probe *probe = self;

    probe->destroyed++;
}

static void probe_interrupt(void *self)
{
    struct probe *probe = self;

    probe->interrupted++;
}

const struct wb_backing probe_backing = {
    WB_BACKING_INIT,
    .name = "probe",
    .summary = "writes down what it is asked",
    .context_init = probe_init,
    .context_destroy = probe_destroy,
    .interrupt = probe_interrupt,
#define WB_CALL(name, signature, memory, fallback, unstable) \
    .name = probe_##name,
#include "wasi_backing/calls.def"
};

const struct wb_backing probe_bare_backing = {
    WB_BACKING_INIT,
    .name = "bare",
    .summary = "has no call at all",
    .context_init = probe_init,
    .context_destroy = probe_destroy,
    .interrupt = probe_interrupt,
};
