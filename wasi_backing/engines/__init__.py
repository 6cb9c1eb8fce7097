"""What runs guests: engines, and a plain buffer in place of one.

SPDX-License-Identifier: MIT
"""
