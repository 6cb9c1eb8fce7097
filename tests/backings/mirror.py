"""A DictBacking whose files are on the host at the same time.

SPDX-License-Identifier: MIT
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wasi_backing import DictBacking, Preopen
from wasi_backing.nodes import Directory, File, Node, Symlink


class Mirror:
    """Keeps the files of a DictBacking and folders of the host alike.

    The tests prepare files on the host and look at them there; this takes what they
    did into the tree before a call, and what the call did out of it.
    """

    CHANGING = frozenset(
        {
            *("fd_allocate", "fd_filestat_set_size", "fd_filestat_set_times"),
            *("fd_pwrite", "fd_write", "path_create_directory", "path_link"),
            *("path_filestat_set_times", "path_open", "path_remove_directory"),
            *("path_rename", "path_symlink", "path_unlink_file"),
        }
    )

    def __init__(self, preopens: Mapping[str, Any]) -> None:
        self.backing = DictBacking()
        self.backing._whole = ()
        self.preopens: dict[str, Preopen] = {}
        self._roots: list[tuple[Path, Directory]] = []
        self._seen: dict[Path, int] = {}
        for number, (name, given) in enumerate(preopens.items()):
            preopen = given if isinstance(given, Preopen) else Preopen(given)
            root = Directory()
            self.backing.root.add(str(number), root)
            self.preopens[name] = Preopen(str(number), preopen.read_only)
            self._roots.append((Path(os.fsdecode(preopen.path)), root))

    def take_in(self) -> None:
        """Make the tree like the host, if anything was done there."""
        if self._seen and all(
            self._time(path) == at for path, at in self._seen.items()
        ):
            return
        nodes: dict[int, Node] = {}
        for _, root in self._roots:
            self._collect(root, nodes)
        for path, root in self._roots:
            root.ino = path.stat().st_ino
            self._take_in(path, root, nodes)
        self._look()

    def give_out(self) -> None:
        """Make the host like the tree."""
        made: dict[int, Path] = {}
        for path, root in self._roots:
            self._give_out(path, root, made)
        self._look()

    def _look(self) -> None:
        self._seen = {
            Path(folder): self._time(Path(folder))
            for path, _ in self._roots
            for folder, *_ in os.walk(path)
        }

    @staticmethod
    def _time(path: Path) -> int:
        try:
            return path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _collect(self, directory: Directory, nodes: dict[int, Node]) -> None:
        for _, node in directory.items():
            nodes[node.ino] = node
            if isinstance(node, Directory):
                self._collect(node, nodes)

    def _take_in(self, path: Path, into: Directory, nodes: dict[int, Node]) -> None:
        there = {entry.name: entry for entry in os.scandir(path)}
        for name, _ in list(into.items()):
            if name not in there:
                into.remove(name)
        for name, entry in sorted(there.items()):
            node = into.get(name)
            if node is None or node.ino != entry.inode():
                node = nodes.get(entry.inode()) or self._read(entry)
                node.ino = entry.inode()
                nodes[node.ino] = node
                into.add(name, node)
            if isinstance(node, Directory):
                self._take_in(Path(entry.path), node, nodes)

    @staticmethod
    def _read(entry: os.DirEntry[str]) -> Node:
        if entry.is_symlink():
            return Symlink(os.readlink(entry.path))
        return Directory() if entry.is_dir() else File(Path(entry.path).read_bytes())

    def _give_out(self, path: Path, tree: Directory, made: dict[int, Path]) -> None:
        there = {entry.name: entry for entry in os.scandir(path)}
        wanted = dict(tree.items())
        for name, entry in there.items():
            node = wanted.get(name)
            if node is None or node.ino != entry.inode():
                self._remove(Path(entry.path))
        for name, node in wanted.items():
            self._make(path / name, node, made)

    @staticmethod
    def _remove(path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            for below in path.iterdir():
                Mirror._remove(below)
            path.rmdir()
        else:
            path.unlink()

    def _make(self, path: Path, node: Node, made: dict[int, Path]) -> None:
        fresh = not os.path.lexists(path)
        if fresh and node.ino in made:
            os.link(made[node.ino], path, follow_symlinks=False)
            return
        if isinstance(node, Directory):
            if fresh:
                path.mkdir()
            self._give_out(path, node, made)
        elif isinstance(node, Symlink) and fresh:
            path.symlink_to(node.target)
        elif isinstance(node, File) and (fresh or path.read_bytes() != node.data):
            path.write_bytes(node.data)
        if fresh:
            node.ino = path.lstat().st_ino
        made[node.ino] = path
        os.utime(path, ns=(node.atim, node.mtim), follow_symlinks=False)
