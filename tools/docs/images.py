"""Makes the diagrams of docs/images. The package graph is drawn from the deps of the BUILD files.

Usage: images.py ROOT [--fix]
"""

import sys

import generated
from headers import source_tree
from svg import Drawing


def actor_tree():
    picture = Drawing("A tree of actors: each is a process, each has tasks of its own", 640, 330)
    picture.box(320, 50, 200, ["root", "process 100: main, tasks"])
    for x, name, pid in [(150, "frank", 101), (490, "aggregator", 102)]:
        picture.arrow((320, 77), (x, 133), css="line")
        picture.box(x, 160, 200, [name, f"process {pid}: tasks"])
    for x, name, pid in [(400, "streamer_1", 103), (570, "streamer_2", 104)]:
        picture.arrow((490, 187), (x, 243))
        picture.box(x, 270, 130, [name, f"process {pid}"])
    picture.text(20, 24, "solid: starts, and waits for its end (a nursery)", "start", "small")
    picture.text(20, 310, "dashed: a portal; any actor may call any other", "start", "small")
    picture.arrow((252, 160), (388, 160), "portal", css="life")
    return picture.source()


def dialog():
    picture = Drawing("The dialog of a context, from open_context to its end", 640, 440)
    caller, callee = 150, 490
    picture.box(caller, 34, 200, ["opener's task"])
    picture.box(callee, 34, 200, ["callee's actor"])
    for x in (caller, callee):
        picture.arrow((x, 52), (x, 425), css="life", tip=False)
    steps = [
        (90, True, "start: function, arguments, credit"),
        (140, False, "started: the first word"),
        (190, True, "value (what credit allows)"),
        (225, False, "value"),
        (260, True, "credit: more values may come"),
        (310, True, "cancel (only if asked for)"),
        (345, False, "cancel acknowledged, by the runtime"),
        (395, False, "ret or error: exactly one"),
    ]
    for y, forth, words in steps:
        ends = [(caller, y), (callee, y)]
        picture.arrow(*(ends if forth else ends[::-1]), words)
    picture.text(caller - 8, 94, "open_context", "end", "small")
    picture.text(callee + 8, 108, "the function begins", "start", "small")
    picture.text(caller - 8, 158, "the body begins", "end", "small")
    picture.text(callee + 8, 399, "it has ended", "start", "small")
    picture.text(caller - 8, 413, "the block is left", "end", "small")
    return picture.source()


def error_propagation():
    picture = Drawing("An error leaves a one-shot, cancels its siblings, and arrives at the root", 640, 330)
    picture.box(320, 60, 240, ["root's nursery", "RemoteActorError leaves the block"], "bad")
    picture.box(110, 180, 150, ["worker_1", "cancelled, reaped"])
    picture.box(320, 180, 150, ["worker_2", "cancelled, reaped"])
    picture.box(530, 180, 150, ["worker_3", "its function fails"], "bad")
    picture.box(530, 285, 190, ["throw std::out_of_range"], "bad")
    picture.arrow((530, 267), (530, 208), css="red")
    picture.arrow((505, 153), (400, 88), css="red")
    picture.text(478, 118, "1. error, with its trace", "start", "small")
    picture.arrow((235, 88), (135, 152))
    picture.arrow((320, 88), (320, 152))
    picture.text(176, 114, "2. cancel", "end", "small")
    picture.text(20, 300, "3. all have ended; 4. the error goes on,", "start", "small")
    picture.text(20, 316, "as itself, to whoever opened the nursery", "start", "small")
    return picture.source()


_PACKAGES = {  # where each stands
    "": (320, 40),
    "discovery": (150, 120),
    "runtime/actor": (320, 190),
    "spawn": (530, 260),
    "runtime/rpc": (150, 270),
    "ipc": (320, 340),
    "runtime/fiber": (320, 420),
    "runtime/base": (320, 500),
}


def uses(root):
    """package -> the packages that the deps of its BUILD files name."""
    result = {package: set() for package in _PACKAGES}
    for path in source_tree.files(root, ("BUILD.bazel",)):
        folder = path.rpartition("/")[0]
        if folder not in result:
            continue
        for _, _, attributes in source_tree.build_targets(root, path):
            for _, label in attributes.get("deps", []):
                result[folder] |= {label[2:].split(":")[0]} & set(result) if label.startswith("//") else set()
        result[folder].discard(folder)
    return result


def direct(arrows):
    """Leaves out arrows to what is reached through another one: they would hide the picture."""

    def below(package):
        return set().union(*({used} | below(used) for used in arrows[package]), set())

    return {
        package: {used for used in sorted(named) if not any(used in below(other) for other in named)}
        for package, named in arrows.items()
    }


def packages(root):
    picture = Drawing("The packages, and which uses which", 640, 540)
    for package, used_packages in direct(uses(root)).items():
        x, y = _PACKAGES[package]
        for used in sorted(used_packages):
            to_x, to_y = _PACKAGES[used]
            picture.arrow((x, y + 17), (x + (to_x - x) * 0.85, to_y - 19))
    for package, (x, y) in _PACKAGES.items():
        picture.box(x, y, 150, [package or "//:troupe"])
    return picture.source()


def main(root, fix):
    wanted = {
        "docs/images/actor_tree.svg": actor_tree(),
        "docs/images/dialog.svg": dialog(),
        "docs/images/error_propagation.svg": error_propagation(),
        "docs/images/packages.svg": packages(root),
    }
    source_tree.report(generated.keep(root, wanted, fix, "tools/docs/fix"), "images")


main(sys.argv[1], "--fix" in sys.argv)
