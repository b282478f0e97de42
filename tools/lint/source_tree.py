"""What the lints share: walking the source tree, reading #includes and BUILD files."""

import ast
import os
import re
import sys

# Not part of the sources: links, tools, other workspaces' outputs.
_SKIPPED_FOLDERS = {".git", ".cache", ".clwb", ".idea", ".vscode", "node_modules", "__pycache__"}

# Workspaces of their own, which use troupe as anybody else does.
CONSUMERS = ("examples/consumer_template/", "tests/consumer/")

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def files(root, suffixes=None):
    """Paths of all source files below `root`, relative to it, sorted; links are left out."""
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(
            name
            for name in subfolders
            if name not in _SKIPPED_FOLDERS and not os.path.islink(os.path.join(folder, name))
        )
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or (suffixes and not name.endswith(suffixes)):
                continue
            found.append(os.path.relpath(path, root))
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def includes(root, path):
    """(line number, '<' or '"', included name) of each #include in a C++ file."""
    result = []
    for number, line in enumerate(read(root, path).splitlines(), start=1):
        match = _INCLUDE.match(line)
        if match:
            result.append((number, match.group(1), match.group(2)))
    return result


def _literals(node):
    """String literals below a node of a BUILD file's syntax, but for what a glob excludes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.keyword) and child.arg == "exclude"):
            yield from _literals(child)


def _excluded(node, lists):
    """What the globs below a node exclude; `lists` are the file's own lists, by name."""
    for keyword in (child for child in ast.walk(node) if isinstance(child, ast.keyword)):
        if keyword.arg != "exclude":
            continue
        if isinstance(keyword.value, ast.Name):
            yield from lists.get(keyword.value.id, [])
        else:
            yield from (value for _, value in _literals(keyword.value))


def build_targets(root, path):
    """The calls of a BUILD file: (line, rule name, {attribute: its string literals}).

    BUILD files are written in a subset of Python's syntax, so Python's parser reads them.
    """
    targets = []
    module = ast.parse(read(root, path), filename=path)
    lists = {
        statement.targets[0].id: [value for _, value in _literals(statement.value)]
        for statement in module.body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        attributes = {}
        for keyword in node.keywords:
            attributes[keyword.arg] = list(_literals(keyword.value))
        attributes["exclude"] = list(_excluded(node, lists))
        targets.append((node.lineno, node.func.id, attributes))
    return targets


def comprehended(root, path, rule):
    """The strings of the lists that a BUILD file goes through to call `rule` for each."""
    for node in ast.walk(ast.parse(read(root, path), filename=path)):
        if isinstance(node, ast.ListComp) and getattr(node.elt, "func", None) is not None:
            if node.elt.func.id == rule:
                for generator in node.generators:
                    yield from (value for _, value in _literals(generator.iter))


def report(problems, subject):
    """Prints the problems, one a line, and ends the program."""
    for problem in problems:
        print(problem)
    if problems:
        print(f"{subject}: {len(problems)} problem(s)")
        sys.exit(1)
    print(f"{subject}: fine")
