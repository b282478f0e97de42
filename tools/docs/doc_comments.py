"""Counts the public declarations that have a doc comment; all must have one.

Public is what stands in namespace troupe, outside of `detail`, in a header that troupe.h reaches.
One comment is enough for several overloads. Without one may be what says nothing of its own: the
names that the standard library and cereal ask for, operators, and constructors.

Usage: doc_comments.py ROOT
"""

import re
import sys

import headers
from headers import source_tree

_ASKED_FOR = re.compile(
    r"operator|Iterator$|value_type|difference_type|reference$|pointer$|iterator_|is_loading|is_saving"
    r"|serialize$|CEREAL_"
)


def needs_comment(declaration):
    constructor = declaration.name == declaration.scope.split("::")[-1]
    return not constructor and not _ASKED_FOR.match(declaration.name)


def main(root):
    problems, documented = [], 0
    for path in headers.reachable_headers(root):
        found = [item for item in headers.declarations(root, path) if needs_comment(item)]
        with_comment = {(item.scope, item.name) for item in found if item.doc}
        for item in found:
            if (item.scope, item.name) in with_comment:
                documented += 1
            else:
                problems.append(f"{path}:{item.line}: {item.scope}::{item.name} has no doc comment")
    print(f"doc_comments: {documented} of {documented + len(problems)} public declarations have one")
    source_tree.report(problems, "doc_comments")


main(sys.argv[1])
