"""Makes docs/reference.md from the headers that troupe.h names: each public name, in one line.

Usage: reference.py ROOT [--fix]
"""

import re
import sys

import generated
import headers
from headers import source_tree

_HEAD = """# Reference

Every public name, with the first sentence of its comment; the headers have the rest. Made by
`tools/docs/reference.py` from the headers that `troupe/troupe.h` names, in its order. Everything is in `namespace troupe`.
"""


def sections(root):
    """(title, headers) as troupe.h groups its includes."""
    result = []
    for line in source_tree.read(root, "troupe.h").splitlines():
        include = re.match(r'#include "troupe/(.*)"', line)
        if include:
            result[-1][1].append(include.group(1))
        elif line.startswith("// ") and "SPDX" not in line:
            result.append((line[3:], []))
    return [(title, names) for title, names in result if names]


def entries(root, path):
    """One line for each name of a header; overloads share one, members are indented."""
    found = headers.declarations(root, path)
    lines = {}
    for item in found:
        constructor = item.name == item.scope.split("::")[-1]
        if constructor or item.name.startswith("operator") or not item.doc:
            continue
        depth = item.scope.count("::") - item.scope.count("troupe::log") - item.scope.count("troupe::testing")
        name = item.name if depth else f"{item.scope}::{item.name}"[len("troupe::") :]
        mark = f"**`{name}`**" if depth == 0 else f"`{name}`"
        text = headers.first_sentence(item.doc)
        lines.setdefault((item.scope, item.name), f"{'    ' * depth}- {mark}: {text}")
    return list(lines.values())


def main(root, fix):
    parts = [_HEAD]
    for title, paths in sections(root):
        parts.append(f"\n## {title}\n")
        for path in paths:
            lines = entries(root, path)
            if lines:
                parts.append(f"\n`{path}`\n\n" + "\n".join(lines) + "\n")
    wanted = {"docs/reference.md": "".join(parts)}
    source_tree.report(generated.keep(root, wanted, fix, "tools/docs/fix"), "reference")


main(sys.argv[1], "--fix" in sys.argv)
