"""What pyproject.toml cannot say: the compiled module, and the C sources as data.

SPDX-License-Identifier: MIT
"""

import os
import sysconfig
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent

# What wasi_backing.get_source() has in an installed package: all that an embedder
# or the author of a backing compiles.
SOURCES = ["csrc", "impl_minimal", "impl_memory", "impl_uvwasi", "kit"]
SUFFIXES = {".c", ".h", ".def", ".md"}

# What the uvwasi backing is compiled from, with its licences. UVWASI_DIR is copied
# to build/ by wasi_backing/_ffi_build.py.
if os.environ.get("WASI_BACKING_UVWASI") != "off":
    SOURCES += ["vendor/libuv"]
    SOURCES += ["build/uvwasi" if os.environ.get("UVWASI_DIR") else "vendor/uvwasi"]


class BuildPythonAndSources(build_py):
    """Put the C headers and sources beside the Python files."""

    def _sources(self):
        """Yield each source and its place in the built package."""
        target = Path(self.build_lib) / "wasi_backing" / "_source"
        for folder in SOURCES:
            for path in sorted((ROOT / folder).rglob("*")):
                if path.suffix in SUFFIXES or path.name.startswith("LICENSE"):
                    yield path, target / path.relative_to(ROOT)

    def run(self):
        super().run()
        if self.editable_mode:
            return  # the checkout has them
        for source, target in self._sources():
            self.mkpath(str(target.parent))
            self.copy_file(str(source), str(target))

    def get_outputs(self, include_bytecode=True):
        outputs = super().get_outputs(include_bytecode)
        if self.editable_mode:
            return outputs
        return [*outputs, *(str(target) for _, target in self._sources())]


wheel = (
    {} if sysconfig.get_config_var("Py_GIL_DISABLED") else {"py_limited_api": "cp310"}
)

setup(
    cffi_modules=["wasi_backing/_ffi_build.py:ffibuilder"],
    cmdclass={"build_py": BuildPythonAndSources},
    options={"bdist_wheel": wheel},
)
