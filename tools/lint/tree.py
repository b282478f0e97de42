"""Checks the shape of the source tree.

* The top-level folders are those of docs/design.md and no others.
* //tests collects the suites of every package that has tests.
* No file mentions a path of somebody's machine; build files and scripts name no web address.

Usage: tree.py ROOT
"""

import os
import re
import sys

import source_tree

_TOP_LEVEL = {
    "discovery",
    "docs",
    "examples",
    "ipc",
    "runtime",
    "spawn",
    "tests",
    "tools",
}

# Written in pieces, so that this file does not mention them.
_MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(?:" + "|".join(["home", "root", "Users", "work"]) + r")/\w")
_WEB_ADDRESS = re.compile(r"\bhttps?" + r"://", re.IGNORECASE)
_SCRIPTS = (".bazel", ".bzl", ".bazelrc", ".py", ".sh", ".js", "WORKSPACE")


def check_folders(root, problems):
    there = {
        name
        for name in os.listdir(root)
        if os.path.isdir(os.path.join(root, name))
        and not os.path.islink(os.path.join(root, name))
        and not name.startswith(".")
        and name != "node_modules"
    }
    for name in sorted(there - _TOP_LEVEL):
        problems.append(f"{name}/: no such top-level folder is planned; see docs/design.md")
    for name in sorted(_TOP_LEVEL - there):
        problems.append(f"{name}/: this top-level folder is missing")


def check_suites(root, problems):
    """A package with tests that //tests does not name would be run by `//...` alone."""
    collected = source_tree.read(root, "tests/BUILD.bazel")
    for path in source_tree.files(root, ("BUILD.bazel",)):
        folder = path.rpartition("/")[0]
        if not folder.startswith(("tests/", "examples", "tools/")) or path.startswith(source_tree.CONSUMERS):
            continue
        rules = {rule for _, rule, _ in source_tree.build_targets(root, path)}
        if rules & {"troupe_cc_test", "troupe_example", "package_suites"}:
            if f'"//{folder}"' not in collected:
                problems.append(f"tests/BUILD.bazel: the tests of //{folder} are in none of its suites")


def is_script(root, path):
    if path.endswith(_SCRIPTS):
        return True
    with open(os.path.join(root, path), "rb") as file:
        return file.read(2) == b"#!"


def check_mentions(root, problems):
    this_tree = re.compile(r"(?<![\w./-])" + re.escape(root) + r"(?![\w-])")
    for path in source_tree.files(root):
        script = is_script(root, path)
        for number, line in enumerate(source_tree.read(root, path).splitlines(), start=1):
            if _MACHINE_PATHS.search(line) or this_tree.search(line):
                problems.append(f"{path}:{number}: a path of somebody's machine")
            if script and _WEB_ADDRESS.search(line):
                problems.append(f"{path}:{number}: a web address in a script or build file")


def main(root):
    problems = []
    check_folders(root, problems)
    check_suites(root, problems)
    check_mentions(root, problems)
    source_tree.report(problems, "tree")


main(sys.argv[1])
