"""Checks the links between the documents: files, folders and anchors of the tree.

Links to the web are left alone.

Usage: links.py ROOT
"""

import os
import re
import sys

from headers import source_tree

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def without_code(text):
    text = _FENCE.sub(lambda match: re.sub(r"[^\n]", "", match.group()), text)
    return re.sub(r"`[^`\n]*`", lambda match: " " * len(match.group()), text)


def anchors(root, path):
    """The names that headings get, as GitHub and mkdocs make them."""
    result = set()
    for heading in re.findall(r"^#+ (.*)$", _FENCE.sub("", source_tree.read(root, path)), re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).strip()
        result.add(name.replace(" ", "-"))
    return result


def fault_of(root, path, target):
    """What is wrong with a link, or None."""
    if re.match(r"[a-z]+:", target):
        return None
    file, _, anchor = target.partition("#")
    aim = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
    if aim.startswith("..") or not os.path.exists(os.path.join(root, aim)):
        return f"{target}: there is no such file"
    if anchor and aim.endswith(".md") and anchor not in anchors(root, aim):
        return f"{target}: {aim} has no such heading"
    return None


def main(root):
    problems = []
    for path in source_tree.files(root, (".md",)):
        text = without_code(source_tree.read(root, path))
        for match in _LINK.finditer(text):
            fault = fault_of(root, path, match.group(1))
            if fault:
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{path}:{line}: {fault}")
    source_tree.report(problems, "links")


main(sys.argv[1])
