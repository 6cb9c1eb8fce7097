# SPDX-License-Identifier: MIT
"""The benchmark: what a guest's WASI calls cost, side by side (`make bench`)."""
