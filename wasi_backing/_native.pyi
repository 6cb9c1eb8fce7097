# The compiled module, of which cffi tells no types.
from typing import Any

ffi: Any
lib: Any
