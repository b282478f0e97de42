"""Checks that the documents quote code that is compiled.

A block of C++ in README.md and below docs/ must stand, line by line, in the file that the text
behind it names, as in "(`examples/logging.cc`.)", or else in any file of examples, tests or the
headers. Indentation and empty lines do not count.

Usage: quotes.py ROOT
"""

import re
import sys

from headers import source_tree

_BLOCK = re.compile(r"^```cpp\n(.*?)^```$\n*(.{0,120})", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"\(`([\w/.]+)`")


def lines_of(text):
    return "\n".join(["", *(line.strip() for line in text.splitlines() if line.strip()), ""])


def documents(root):
    paths = source_tree.files(root, (".md",))
    return [path for path in paths if path == "README.md" or path.startswith("docs/")]


def check(root, path, sources, problems):
    text = source_tree.read(root, path)
    for match in _BLOCK.finditer(text):
        block, behind = lines_of(match.group(1)), match.group(2)
        where = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
        named = _NAMED.match(behind.lstrip())
        if named and named.group(1) not in sources:
            problems.append(f"{where}: there is no {named.group(1)}")
        elif named and block not in sources[named.group(1)]:
            problems.append(f"{where}: this does not stand so in {named.group(1)}")
        elif not named and not any(block in source for source in sources.values()):
            problems.append(f"{where}: this code stands in no file that is compiled")


def main(root):
    compiled = source_tree.files(root, (".cc", ".h"))
    sources = {path: lines_of(source_tree.read(root, path)) for path in compiled}
    problems = []
    for path in documents(root):
        check(root, path, sources, problems)
    source_tree.report(problems, "quotes")


main(sys.argv[1])
