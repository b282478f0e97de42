"""Reads the public declarations of troupe's headers, with their doc comments.

This is no compiler: it knows the form in which this project writes headers (see CONTRIBUTING.md),
which is enough to tell what stands in a namespace or in a class's public part, and its name.
"""

import os
import re
import sys
from dataclasses import dataclass

sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lint"))
import source_tree  # noqa: E402  (of tools/lint)

_PRIVATE_NAMESPACES = {"detail", "internal"}
# Behind a skipped {...} these go on with the same declaration: initialisers, concepts, member lists.
_GOES_ON = ",;{)&|:"
_NO_NEW_NAME = re.compile(
    r"(friend|static_assert|extern template|using namespace|class|struct|union|enum|typedef)\b|[A-Z_]+\("
)
_DEFINED_OUTSIDE = re.compile(r"\w(<[\w, ]*>)?::(operator[^(]*|~?\w+) ?[({]")
_ACCESS = re.compile(r"\s*(public|protected|private)\s*:(?!:)")


@dataclass
class Declaration:
    """One declaration that users can see."""

    path: str  # the header
    line: int
    kind: str  # class, enum, enumerator, concept, alias, function, variable
    scope: str  # "troupe" or "troupe::Portal"
    name: str
    text: str  # without its body
    doc: str  # "" if there is none


def umbrella_headers(root):
    """The headers that troupe.h names, in its order."""
    return [name[len("troupe/") :] for _, _, name in source_tree.includes(root, "troupe.h")]


def reachable_headers(root):
    """Every header that troupe.h reaches: those that it names first, then the others."""
    found = list(umbrella_headers(root))
    for path in found:
        for _, bracket, name in source_tree.includes(root, path):
            below = name[len("troupe/") :]
            if bracket == '"' and below not in found:
                found.append(below)
    return found


def first_sentence(text):
    """Up to the first full stop that ends a sentence."""
    text = " ".join(text.split())
    match = re.search(r"[.?](?=\s+[A-Z`]|$)", text)
    return text[: match.end()] if match else text


