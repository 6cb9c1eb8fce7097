"""Describe the compiled module `wasi_backing._native` to cffi.

`setup.py` names `ffibuilder` in `cffi_modules`. What Python sees of the C code is
cut from the C headers with the C preprocessor, so nothing is declared twice.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from cffi import FFI

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import uvwasi_source  # noqa: E402

# The headers that Python works with.
HEADERS = [
    "wasi_backing/layer.h",
    "host/errno_host.h",
    "host/sigint.h",
    "engines/wasmtime.h",
]

# The folders whose C files make up the module, besides those of the backings.
FOLDERS = [
    "csrc/layer",
    "csrc/host",
    "csrc/engines",
]

INCLUDE = ["csrc/include", "csrc"]

# The backings that are compiled in: where they are, and their C prefix, whose
# table is `<prefix>_backing`.
BACKINGS = [
    ("impl_minimal", "min"),
    ("impl_memory", "mem"),
]

FLAGS = ["-std=gnu11", "-O2", "-fvisibility=hidden"]

# libuv exports its functions whatever the flags say; ours must not be mistaken for
# those of another libuv in the process.
LINK_FLAGS = ["-Wl,-Bsymbolic"]


def compiler() -> list[str]:
    """Name the C compiler that setuptools is going to use."""
    name = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    return shlex.split(name)


def across_files() -> list[str]:
    """Ask the compiler to optimise across files, if it can.

    A call passes through the glue, the layer and the backing, which lie in files of
    their own: an empty one takes 4.3 ns so, and 5.4 without.
    """
    flags = ["-flto=auto"]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.c"
        source.write_text("int probe(void) { return 0; }\n")
        command = [*compiler(), *flags, "-shared", "-fPIC", str(source)]
        probe = subprocess.run(
            [*command, "-o", f"{source}.so"], capture_output=True, check=False
        )
    return [] if probe.returncode else flags


ACROSS_FILES = across_files()


def find_uvwasi() -> uvwasi_source.Build | None:
    """Find what the uvwasi backing is built from, and say so when there is none."""
    try:
        build = uvwasi_source.find_build()
    except uvwasi_source.SourceError as error:
        sys.exit(f"uvwasi: {error}")
    if build is None and os.environ.get("WASI_BACKING_UVWASI") != "off":
        print(
            "building without the uvwasi backing: its source is not here "
            "(make vendor fetches it)",
            file=sys.stderr,
        )
    return build


UVWASI = find_uvwasi()
if UVWASI:
    BACKINGS.append(("impl_uvwasi", "uvw"))


def sources() -> list[str]:
    """Name the C files, relative to the root as setuptools wants them."""
    folders = FOLDERS + [folder for folder, _ in BACKINGS]
    ours = sorted(
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).glob("*.c")
    )
    return ours + (UVWASI.sources if UVWASI else [])


def preprocess(*options: str) -> str:
    """Run the C preprocessor over HEADERS, without any system header."""
    with tempfile.TemporaryDirectory() as stubs:
        # cffi knows what these two define.
        for name in ("stddef.h", "stdint.h"):
            (Path(stubs) / name).touch()
        include = [stubs, *(str(ROOT / folder) for folder in INCLUDE)]
        command = [
            *compiler(),
            *("-E", "-P", "-nostdinc", *options),
            *(f"-I{folder}" for folder in include),
            *("-x", "c", "-"),
        ]
        return subprocess.run(
            command,
            input="".join(f'#include "{header}"\n' for header in HEADERS),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout


def declarations() -> str:
    """Cut what Python may use out of HEADERS."""
    text = preprocess()
    # Exported by a backing in a shared library, not by us.
    text = re.sub(r"const struct wb_backing \*wb_backing_entry\([^)]*\);", "", text)
    # Numbers: the compiler supplies the values.
    constants = re.findall(
        r"^#define (WB_[A-Z0-9_]+) (?:0x)?[0-9A-Fa-f]+u?$",
        preprocess("-dM"),
        re.MULTILINE,
    )
    text += "".join(f"#define {name} ...\n" for name in sorted(constants))
    text += "extern const struct wb_backing *const wb_builtin_backings[];\n"
    return text + callbacks(text)


def callbacks(text: str) -> str:
    """Declare what `_trampolines.py` defines: a function for each slot, and more."""
    slots = re.findall(r"typedef uint16_t wb_(\w+)_fn\((.*?)\);", text, re.DOTALL)
    lines = [
        "uint16_t py_context_init(const struct wb_options *, void **);",
        "void py_context_destroy(void *);",
        "uint16_t py_wrap(void *, const struct wb_pairs *);",
        "uint16_t py_stream_read(void *, void *, size_t, uint32_t, size_t *);",
        "uint16_t py_stream_write(void *, const void *, size_t, uint32_t, size_t *);",
        "uint16_t py_string_sink_add(struct wb_string_sink *, const char *, size_t);",
        "uint16_t py_dirent_sink_add("
        "struct wb_dirent_sink *, const wb_dirent *, const char *);",
        "uint16_t py_event_sink_add(struct wb_event_sink *, const wb_event *);",
        *(f"uint16_t py_{name}({parameters});" for name, parameters in slots),
    ]
    return 'extern "Python" {\n' + "\n".join(lines) + "\n}\n"


def preamble() -> str:
    """Write the C code at the head of the module: the built-in backings."""
    tables = [f"{prefix}_backing" for _, prefix in BACKINGS]
    return "\n".join(
        [
            *(f'#include "{header}"' for header in HEADERS),
            *(f"extern const struct wb_backing {table};" for table in tables),
            "static const struct wb_backing *const wb_builtin_backings[] = {",
            *(f"    &{table}," for table in tables),
            "    NULL",
            "};",
        ]
    )


ffibuilder = FFI()
ffibuilder.cdef(declarations())
ffibuilder.set_source(
    "wasi_backing._native",
    preamble(),
    sources=sources(),
    include_dirs=[
        str(ROOT / folder)
        for folder in INCLUDE + (UVWASI.include_dirs if UVWASI else [])
    ],
    define_macros=[("_GNU_SOURCE", ""), *([("WB_WITH_UVWASI", "1")] if UVWASI else [])],
    libraries=UVWASI.libraries if UVWASI else [],
    extra_compile_args=FLAGS + ACROSS_FILES,
    extra_link_args=LINK_FLAGS + ACROSS_FILES,
    # One wheel serves every version of Python, except free-threaded ones.
    py_limited_api=not sysconfig.get_config_var("Py_GIL_DISABLED"),
)

if __name__ == "__main__":
    ffibuilder.compile(verbose=True)
