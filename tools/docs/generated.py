"""Files that a script makes and that are committed all the same, so that readers need no script."""

import os

from headers import source_tree


def keep(root, wanted, fix, command):
    """Compares `wanted`, path -> text, with the files; writes them if `fix`. Gives the problems."""
    problems = []
    for path, text in wanted.items():
        full = os.path.join(root, path)
        if os.path.exists(full) and source_tree.read(root, path) == text:
            continue
        if fix:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        else:
            problems.append(f"{path}: is out of date: run `{command}` and commit what it writes")
    return problems
