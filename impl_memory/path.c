/* Calls on paths. Each finds its places, checks, and then changes in one step
 * that allocates first and cannot fail afterwards.
 *
 * SPDX-License-Identifier: MIT
 */
#include "memory.h"

static int how_to_look(wb_lookupflags flags)
{
    return flags & WB_LOOKUPFLAGS_SYMLINK_FOLLOW ? MEM_FOLLOW : MEM_NOFOLLOW;
}

static int is_directory(const struct mem_node *node)
{
    return node && node->filetype == WB_FILETYPE_DIRECTORY;
}

/* Find what a path names; NOENT if that is nothing. */
static wb_errno find_node(const struct mem_file *root, const char *path,
                          size_t path_len, int how, struct mem_node **node)
{
    struct mem_place place;
    wb_errno error = mem_find_place(mem_directory_of(root), path, path_len, how,
                                    &place);
    if (!error && !place.node)
        error = WB_ERRNO_NOENT;
    if (!error)
        *node = place.node;
    return error;
}

/* Find the place of an entry that is about to change. A read-only preopen
 * refuses only now: what is wrong with the way there is told first. */
static wb_errno find_to_change(const struct mem_file *root, const char *path,
                               size_t path_len, int how,
                               struct mem_place *place)
{
    wb_errno error =
        mem_find_place(mem_directory_of(root), path, path_len, how, place);
    return !error && root->read_only ? WB_ERRNO_ROFS : error;
}

/* ---- open --------------------------------------------------------------- */

/* Whether a node may be opened like this. */
static wb_errno check_open(const struct mem_node *node, int read_only,
                           wb_oflags oflags, int writing)
{
    int changing = writing || oflags & WB_OFLAGS_TRUNC;
    if (oflags & WB_OFLAGS_CREAT && oflags & WB_OFLAGS_EXCL)
        return WB_ERRNO_EXIST;
    if (node->filetype == WB_FILETYPE_SYMBOLIC_LINK)
        return WB_ERRNO_LOOP;
    if (oflags & WB_OFLAGS_DIRECTORY && !is_directory(node))
        return WB_ERRNO_NOTDIR;
    if (read_only && changing)
        return WB_ERRNO_ROFS;
    if (is_directory(node) && (changing || oflags & WB_OFLAGS_CREAT))
        return WB_ERRNO_ISDIR;
    return WB_ERRNO_SUCCESS;
}

/* Make a file and give it a name, if that can be. */
static wb_errno make_file(struct mem_context *context,
                          const struct mem_place *place, int read_only,
                          struct mem_node **node)
{
    wb_errno error;
    if (place->directory->node.links == 0)
        return WB_ERRNO_NOENT;
    if (read_only)
        return WB_ERRNO_ROFS;
    *node = mem_node_make(context, WB_FILETYPE_REGULAR_FILE, NULL, 0);
    if (!*node)
        return WB_ERRNO_NOSPC;
    error = mem_directory_add(context, place->directory, &place->name, *node);
    if (error)
        mem_node_settle(context, *node);
    return error;
}

static wb_errno find_to_open(struct mem_context *context,
                             struct mem_directory *root, int read_only,
                             wb_lookupflags dirflags, const char *path,
                             size_t path_len, wb_oflags oflags, int writing,
                             struct mem_node **node)
{
    struct mem_place place;
    int how = how_to_look(dirflags);
    wb_errno error;
    if (oflags & WB_OFLAGS_CREAT)
        how = how == MEM_NOFOLLOW || oflags & WB_OFLAGS_EXCL ? MEM_ENTRY
                                                             : MEM_CREATE;
    error = mem_find_place(root, path, path_len, how, &place);
    if (error)
        return error;
    if (how == MEM_ENTRY && place.slash && !place.dots)
        return WB_ERRNO_ISDIR; /* as MEM_CREATE says */
    if (!place.node && oflags & WB_OFLAGS_CREAT)
        return make_file(context, &place, read_only, node);
    if (!place.node)
        return WB_ERRNO_NOENT;
    *node = place.node;
    return check_open(place.node, read_only, oflags, writing);
}