class _Scanner:
    """Walks through one header. Comments are blanked; doc comments are kept by their lines."""

    def __init__(self, root, path):
        self.path = path
        self.docs = {}  # line of a `///` comment -> its text
        self.trailing = {}  # line of a `///<` comment -> its text
        self.code = self._blank(source_tree.read(root, path))
        self.found = []

    def _blank(self, source):
        lines = []
        open_trailing = 0  # the trailing comment that the line before belongs to
        for number, line in enumerate(source.splitlines(), start=1):
            stripped = line.strip()
            match = re.search(r"///<\s?(.*)$", line)
            if match:
                self.trailing[number] = match.group(1)
                line, open_trailing = line[: match.start()], number
            elif stripped.startswith("///"):
                text = stripped[3:].strip()
                # clang-format moves the rest of a trailing comment far to the right.
                if open_trailing and len(line) - len(line.lstrip()) > 6:
                    self.trailing[open_trailing] += " " + text
                else:
                    self.docs[number], open_trailing = text, 0
                line = ""
            else:
                open_trailing = 0
            lines.append("" if stripped.startswith("#") else self._without_comment(line))
        return "\n".join(lines)

    @staticmethod
    def _without_comment(line):
        """Drops `// ...` and what stands in literals, so that braces there do not count."""
        line = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
        line = re.sub(r"'(?:[^'\\]|\\.)'", "' '", line)
        return line.split("//")[0]

    def line_of(self, position):
        return self.code.count("\n", 0, position) + 1

    def skip(self, pattern, position, end):
        return re.compile(pattern).match(self.code, position, end).end()

    def closing(self, position):
        """Where the brace at `position` is closed."""
        depth = 0
        for match in re.compile(r"[{}]").finditer(self.code, position):
            depth += 1 if match.group() == "{" else -1
            if depth == 0:
                return match.start()
        sys.exit(f"{self.path}:{self.line_of(position)}: a brace that is not closed")

    def doc_of(self, begin, end):
        lines = []
        number = self.line_of(begin) - 1
        while number in self.docs:
            lines.insert(0, self.docs[number])
            number -= 1
        own_lines = range(self.line_of(begin), self.line_of(end) + 1)
        lines += [self.trailing[number] for number in own_lines if number in self.trailing]
        return " ".join(lines)

    def add(self, kind, scope, name, begin, end):
        text = " ".join(self.code[begin:end].split())
        doc = self.doc_of(begin, end)
        line = self.line_of(begin)
        self.found.append(Declaration(self.path, line, kind, scope, name, text, doc))

    def scan(self, begin, end, scope, visible=True):
        """Reads the declarations between two positions, in a namespace or a class."""
        position = begin
        while position < end:
            label = _ACCESS.match(self.code, position, end)
            if label:
                visible, position = label.group(1) == "public", label.end()
                continue
            position = self.skip(r"[\s;}]*", position, end)
            if position < end and not _ACCESS.match(self.code, position, end):
                position = self.declaration(position, end, scope, visible)

    def declaration(self, start, end, scope, visible):
        """Reads one declaration, and says where the next one begins."""
        position = start
        while position < end:
            position = self.skip(r"[^;{]*", position, end)
            head = " ".join(self.code[start:position].split())
            if position >= end or self.code[position] == ";":
                self.simple(head, scope, start, position, visible)
                return position + 1
            close = self.closing(position)
            if self.block(head, scope, start, position, close, visible):
                return close + 1
            behind = self.skip(r"\s*", close + 1, end)
            goes_on = behind < end and self.code[behind] in _GOES_ON
            if not goes_on and not re.search(r"requires\s*(\([^{}]*\))?$", head):
                self.simple(head, scope, start, position, visible)
                return close + 1
            position = close + 1
        return end

    def block(self, head, scope, start, body, close, visible):
        """Namespaces, classes and enumerations, which have declarations inside."""
        match = re.match(r"(?:inline )?namespace ([\w:]*)$", head)
        if match:
            if match.group(1) and match.group(1).split("::")[-1] not in _PRIVATE_NAMESPACES:
                self.scan(body + 1, close, "::".join(filter(None, [scope, match.group(1)])))
            return True
        plain = without_template(head)
        match = re.match(r"enum(?: class| struct)? (\w+)", plain)
        if match and visible:
            self.add("enum", scope, match.group(1), start, body)
            self.enumerators(f"{scope}::{match.group(1)}", body + 1, close)
            return True
        match = re.match(r"(class|struct|union) (?:\[\[\w+\]\] )?(\w+)(?: final)?(?: ?:[^:].*)?$", plain)
        if match and visible:
            self.add("class", scope, match.group(2), start, body)
            self.scan(body + 1, close, f"{scope}::{match.group(2)}", match.group(1) != "class")
        return bool(re.match(r"(enum|class|struct|union) ", plain))

    def enumerators(self, scope, begin, end):
        for match in re.compile(r"(\w+)\s*(=[^,]*)?(,|\s*$)").finditer(self.code, begin, end):
            self.add("enumerator", scope, match.group(1), match.start(1), match.end())

    def simple(self, head, scope, start, end, visible):
        plain = without_template(head)
        unnamed = re.search(r"= (delete|default)$", plain) or " override" in plain
        if not visible or not plain or _NO_NEW_NAME.match(plain) or unnamed:
            return
        match = re.match(r"(using|concept) (\w+) =", plain)
        if match:
            kind = "alias" if match.group(1) == "using" else "concept"
            self.add(kind, scope, match.group(2), start, end)
            return
        match = re.match(r"using [\w:<>, ]*?(\w+)$", plain)
        if match:
            if scope == "troupe":  # in a class: what its base documents
                self.add("alias", scope, match.group(1), start, end)
            return
        if _DEFINED_OUTSIDE.search(plain.split("=")[0] + "{"):
            return  # a member's definition, outside of its class
        kind, name = kind_and_name(plain)
        if name and not name.startswith("~"):
            self.add(kind, scope, name, start, end)


def without_template(head):
    """Drops `template <...>` in front; nothing is left of a full specialisation."""
    if head.startswith("template <>"):
        return ""
    while head.startswith("template"):
        depth = 0
        for index, letter in enumerate(head):
            depth += {"<": 1, ">": -1}.get(letter, 0)
            if letter == ">" and depth == 0:
                break
        head = head[index + 1 :].strip()
    return head


def kind_and_name(plain):
    """Kind and name of a function or variable, which stands before its parameters or value."""
    match = re.search(r"\boperator\s*(\(\)|[^\s(]+|\s\w+)\s*\(", plain)
    if match:
        return "function", "operator" + match.group(1).strip()
    # What stands in <...> is no name, and what stands behind decltype and its like neither.
    depth, flat = 0, []
    for letter in plain.replace("->", "  "):
        depth -= letter == ">" and depth > 0
        flat.append(letter if depth == 0 and letter not in "<>" else " ")
        depth += letter == "<"
    text = re.sub(r"\b(decltype|noexcept|requires|explicit|alignas)\s*\(", r"\1 ", "".join(flat))
    function = re.search(r"(~?\w+)\s*\(", text)
    variable = re.search(r"(\w+)(?:\s*\[[^\]]*\])?\s*(=|$|\{)", text)
    if function and not (variable and "=" in text[: function.start()]):
        return "function", function.group(1)
    return ("variable", variable.group(1)) if variable else ("", None)


def declarations(root, path):
    """What users can see of one header, in its order."""
    scanner = _Scanner(root, path)
    scanner.scan(0, len(scanner.code), "")
    return [found for found in scanner.found if found.scope.startswith("troupe")]
