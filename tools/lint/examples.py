"""Checks that the examples are there, and that each has what makes it one.

* Every program of the list below has its source, its file in golden/, and is in examples/README.md,
  which names no other.
* A BUILD file of examples names it, by `troupe_example`, which makes the golden test.
* A program of one file is under 80 lines and says at its top what it shows.

Usage: examples.py ROOT
"""

import os
import re
import sys

import source_tree

# By the folder below examples/; "" is that itself. Add yours.
_EXAMPLES = {
    "": [
        "a_trynamic_first_scene",
        "actor_local_statespace",
        "actor_spawning_and_causality",
        "actor_spawning_and_causality_with_daemon",
        "asynchronous_generators",
        "cancel_scopes",
        "choosing_a_spawn_backend",
        "concurrent_actors_primes",
        "context_errors",
        "custom_supervisor",
        "debug_multi_subactors",
        "debug_nested",
        "debug_root_error",
        "debug_subactor_breakpoint",
        "debug_subactor_error",
        "full_fledged_streaming_service",
        "ipc_failure_during_stream",
        "logging",
        "multi_host",
        "multiple_sources_one_context",
        "multiple_streams_one_portal",
        "nested_actor_tree",
        "primes_std_async",
        "quick_cluster",
        "remote_error_propagation",
        "resource_cache",
        "rpc_bidir_streaming",
        "run_process",
        "service_daemon_discovery",
        "service_discovery",
        "signals",
        "single_func",
        "standalone_actor",
        "streaming_broadcast_fanout",
        "streaming_context",
        "supervisor",
        "transports",
        "typed_payloads",
        "watch_actors",
        "we_are_processes",
        "worker_threads",
    ],
    "showcase": ["showcase"],
}

# Programs that print nothing: the golden test of another one runs them beside it.
_COMPANIONS = {"service_daemon"}

_LEAST = 35
_MOST_LINES = 80
_RULES = {"troupe_example", "troupe_cc_binary"}


def built_names(root, path):
    """Names that a BUILD file gives to `troupe_example`, also from a list that it goes through."""
    calls = source_tree.build_targets(root, path)
    named = {value for _, rule, a in calls if rule in _RULES for _, value in a.get("name", [])}
    return named | set(source_tree.comprehended(root, path, "troupe_example"))


def check_program(root, folder, name, problems):
    base = os.path.join("examples", folder)
    source = os.path.join(base, name + ".cc")
    for path in (source, os.path.join(base, "golden", name + ".txt")):
        if not os.path.isfile(os.path.join(root, path)):
            problems.append(f"{path}: is missing")
            return
    lines = source_tree.read(root, source).splitlines()
    if not folder and len(lines) >= _MOST_LINES:
        problems.append(f"{source}: {len(lines)} lines; an example has fewer than {_MOST_LINES}")
    if not lines[2].startswith("// "):
        problems.append(f"{source}:3: say what it shows, and what it prints")


def main(root):
    problems = []
    readme = source_tree.read(root, "examples/README.md")
    for folder, names in _EXAMPLES.items():
        build = os.path.join("examples", folder, "BUILD.bazel")
        built = built_names(root, build)
        for name in names:
            check_program(root, folder, name, problems)
            if f"`{name}`" not in readme:
                problems.append(f"examples/README.md: does not tell of `{name}`")
        for name in sorted(set(names) - built):
            problems.append(f"{build}: has no troupe_example `{name}`")
        for name in sorted(built - set(names) - _COMPANIONS):
            problems.append(f"tools/lint/examples.py: add `{name}` of {build} to the list")
    known = {name for names in _EXAMPLES.values() for name in names} | _COMPANIONS
    for name in sorted(set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)) - known):
        problems.append(f"examples/README.md: there is no example `{name}`")
    if sum(map(len, _EXAMPLES.values())) < _LEAST:
        problems.append(f"examples: fewer than {_LEAST}")
    source_tree.report(problems, "examples")


main(sys.argv[1])