/* What a descriptor of a node can do at most, opened like this. */
static wb_rights rights_of(const struct mem_node *node, int reading,
                           int writing)
{
    wb_rights rights = wb_rights_of(node->filetype);
    if (!writing)
        rights &= ~(wb_rights)(WB_RIGHTS_FD_WRITE | WB_RIGHTS_FD_ALLOCATE |
                               WB_RIGHTS_FD_FILESTAT_SET_SIZE);
    else if (!reading)
        rights &= ~(wb_rights)WB_RIGHTS_FD_READ;
    return rights;
}

uint16_t mem_path_open(void *self, wb_fd fd, wb_lookupflags dirflags,
                       const char *path, size_t path_len, wb_oflags oflags,
                       wb_rights fs_rights_base, wb_rights fs_rights_inheriting,
                       wb_fdflags fdflags, wb_fd *opened_fd)
{
    struct mem_context *context = self;
    int reading = wb_rights_ask_to_read(fs_rights_base);
    int writing = wb_rights_ask_to_write(fs_rights_base);
    struct mem_file *root;
    struct mem_file opened = {.io = MEM_IO_NODE, .fdflags = fdflags};
    wb_fd number;
    wb_errno error = mem_use(context, fd, WB_NEEDS_KIND_path_open,
                             wb_rights_path_open(oflags), &root);
    if (error)
        return error;
    if (!context->ignore_rights &&
        wb_rights_path_open_inheriting(fs_rights_base, fs_rights_inheriting,
                                       fdflags) &
            ~(wb_rights)root->inheriting)
        return WB_ERRNO_NOTCAPABLE;
    if (oflags & WB_OFLAGS_DIRECTORY && oflags & ~WB_OFLAGS_DIRECTORY)
        return WB_ERRNO_INVAL;
    opened.read_only = root->read_only;
    struct mem_directory *directory = mem_directory_of(root);
    error = mem_reserve(context, &number); /* `root` may have moved */
    if (error)
        return error;
    error = find_to_open(context, directory, opened.read_only, dirflags, path,
                         path_len, oflags, writing, &opened.is.node);
    if (error) {
        mem_unreserve(context, number);
        return error;
    }
    struct mem_node *node = opened.is.node;
    node->opens++;
    if (oflags & WB_OFLAGS_TRUNC) {
        mem_content_resize(context, (struct mem_regular *)node, 0);
        node->mtim = node->ctim = mem_now(context);
    }
    opened.filetype = node->filetype;
    opened.base = (uint32_t)rights_of(node, reading, writing);
    opened.inheriting = is_directory(node) ? WB_RIGHTS_ALL : 0;
    if (!context->ignore_rights) {
        opened.base &= (uint32_t)fs_rights_base;
        opened.inheriting = (uint32_t)fs_rights_inheriting;
    }
    context->files[number] = opened;
    *opened_fd = number;
    return WB_ERRNO_SUCCESS;
}

/* ---- describing --------------------------------------------------------- */

uint16_t mem_path_filestat_get(void *self, wb_fd fd, wb_lookupflags flags,
                               const char *path, size_t path_len,
                               wb_filestat *filestat)
{
    struct mem_file *root;
    struct mem_node *node;
    wb_errno error = MEM_USE(self, path_filestat_get, fd, &root);
    if (!error)
        error = find_node(root, path, path_len, how_to_look(flags), &node);
    if (!error)
        mem_node_describe(node, filestat);
    return error;
}

uint16_t mem_path_readlink(void *self, wb_fd fd, const char *path,
                           size_t path_len, char *buf, size_t buf_len,
                           size_t *bufused)
{
    struct mem_file *root;
    struct mem_node *node;
    wb_errno error = MEM_USE(self, path_readlink, fd, &root);
    if (!error)
        error = find_node(root, path, path_len, MEM_NOFOLLOW, &node);
    if (error)
        return error;
    if (node->filetype != WB_FILETYPE_SYMBOLIC_LINK)
        return WB_ERRNO_INVAL;
    const struct mem_link *link = (const struct mem_link *)node;
    if (link->len > buf_len)
        return WB_ERRNO_NAMETOOLONG;
    memcpy(buf, link->text, link->len);
    *bufused = link->len;
    mem_node_was_read(self, node);
    return WB_ERRNO_SUCCESS;
}

