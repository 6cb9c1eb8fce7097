/* The types, numbers and names of WASI preview 1, in native form.
 *
 * Names follow the specification (wasi_snapshot_preview1): its `errno` `badf` is
 * WB_ERRNO_BADF here, its `filestat` is struct wb_filestat. The structs are
 * native: the host's byte order and padding, native pointers. Their images in a
 * guest's memory are made by the layer alone, and nothing here describes them.
 *
 * Numbers are kept in fixed-width integers and never in enum types, because the
 * size of an enum differs between compilers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WASI_BACKING_TYPES_H
#define WASI_BACKING_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errno ------------------------------------------------------------- */

/* Expands to X(NAME, number, "meaning") for each errno. */
#define WB_ERRNO_LIST(X) \
    X(SUCCESS, 0, "no error") \
    X(2BIG, 1, "argument list too long") \
    X(ACCES, 2, "permission denied") \
    X(ADDRINUSE, 3, "address in use") \
    X(ADDRNOTAVAIL, 4, "address not available") \
    X(AFNOSUPPORT, 5, "address family not supported") \
    X(AGAIN, 6, "would block, or try again") \
    X(ALREADY, 7, "connection already in progress") \
    X(BADF, 8, "bad file descriptor") \
    X(BADMSG, 9, "bad message") \
    X(BUSY, 10, "device or resource busy") \
    X(CANCELED, 11, "operation canceled") \
    X(CHILD, 12, "no child processes") \
    X(CONNABORTED, 13, "connection aborted") \
    X(CONNREFUSED, 14, "connection refused") \
    X(CONNRESET, 15, "connection reset") \
    X(DEADLK, 16, "resource deadlock would occur") \
    X(DESTADDRREQ, 17, "destination address required") \
    X(DOM, 18, "argument out of the domain") \
    X(DQUOT, 19, "disk quota exceeded") \
    X(EXIST, 20, "file exists") \
    X(FAULT, 21, "bad address") \
    X(FBIG, 22, "file too large") \
    X(HOSTUNREACH, 23, "host is unreachable") \
    X(IDRM, 24, "identifier removed") \
    X(ILSEQ, 25, "illegal byte sequence") \
    X(INPROGRESS, 26, "operation in progress") \
    X(INTR, 27, "interrupted") \
    X(INVAL, 28, "invalid argument") \
    X(IO, 29, "input or output error") \
    X(ISCONN, 30, "socket is connected") \
    X(ISDIR, 31, "is a directory") \
    X(LOOP, 32, "too many levels of symbolic links") \
    X(MFILE, 33, "descriptor too large") \
    X(MLINK, 34, "too many links") \
    X(MSGSIZE, 35, "message too large") \
    X(MULTIHOP, 36, "multihop attempted") \
    X(NAMETOOLONG, 37, "file name too long") \
    X(NETDOWN, 38, "network is down") \
    X(NETRESET, 39, "connection aborted by the network") \
    X(NETUNREACH, 40, "network unreachable") \
    X(NFILE, 41, "too many open files") \
    X(NOBUFS, 42, "no buffer space") \
    X(NODEV, 43, "no such device") \
    X(NOENT, 44, "no such file or directory") \
    X(NOEXEC, 45, "executable file format error") \
    X(NOLCK, 46, "no locks available") \
    X(NOLINK, 47, "link has been severed") \
    X(NOMEM, 48, "not enough memory") \
    X(NOMSG, 49, "no message of that type") \
    X(NOPROTOOPT, 50, "protocol not available") \
    X(NOSPC, 51, "no space left on device") \
    X(NOSYS, 52, "function not supported") \
    X(NOTCONN, 53, "socket is not connected") \
    X(NOTDIR, 54, "not a directory, nor a link to one") \
    X(NOTEMPTY, 55, "directory not empty") \
    X(NOTRECOVERABLE, 56, "state not recoverable") \
    X(NOTSOCK, 57, "not a socket") \
    X(NOTSUP, 58, "not supported") \
    X(NOTTY, 59, "not a terminal") \
    X(NXIO, 60, "no such device or address") \
    X(OVERFLOW, 61, "value too large") \
    X(OWNERDEAD, 62, "previous owner died") \
    X(PERM, 63, "operation not permitted") \
    X(PIPE, 64, "broken pipe") \
    X(PROTO, 65, "protocol error") \
    X(PROTONOSUPPORT, 66, "protocol not supported") \
    X(PROTOTYPE, 67, "wrong protocol type for the socket") \
    X(RANGE, 68, "result too large") \
    X(ROFS, 69, "read-only file system") \
    X(SPIPE, 70, "not seekable") \
    X(SRCH, 71, "no such process") \
    X(STALE, 72, "stale file handle") \
    X(TIMEDOUT, 73, "timed out") \
    X(TXTBSY, 74, "text file busy") \
    X(XDEV, 75, "cross-device link") \
    X(NOTCAPABLE, 76, "capabilities insufficient")

