"""Checks the form of C++ files and of their #includes.

* The first line is the licence's SPDX line; headers have #pragma once.
* A quoted include is "troupe/<package>/<file>.h" and names a file of the tree.
* No header that users can reach includes a third-party library (cereal, in runtime/rpc, excepted):
  those cost seconds of compile time and leak macros. From troupe.h the expensive headers of the
  standard library are out as well.

Usage: includes.py ROOT
"""

import fnmatch
import re
import sys

import source_tree

_CODE_FOLDERS = ("runtime/", "ipc/", "spawn/", "discovery/")
_SPDX = "// SPDX-License-Identifier: Apache-2.0"
_THIRD_PARTY = re.compile(r"^(backtrace\.h|zmq\.hp*|zmq_addon\.hpp|glog/|gflags/|boost/|sodium\.h|sodium/)")
_EXPENSIVE = {"filesystem", "format", "iostream", "mutex", "ranges", "regex", "thread"}


def is_library_code(path):
    return path.startswith(_CODE_FOLDERS) or "/" not in path


def check_form(root, path, known, problems):
    lines = source_tree.read(root, path).splitlines()
    if not lines or lines[0] != _SPDX:
        problems.append(f"{path}:1: the first line must be `{_SPDX}`")
    if path.endswith(".h") and "#pragma once" not in lines:
        problems.append(f"{path}:1: a header needs `#pragma once`")
    for number, bracket, name in source_tree.includes(root, path):
        if bracket == "<" and name.startswith("troupe/"):
            problems.append(f'{path}:{number}: write "{name}" with quotes')
        if bracket != '"':
            continue
        if not name.startswith("troupe/"):
            problems.append(f'{path}:{number}: write "troupe/<package>/<file>.h", not "{name}"')
        elif name[len("troupe/") :] not in known:
            problems.append(f'{path}:{number}: "{name}" names no file of the tree')


def public_headers(root, build_files, known):
    """Headers of targets that everyone may use; `hdrs` may be names or a glob."""
    result = set()
    for path in build_files:
        folder = path.rpartition("/")[0]
        if not is_library_code(path):
            continue
        own = {name: name[len(folder) :].lstrip("/") for name in known if name.startswith(folder)}
        for _, _, attributes in source_tree.build_targets(root, path):
            visibility = [value for _, value in attributes.get("visibility", [])]
            if "//visibility:public" not in visibility:
                continue
            excluded = attributes["exclude"]
            for _, pattern in attributes.get("hdrs", []):
                result |= {
                    name
                    for name, short in own.items()
                    if fnmatch.fnmatch(short, pattern) and short not in excluded
                }
    return result


def reachable(root, start, known):
    """Header -> the header that includes it, for all headers reached from `start`."""
    reached = {path: None for path in sorted(start) if path in known}
    queue = list(reached)
    while queue:
        path = queue.pop()
        for _, bracket, name in source_tree.includes(root, path):
            next_path = name[len("troupe/") :]
            if bracket == '"' and next_path in known and next_path not in reached:
                reached[next_path] = path
                queue.append(next_path)
    return reached


def chain(reached, path):
    links = []
    while path:
        links.append(path)
        path = reached[path]
    return " <- ".join(links)


def check_third_party(root, reached, problems):
    for path in sorted(reached):
        for number, bracket, name in source_tree.includes(root, path):
            if bracket == "<" and _THIRD_PARTY.match(name):
                problems.append(
                    f"{path}:{number}: <{name}> must not be seen by users: move it to a .cc file "
                    f"(reached by {chain(reached, path)})"
                )


def check_expensive(root, reached, problems):
    for path in sorted(reached):
        for number, bracket, name in source_tree.includes(root, path):
            if bracket == "<" and name in _EXPENSIVE:
                problems.append(
                    f"{path}:{number}: <{name}> is too expensive for what troupe.h reaches "
                    f"(by {chain(reached, path)})"
                )


def main(root):
    code = source_tree.files(root, (".h", ".cc"))
    known = set(code)
    problems = []
    for path in code:
        # Consumers are somebody else's projects: they have include paths of their own.
        if not path.startswith(source_tree.CONSUMERS):
            check_form(root, path, known, problems)

    build_files = source_tree.files(root, ("BUILD.bazel",))
    users_see = public_headers(root, build_files, known) | {"troupe.h"}
    check_third_party(root, reachable(root, users_see, known), problems)
    check_expensive(root, reachable(root, {"troupe.h"}, known), problems)
    source_tree.report(problems, "includes")


main(sys.argv[1])
