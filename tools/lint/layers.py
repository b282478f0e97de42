"""Checks the arrows between packages: tools/lint/layers.bzl against BUILD files and #includes.

Usage: layers.py ROOT
"""

import ast
import sys

import source_tree

_THIRD_PARTY = "tools/bazel/third_party"

# What an include of the system says about the library that is used.
_LIBRARY_OF_INCLUDE = [
    ("backtrace.h", "backtrace"),
    ("boost/context/", "boost_context"),
    ("boost/", "boost_fiber"),
    ("cereal/", "cereal"),
    ("glog/", "glog"),
    ("gmock/", "gtest"),
    ("gtest/", "gtest"),
    ("sodium", "sodium"),
    ("zmq", "zmq"),
]

# Code of the project that is no layer: it may use every layer, and no layer may use it.
_TOP = ("examples", "tests", "tools")


def load_table(root):
    for node in ast.parse(source_tree.read(root, "tools/lint/layers.bzl")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "LAYERS":
            return ast.literal_eval(node.value)
    sys.exit("tools/lint/layers.bzl: no LAYERS there")


def check_table(table, problems):
    """The arrows must not form a circle, and must name packages that are there."""
    done, active = set(), []

    def visit(package):
        if package in active:
            problems.append("tools/lint/layers.bzl: a circle: " + " -> ".join(active + [package]))
        if package in done or package in active:
            return
        active.append(package)
        for used in table[package]["uses"]:
            if used in table:
                visit(used)
            else:
                problems.append(f"tools/lint/layers.bzl: {package} uses {used}, which is no layer")
        done.add(active.pop())

    for package in table:
        visit(package)


def layer_of(table, folder):
    """The layer that a folder belongs to, or None."""
    if folder == "":
        return ""
    while folder:
        if folder in table:
            return folder
        folder = folder.rpartition("/")[0]
    return None


def package_of_label(label, own_folder):
    """(folder, target) of a label, or None for a label of another repository."""
    if label.startswith("@"):
        return None
    if not label.startswith("//"):
        return own_folder, label.lstrip(":")
    folder, _, target = label[2:].partition(":")
    return folder, target or folder.rpartition("/")[2]


class Checker:
    def __init__(self, root, table):
        self.root = root
        self.table = table
        self.problems = []
        self.dependencies = {}  # folder -> layers named in the deps of its BUILD file

    def check_use(self, where, layer, used_folder, used_target, form):
        """One use of another package by `layer`: is there an arrow?"""
        if used_folder == _THIRD_PARTY:
            if used_target not in self.table[layer]["third_party"]:
                self.problems.append(
                    f"{where}: {layer or '//'} may not use the library {used_target} ({form})"
                )
            return
        if used_folder.split("/")[0] in _TOP:
            self.problems.append(f"{where}: a layer may not use //{used_folder} ({form})")
            return
        used = layer_of(self.table, used_folder)
        if used is None:
            self.problems.append(f"{where}: //{used_folder} is no layer ({form})")
        elif used != layer and used not in self.table[layer]["uses"]:
            self.problems.append(
                f"{where}: no arrow from {layer or '//'} to {used or '//'} ({form})"
            )

    def check_build_file(self, path):
        folder = path.rpartition("/")[0]
        layer = layer_of(self.table, folder)
        named = self.dependencies.setdefault(folder, set())
        for _, rule, attributes in source_tree.build_targets(self.root, path):
            if rule == "troupe_example":  # the macro adds the umbrella
                named.add("")
            for line, label in attributes.get("deps", []):
                package = package_of_label(label, folder)
                if package is None:
                    self.problems.append(
                        f"{path}:{line}: {label}: libraries have labels in //{_THIRD_PARTY}"
                    )
                    continue
                named.add(layer_of(self.table, package[0]))
                if layer is not None:
                    self.check_use(f"{path}:{line}", layer, *package, f'deps "{label}"')

    def check_includes(self, path):
        folder = path.rpartition("/")[0]
        layer = layer_of(self.table, folder)
        for line, bracket, name in source_tree.includes(self.root, path):
            where = f"{path}:{line}"
            if bracket == '"' and name.startswith("troupe/"):
                used_folder = name[len("troupe/") :].rpartition("/")[0]
                if layer is not None:
                    self.check_use(where, layer, used_folder, "", f'#include "{name}"')
                self.check_declared(where, folder, used_folder, name)
            elif bracket == "<" and layer is not None:
                for prefix, library in _LIBRARY_OF_INCLUDE:
                    if name.startswith(prefix):
                        self.check_use(where, layer, _THIRD_PARTY, library, f"#include <{name}>")
                        break

    def check_declared(self, where, folder, used_folder, name):
        """What is included must stand in deps: not only be reached through another target."""
        used = layer_of(self.table, used_folder)
        if folder not in self.dependencies:
            self.problems.append(f"{where}: there is no {folder}/BUILD.bazel that builds this file")
            return
        if used is None or used == layer_of(self.table, folder):
            return
        if used not in self.dependencies.get(folder, ()):
            self.problems.append(
                f'{where}: "{name}" is included, but no deps of {folder}/BUILD.bazel names //{used}'
            )


def main(root):
    table = load_table(root)
    checker = Checker(root, table)
    check_table(table, checker.problems)
    for path in source_tree.files(root, ("BUILD.bazel", "BUILD")):
        if not path.startswith(("tools/bazel/", *source_tree.CONSUMERS)):
            checker.check_build_file(path)
    for path in source_tree.files(root, (".h", ".cc")):
        if not path.startswith(source_tree.CONSUMERS):
            checker.check_includes(path)
    source_tree.report(checker.problems, "layers")


main(sys.argv[1])