typedef uint16_t wb_errno;

enum {
#define WB_ERRNO_CONSTANT(NAME, number, meaning) WB_ERRNO_##NAME = number,
    WB_ERRNO_LIST(WB_ERRNO_CONSTANT)
#undef WB_ERRNO_CONSTANT
    WB_ERRNO_COUNT = 77
};

/* ---- rights ------------------------------------------------------------ */

/* What may be done through a descriptor, one bit each; 30 bits are defined. */
typedef uint64_t wb_rights;

/* Expands to X(NAME, bit) for each right. */
#define WB_RIGHTS_LIST(X) \
    X(FD_DATASYNC, 0) \
    X(FD_READ, 1) \
    X(FD_SEEK, 2) \
    X(FD_FDSTAT_SET_FLAGS, 3) \
    X(FD_SYNC, 4) \
    X(FD_TELL, 5) \
    X(FD_WRITE, 6) \
    X(FD_ADVISE, 7) \
    X(FD_ALLOCATE, 8) \
    X(PATH_CREATE_DIRECTORY, 9) \
    X(PATH_CREATE_FILE, 10) \
    X(PATH_LINK_SOURCE, 11) \
    X(PATH_LINK_TARGET, 12) \
    X(PATH_OPEN, 13) \
    X(FD_READDIR, 14) \
    X(PATH_READLINK, 15) \
    X(PATH_RENAME_SOURCE, 16) \
    X(PATH_RENAME_TARGET, 17) \
    X(PATH_FILESTAT_GET, 18) \
    X(PATH_FILESTAT_SET_SIZE, 19) \
    X(PATH_FILESTAT_SET_TIMES, 20) \
    X(FD_FILESTAT_GET, 21) \
    X(FD_FILESTAT_SET_SIZE, 22) \
    X(FD_FILESTAT_SET_TIMES, 23) \
    X(PATH_SYMLINK, 24) \
    X(PATH_REMOVE_DIRECTORY, 25) \
    X(PATH_UNLINK_FILE, 26) \
    X(POLL_FD_READWRITE, 27) \
    X(SOCK_SHUTDOWN, 28) \
    X(SOCK_ACCEPT, 29)

enum {
#define WB_RIGHTS_CONSTANT(NAME, bit) WB_RIGHTS_##NAME = 1 << bit,
    WB_RIGHTS_LIST(WB_RIGHTS_CONSTANT)
#undef WB_RIGHTS_CONSTANT
    WB_RIGHTS_ALL = (1 << 30) - 1
};

/* ---- plain numbers ------------------------------------------------------ */

typedef uint32_t wb_fd;        /* a guest's descriptor: 0, 1, 2 are stdio */
typedef uint64_t wb_filesize;  /* bytes */
typedef int64_t wb_filedelta;  /* bytes, signed */
typedef uint64_t wb_timestamp; /* nanoseconds */
typedef uint64_t wb_dircookie; /* a place in a directory; 0 is its start */
typedef uint64_t wb_inode;
typedef uint64_t wb_device;
typedef uint64_t wb_linkcount;
typedef uint64_t wb_userdata; /* the guest's own mark on a subscription */
typedef uint32_t wb_exitcode;
typedef uint16_t wb_siflags; /* no bit is defined */

/* ---- clocks -------------------------------------------------------------- */

typedef uint32_t wb_clockid;

enum {
    WB_CLOCKID_REALTIME = 0,
    WB_CLOCKID_MONOTONIC = 1,
    WB_CLOCKID_PROCESS_CPUTIME_ID = 2,
    WB_CLOCKID_THREAD_CPUTIME_ID = 3,
    WB_CLOCKID_COUNT = 4
};

/* ---- files --------------------------------------------------------------- */

typedef uint8_t wb_filetype;

enum {
    WB_FILETYPE_UNKNOWN = 0,
    WB_FILETYPE_BLOCK_DEVICE = 1,
    WB_FILETYPE_CHARACTER_DEVICE = 2,
    WB_FILETYPE_DIRECTORY = 3,
    WB_FILETYPE_REGULAR_FILE = 4,
    WB_FILETYPE_SOCKET_DGRAM = 5,
    WB_FILETYPE_SOCKET_STREAM = 6,
    WB_FILETYPE_SYMBOLIC_LINK = 7,
    WB_FILETYPE_COUNT = 8
};

