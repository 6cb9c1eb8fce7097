"""What pyproject.toml cannot say: the compiled module.

SPDX-License-Identifier: MIT
"""

import sysconfig

from setuptools import setup

wheel = {} if sysconfig.get_config_var("Py_GIL_DISABLED") else {"py_limited_api": "cp310"}

setup(
    cffi_modules=["wasi_backing/_ffi_build.py:ffibuilder"],
    options={"bdist_wheel": wheel},
)