/* ---- making ------------------------------------------------------------- */

/* Make a node at a path where nothing is. Only a directory's name may have
 * slashes behind it. */
static wb_errno make(struct mem_context *context, const struct mem_file *root,
                     const char *path, size_t path_len, wb_filetype filetype,
                     const char *text, size_t len)
{
    struct mem_place place;
    struct mem_node *node;
    wb_errno error = find_to_change(root, path, path_len, MEM_ENTRY, &place);
    if (error)
        return error;
    if (place.node)
        return WB_ERRNO_EXIST;
    if (place.directory->node.links == 0 ||
        (place.slash && filetype != WB_FILETYPE_DIRECTORY))
        return WB_ERRNO_NOENT;
    node = mem_node_make(context, filetype, text, len);
    if (!node)
        return WB_ERRNO_NOSPC;
    error = mem_directory_add(context, place.directory, &place.name, node);
    if (error)
        mem_node_settle(context, node);
    return error;
}

uint16_t mem_path_create_directory(void *self, wb_fd fd, const char *path,
                                   size_t path_len)
{
    struct mem_file *root;
    wb_errno error = MEM_USE(self, path_create_directory, fd, &root);
    return error ? error
                 : make(self, root, path, path_len, WB_FILETYPE_DIRECTORY,
                        NULL, 0);
}

uint16_t mem_path_symlink(void *self, const char *old_path, size_t old_path_len,
                          wb_fd fd, const char *new_path, size_t new_path_len)
{
    struct mem_file *root;
    wb_errno error = MEM_USE(self, path_symlink, fd, &root);
    return error ? error
                 : make(self, root, new_path, new_path_len,
                        WB_FILETYPE_SYMBOLIC_LINK, old_path, old_path_len);
}

uint16_t mem_path_link(void *self, wb_fd old_fd, wb_lookupflags old_flags,
                       const char *old_path, size_t old_path_len, wb_fd new_fd,
                       const char *new_path, size_t new_path_len)
{
    struct mem_context *context = self;
    struct mem_file *old_root, *new_root;
    struct mem_place old_place, new_place;
    wb_errno error = MEM_USE(self, path_link_source, old_fd, &old_root);
    if (!error)
        error = MEM_USE(self, path_link_target, new_fd, &new_root);
    if (!error)
        error = find_to_change(old_root, old_path, old_path_len,
                               how_to_look(old_flags), &old_place);
    if (!error && !old_place.node)
        error = WB_ERRNO_NOENT;
    if (!error)
        error = find_to_change(new_root, new_path, new_path_len, MEM_ENTRY,
                               &new_place);
    if (error)
        return error;
    if (new_place.node)
        return WB_ERRNO_EXIST;
    if (new_place.slash)
        return WB_ERRNO_NOENT;
    if (is_directory(old_place.node))
        return WB_ERRNO_PERM;
    if (old_place.node->links == UINT32_MAX)
        return WB_ERRNO_MLINK;
    error = mem_directory_add(context, new_place.directory, &new_place.name,
                              old_place.node);
    if (!error)
        old_place.node->ctim = mem_now(context);
    return error;
}

/* ---- changing ----------------------------------------------------------- */

uint16_t mem_path_filestat_set_times(void *self, wb_fd fd, wb_lookupflags flags,
                                     const char *path, size_t path_len,
                                     wb_timestamp atim, wb_timestamp mtim,
                                     wb_fstflags fst_flags)
{
    struct mem_file *root;
    struct mem_place place;
    wb_errno error = MEM_USE(self, path_filestat_set_times, fd, &root);
    if (!error)
        error =
            find_to_change(root, path, path_len, how_to_look(flags), &place);
    if (!error && !place.node)
        error = WB_ERRNO_NOENT;
    if (!error)
        mem_node_set_times(self, place.node, atim, mtim, fst_flags);
    return error;
}