/* ---- whence -------------------------------------------------------------- */

typedef uint8_t wb_whence;

enum {
    WB_WHENCE_SET = 0,
    WB_WHENCE_CUR = 1,
    WB_WHENCE_END = 2,
    WB_WHENCE_COUNT = 3
};

/* ---- advice -------------------------------------------------------------- */

typedef uint8_t wb_advice;

enum {
    WB_ADVICE_NORMAL = 0,
    WB_ADVICE_SEQUENTIAL = 1,
    WB_ADVICE_RANDOM = 2,
    WB_ADVICE_WILLNEED = 3,
    WB_ADVICE_DONTNEED = 4,
    WB_ADVICE_NOREUSE = 5,
    WB_ADVICE_COUNT = 6
};

/* ---- fdflags ------------------------------------------------------------- */

/* How a descriptor behaves. */
typedef uint16_t wb_fdflags;

enum {
    WB_FDFLAGS_APPEND = 1,
    WB_FDFLAGS_DSYNC = 2,
    WB_FDFLAGS_NONBLOCK = 4,
    WB_FDFLAGS_RSYNC = 8,
    WB_FDFLAGS_SYNC = 16,
    WB_FDFLAGS_ALL = 31
};

/* ---- fstflags ------------------------------------------------------------ */

/* Which times to set, and whether to the current time. */
typedef uint16_t wb_fstflags;

enum {
    WB_FSTFLAGS_ATIM = 1,
    WB_FSTFLAGS_ATIM_NOW = 2,
    WB_FSTFLAGS_MTIM = 4,
    WB_FSTFLAGS_MTIM_NOW = 8,
    WB_FSTFLAGS_ALL = 15
};

/* ---- lookupflags --------------------------------------------------------- */

/* Whether a link that a path ends in is followed. */
typedef uint32_t wb_lookupflags;

enum {
    WB_LOOKUPFLAGS_SYMLINK_FOLLOW = 1,
    WB_LOOKUPFLAGS_ALL = 1
};

/* ---- oflags -------------------------------------------------------------- */

/* How path_open opens. */
typedef uint16_t wb_oflags;

enum {
    WB_OFLAGS_CREAT = 1,
    WB_OFLAGS_DIRECTORY = 2,
    WB_OFLAGS_EXCL = 4,
    WB_OFLAGS_TRUNC = 8,
    WB_OFLAGS_ALL = 15
};

/* ---- event types --------------------------------------------------------- */

/* The tag of a subscription and of its event. */
typedef uint8_t wb_eventtype;

enum {
    WB_EVENTTYPE_CLOCK = 0,
    WB_EVENTTYPE_FD_READ = 1,
    WB_EVENTTYPE_FD_WRITE = 2,
    WB_EVENTTYPE_COUNT = 3
};

/* ---- eventrwflags -------------------------------------------------------- */

typedef uint16_t wb_eventrwflags;

enum {
    WB_EVENTRWFLAGS_FD_READWRITE_HANGUP = 1,
    WB_EVENTRWFLAGS_ALL = 1
};

/* ---- subclockflags ------------------------------------------------------- */

/* ABSTIME: the timeout is a point in time, not a duration. */
typedef uint16_t wb_subclockflags;

enum {
    WB_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME = 1,
    WB_SUBCLOCKFLAGS_ALL = 1
};

/* ---- signals ------------------------------------------------------------- */

typedef uint8_t wb_signal;

enum {
    WB_SIGNAL_NONE = 0,
    WB_SIGNAL_HUP = 1,
    WB_SIGNAL_INT = 2,
    WB_SIGNAL_QUIT = 3,
    WB_SIGNAL_ILL = 4,
    WB_SIGNAL_TRAP = 5,
    WB_SIGNAL_ABRT = 6,
    WB_SIGNAL_BUS = 7,
    WB_SIGNAL_FPE = 8,
    WB_SIGNAL_KILL = 9,
    WB_SIGNAL_USR1 = 10,
    WB_SIGNAL_SEGV = 11,
    WB_SIGNAL_USR2 = 12,
    WB_SIGNAL_PIPE = 13,
    WB_SIGNAL_ALRM = 14,
    WB_SIGNAL_TERM = 15,
    WB_SIGNAL_CHLD = 16,
    WB_SIGNAL_CONT = 17,
    WB_SIGNAL_STOP = 18,
    WB_SIGNAL_TSTP = 19,
    WB_SIGNAL_TTIN = 20,
    WB_SIGNAL_TTOU = 21,
    WB_SIGNAL_URG = 22,
    WB_SIGNAL_XCPU = 23,
    WB_SIGNAL_XFSZ = 24,
    WB_SIGNAL_VTALRM = 25,
    WB_SIGNAL_PROF = 26,
    WB_SIGNAL_WINCH = 27,
    WB_SIGNAL_POLL = 28,
    WB_SIGNAL_PWR = 29,
    WB_SIGNAL_SYS = 30,
    WB_SIGNAL_COUNT = 31
};

