/* Calls on descriptors, other than moving bytes (io.c) and fd_readdir
 * (directory.c).
 *
 * fd_sync and its like have nothing to do: memory is the storage. fd_advise
 * hears and does nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

static size_t length(const char *text)
{
    size_t len = 0;
    while (text[len])
        len++;
    return len;
}

/* ---- what a descriptor is ----------------------------------------------- */

uint16_t mem_fd_fdstat_get(void *self, wb_fd fd, wb_fdstat *fdstat)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_fdstat_get, fd, &file);
    if (error)
        return error;
    *fdstat = (wb_fdstat){file->base, file->inheriting, file->fdflags,
                          file->filetype};
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_fd_filestat_get(void *self, wb_fd fd, wb_filestat *filestat)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_filestat_get, fd, &file);
    if (error)
        return error;
    if (file->io == MEM_IO_NODE)
        mem_node_describe(file->is.node, filestat);
    else
        *filestat = (wb_filestat){.nlink = 1, .filetype = file->filetype};
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_fd_prestat_get(void *self, wb_fd fd, wb_prestat *prestat)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_prestat_get, fd, &file);
    if (error)
        return error;
    if (!file->preopen)
        return WB_ERRNO_BADF;
    prestat->pr_name_len = (uint32_t)length(file->preopen);
    prestat->tag = WB_PREOPENTYPE_DIR;
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_fd_prestat_dir_name(void *self, wb_fd fd, char *path,
                                 size_t path_len)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_prestat_dir_name, fd, &file);
    if (error)
        return error;
    if (!file->preopen)
        return WB_ERRNO_BADF;
    size_t len = length(file->preopen);
    if (path_len < len)
        return WB_ERRNO_NAMETOOLONG;
    memcpy(path, file->preopen, len);
    return WB_ERRNO_SUCCESS;
}

/* ---- how a descriptor behaves ------------------------------------------- */

uint16_t mem_fd_fdstat_set_flags(void *self, wb_fd fd, wb_fdflags flags)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_fdstat_set_flags, fd, &file);
    if (!error)
        file->fdflags = flags;
    return error;
}

uint16_t mem_fd_fdstat_set_rights(void *self, wb_fd fd,
                                  wb_rights fs_rights_base,
                                  wb_rights fs_rights_inheriting)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_fdstat_set_rights, fd, &file);
    if (error)
        return error;
    if (((struct mem_context *)self)->ignore_rights)
        return WB_ERRNO_NOTSUP;
    if (fs_rights_base & ~(wb_rights)file->base ||
        fs_rights_inheriting & ~(wb_rights)file->inheriting)
        return WB_ERRNO_NOTCAPABLE;
    file->base = (uint32_t)fs_rights_base;
    file->inheriting = (uint32_t)fs_rights_inheriting;
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_fd_close(void *self, wb_fd fd)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_close, fd, &file);
    if (!error)
        mem_close(self, fd);
    return error;
}

uint16_t mem_fd_renumber(void *self, wb_fd fd, wb_fd to)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_renumber, fd, &file);
    if (!error)
        error = MEM_USE(self, fd_renumber, to, &file);
    if (!error && fd != to)
        mem_renumber(self, fd, to);
    return error;
}

/* ---- positions and contents --------------------------------------------- */

/* Something that was opened for seeking is a file of the tree. */
uint16_t mem_fd_seek(void *self, wb_fd fd, wb_filedelta offset,
                     wb_whence whence, wb_filesize *newoffset)
{
    struct mem_file *file;
    wb_filesize from = 0;
    wb_errno error = mem_use(self, fd, WB_NEEDS_KIND_fd_seek,
                             wb_rights_fd_seek(offset, whence), &file);
    if (error)
        return error;
    if (file->io != MEM_IO_NODE)
        return WB_ERRNO_SPIPE;
    if (whence == WB_WHENCE_CUR)
        from = file->position;
    else if (whence == WB_WHENCE_END)
        from = mem_regular_of(file)->size;
    /* `from` is INT64_MAX at most. */
    if (offset < 0 ? (wb_filesize)0 - (wb_filesize)offset > from
                   : (wb_filesize)offset > INT64_MAX - from)
        return WB_ERRNO_INVAL;
    file->position = from + (wb_filesize)offset;
    *newoffset = file->position;
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_fd_tell(void *self, wb_fd fd, wb_filesize *offset)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_tell, fd, &file);
    if (error)
        return error;
    if (file->io != MEM_IO_NODE)
        return WB_ERRNO_SPIPE;
    *offset = file->position;
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_fd_advise(void *self, wb_fd fd, wb_filesize offset,
                       wb_filesize len, wb_advice advice)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_advise, fd, &file);
    (void)advice;
    if (error)
        return error;
    if (offset > INT64_MAX || len > INT64_MAX - offset)
        return WB_ERRNO_INVAL;
    return file->io == MEM_IO_NODE ? WB_ERRNO_SUCCESS : WB_ERRNO_SPIPE;
}

static void was_changed(struct mem_context *context, struct mem_node *node)
{
    node->mtim = node->ctim = mem_now(context);
}

uint16_t mem_fd_allocate(void *self, wb_fd fd, wb_filesize offset,
                         wb_filesize len)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_allocate, fd, &file);
    if (error)
        return error;
    if (len == 0 || offset > INT64_MAX || len > INT64_MAX - offset)
        return WB_ERRNO_INVAL;
    if (file->read_only)
        return WB_ERRNO_ROFS;
    if (file->io != MEM_IO_NODE)
        return WB_ERRNO_SPIPE;
    if (!(file->base & WB_RIGHTS_FD_ALLOCATE)) /* rights are ignored, */
        return WB_ERRNO_BADF;                  /* the access mode is not */
    error = mem_content_allocate(self, mem_regular_of(file), offset, len);
    if (!error)
        was_changed(self, file->is.node);
    return error;
}

uint16_t mem_fd_filestat_set_size(void *self, wb_fd fd, wb_filesize size)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_filestat_set_size, fd, &file);
    if (error)
        return error;
    if (size > INT64_MAX)
        return WB_ERRNO_INVAL;
    if (file->read_only)
        return WB_ERRNO_ROFS;
    if (file->io != MEM_IO_NODE ||
        !(file->base & WB_RIGHTS_FD_FILESTAT_SET_SIZE))
        return WB_ERRNO_INVAL;
    mem_content_resize(self, mem_regular_of(file), size);
    was_changed(self, file->is.node);
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_fd_filestat_set_times(void *self, wb_fd fd, wb_timestamp atim,
                                   wb_timestamp mtim, wb_fstflags fst_flags)
{
    struct mem_file *file;
    wb_errno error = MEM_USE(self, fd_filestat_set_times, fd, &file);
    if (error)
        return error;
    if (file->read_only)
        return WB_ERRNO_ROFS;
    if (file->io != MEM_IO_NODE)
        return WB_ERRNO_NOTSUP;
    mem_node_set_times(self, file->is.node, atim, mtim, fst_flags);
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_fd_sync(void *self, wb_fd fd)
{
    struct mem_file *file;
    return MEM_USE(self, fd_sync, fd, &file);
}

uint16_t mem_fd_datasync(void *self, wb_fd fd)
{
    struct mem_file *file;
    return MEM_USE(self, fd_datasync, fd, &file);
}