/* Whether a directory is `node` or somewhere below it. */
static int is_below(const struct mem_directory *directory,
                    const struct mem_node *node)
{
    while (&directory->node != node && directory->parent &&
           directory->parent != directory)
        directory = directory->parent;
    return &directory->node == node;
}

static int is_full(const struct mem_node *node)
{
    return ((const struct mem_directory *)node)->live > 0;
}

/* Whether what one place names may go to the other. */
static wb_errno check_rename(const struct mem_place *from,
                             const struct mem_place *to)
{
    if (from->dots || to->dots)
        return WB_ERRNO_BUSY;
    if (!from->node)
        return WB_ERRNO_NOENT;
    if (!is_directory(from->node)) {
        if (from->slash || to->slash)
            return WB_ERRNO_NOTDIR;
    } else if (is_below(to->directory, from->node)) {
        return WB_ERRNO_INVAL;
    }
    if (!to->node || to->node == from->node)
        return WB_ERRNO_SUCCESS;
    if (is_directory(to->node) && is_below(from->directory, to->node))
        return WB_ERRNO_NOTEMPTY;
    if (is_directory(from->node) && !is_directory(to->node))
        return WB_ERRNO_NOTDIR;
    if (!is_directory(from->node) && is_directory(to->node))
        return WB_ERRNO_ISDIR;
    return is_directory(to->node) && is_full(to->node) ? WB_ERRNO_NOTEMPTY
                                                       : WB_ERRNO_SUCCESS;
}

uint16_t mem_path_rename(void *self, wb_fd fd, const char *old_path,
                         size_t old_path_len, wb_fd new_fd,
                         const char *new_path, size_t new_path_len)
{
    struct mem_context *context = self;
    struct mem_file *old_root, *new_root;
    struct mem_place from, to;
    wb_errno error = MEM_USE(self, path_rename_source, fd, &old_root);
    if (!error)
        error = MEM_USE(self, path_rename_target, new_fd, &new_root);
    if (!error)
        error = find_to_change(old_root, old_path, old_path_len, MEM_ENTRY,
                               &from);
    if (!error)
        error =
            find_to_change(new_root, new_path, new_path_len, MEM_ENTRY, &to);
    if (!error)
        error = check_rename(&from, &to);
    if (error || from.node == to.node)
        return error;
    /* The new name first: it alone may fail. */
    if (to.node)
        mem_directory_replace(context, to.directory, to.entry, from.node);
    else
        error = mem_directory_add(context, to.directory, &to.name, from.node);
    if (!error)
        mem_directory_remove(context, from.directory, from.entry);
    return error;
}

uint16_t mem_path_remove_directory(void *self, wb_fd fd, const char *path,
                                   size_t path_len)
{
    struct mem_file *root;
    struct mem_place place;
    wb_errno error = MEM_USE(self, path_remove_directory, fd, &root);
    if (!error)
        error = find_to_change(root, path, path_len, MEM_ENTRY, &place);
    if (error)
        return error;
    if (place.dots)
        return place.dots == 1 ? WB_ERRNO_INVAL : WB_ERRNO_NOTEMPTY;
    if (!place.node)
        return WB_ERRNO_NOENT;
    if (!is_directory(place.node))
        return WB_ERRNO_NOTDIR;
    if (is_full(place.node))
        return WB_ERRNO_NOTEMPTY;
    mem_directory_remove(self, place.directory, place.entry);
    return WB_ERRNO_SUCCESS;
}

uint16_t mem_path_unlink_file(void *self, wb_fd fd, const char *path,
                              size_t path_len)
{
    struct mem_file *root;
    struct mem_place place;
    wb_errno error = MEM_USE(self, path_unlink_file, fd, &root);
    if (!error)
        error = find_to_change(root, path, path_len, MEM_ENTRY, &place);
    if (error)
        return error;
    if (!place.node)
        return WB_ERRNO_NOENT;
    if (is_directory(place.node))
        return WB_ERRNO_ISDIR;
    if (place.slash)
        return WB_ERRNO_NOTDIR;
    mem_directory_remove(self, place.directory, place.entry);
    return WB_ERRNO_SUCCESS;
}