/* ---- riflags ------------------------------------------------------------- */

/* What sock_recv is asked. */
typedef uint16_t wb_riflags;

enum {
    WB_RIFLAGS_RECV_PEEK = 1,
    WB_RIFLAGS_RECV_WAITALL = 2,
    WB_RIFLAGS_ALL = 3
};

/* ---- roflags ------------------------------------------------------------- */

/* What sock_recv answers. */
typedef uint16_t wb_roflags;

enum {
    WB_ROFLAGS_RECV_DATA_TRUNCATED = 1,
    WB_ROFLAGS_ALL = 1
};

/* ---- sdflags ------------------------------------------------------------- */

/* Which halves of a connection sock_shutdown ends. */
typedef uint8_t wb_sdflags;

enum {
    WB_SDFLAGS_RD = 1,
    WB_SDFLAGS_WR = 2,
    WB_SDFLAGS_ALL = 3
};

/* ---- preopentype --------------------------------------------------------- */

typedef uint8_t wb_preopentype;

enum {
    WB_PREOPENTYPE_DIR = 0,
    WB_PREOPENTYPE_COUNT = 1
};

/* ---- structs ------------------------------------------------------------ */

/* A span of memory to fill. On POSIX systems it has the layout of struct iovec,
 * so an array of them can be handed to readv(2) as it is. */
struct wb_iovec {
    void *buf;
    size_t buf_len;
};
typedef struct wb_iovec wb_iovec;

/* A span of memory to read from; laid out like wb_iovec. */
struct wb_ciovec {
    const void *buf;
    size_t buf_len;
};
typedef struct wb_ciovec wb_ciovec;

/* What fd_fdstat_get answers. */
struct wb_fdstat {
    wb_rights fs_rights_base;       /* what may be done through the descriptor */
    wb_rights fs_rights_inheriting; /* what descriptors opened from it may get */
    wb_fdflags fs_flags;
    wb_filetype fs_filetype;
};
typedef struct wb_fdstat wb_fdstat;

/* What fd_filestat_get and path_filestat_get answer. A time that the system
 * does not keep is 0. */
struct wb_filestat {
    wb_device dev;
    wb_inode ino;
    wb_linkcount nlink;
    wb_filesize size; /* of a link: the length of its target */
    wb_timestamp atim;
    wb_timestamp mtim;
    wb_timestamp ctim;
    wb_filetype filetype;
};
typedef struct wb_filestat wb_filestat;

/* One entry of a directory; the name travels beside it. */
struct wb_dirent {
    wb_dircookie d_next; /* where the entry after this one is read */
    wb_inode d_ino;      /* 0 when unknown: guests then ask for each entry */
    uint32_t d_namlen;   /* bytes, without a terminator */
    wb_filetype d_type;  /* WB_FILETYPE_UNKNOWN when finding out costs a call */
};
typedef struct wb_dirent wb_dirent;

/* What fd_prestat_get answers. */
struct wb_prestat {
    uint32_t pr_name_len; /* bytes of the preopened directory's guest name */
    wb_preopentype tag;
};
typedef struct wb_prestat wb_prestat;

/* Wait until a clock shows a time. */
struct wb_subscription_clock {
    wb_timestamp timeout;
    wb_timestamp precision; /* how much later the guest tolerates */
    wb_clockid id;
    wb_subclockflags flags;
};
typedef struct wb_subscription_clock wb_subscription_clock;

/* One thing that poll_oneoff waits for. */
struct wb_subscription {
    wb_userdata userdata;
    union {
        wb_subscription_clock clock; /* type is WB_EVENTTYPE_CLOCK */
        wb_fd fd;                    /* WB_EVENTTYPE_FD_READ or _FD_WRITE */
    } u;
    wb_eventtype type;
};
typedef struct wb_subscription wb_subscription;

/* One thing that happened. nbytes and flags are 0 for a clock. */
struct wb_event {
    wb_userdata userdata; /* the subscription's */
    wb_filesize nbytes;   /* how much can be read or written now, at least */
    wb_errno error;       /* of this subscription alone */
    wb_eventrwflags flags;
    wb_eventtype type;
};
typedef struct wb_event wb_event;

#ifdef __cplusplus
}
#endif
#endif
