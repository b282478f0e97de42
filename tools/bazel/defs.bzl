"""The rules for troupe's own code: `troupe_cc_library`, `troupe_cc_test`, `troupe_cc_binary`.

They take the attributes of the plain rules and add what every target of the project needs, in one
place: include paths of the form "troupe/<package>/<file>.h", warnings, code generation options.
Users of troupe do not need them.
"""

load("@rules_cc//cc:cc_binary.bzl", "cc_binary")
load("@rules_cc//cc:cc_library.bzl", "cc_library")
load("@rules_cc//cc:cc_test.bzl", "cc_test")
load("@rules_shell//shell:sh_test.bzl", "sh_test")

_WARNINGS = [
    "-Wall",
    "-Wextra",
    # clang would warn of the names that only g++ knows.
    "-Wno-unknown-warning-option",
    # g++ 12 reports overlaps in std::string that are none when it optimises.
    "-Wno-restrict",
]

_CODE_GENERATION = [
    # Stacks of fibers can be walked by debuggers and by our own dumps.
    "-fno-omit-frame-pointer",
    # A large frame touches each page, so that it cannot jump over a fiber's guard page.
    "-fstack-clash-protection",
]

# Known to newer Bazel versions only, where clang is the compiler; others ignore them.
_FEATURES = [
    "layering_check",
    "parse_headers",
]

def _is_main_repository():
    if hasattr(native, "repo_name"):
        return native.repo_name() == ""
    return native.repository_name() == "@"

def _copts(extra):
    # A warning of another compiler must not break the build of a project that merely uses troupe.
    strict = ["-Werror"] if _is_main_repository() else []
    return _WARNINGS + strict + _CODE_GENERATION + extra

def _features(extra):
    return (_FEATURES if _is_main_repository() else []) + extra

def _include_prefix():
    package = native.package_name()
    return "troupe/" + package if package else "troupe"

def _split_headers(files):
    headers = [file for file in files if file.endswith(".h")]
    sources = [file for file in files if not file.endswith(".h")]
    return headers, sources

def _private_headers(name, headers, deps, **kwargs):
    """Bazel gives the include prefix to `hdrs` alone, so headers in `srcs` need a target."""
    if not headers:
        return []
    cc_library(
        name = name + "_private_headers",
        hdrs = headers,
        copts = _copts([]),
        include_prefix = _include_prefix(),
        visibility = ["//visibility:private"],
        deps = deps,
        **kwargs
    )
    return [":%s_private_headers" % name]

def troupe_cc_library(
        name,
        srcs = [],
        hdrs = [],
        deps = [],
        copts = [],
        features = [],
        testonly = False,
        **kwargs):
    """A `cc_library` whose headers are included as "troupe/<package>/<file>.h".

    Args:
      name: as in cc_library; the public target of a package has the package's name.
      srcs: as in cc_library; headers here are private to this target and get the same prefix.
      hdrs: as in cc_library.
      deps: as in cc_library.
      copts: added to those of the project.
      features: added to those of the project.
      testonly: as in cc_library.
      **kwargs: as in cc_library. Without `visibility` the target is private.
    """
    private, sources = _split_headers(srcs)
    cc_library(
        name = name,
        srcs = sources,
        hdrs = hdrs,
        copts = _copts(copts),
        features = _features(features),
        include_prefix = _include_prefix(),
        # Boost.Fiber keeps its scheduler in a thread_local: it must be linked once per program, not
        # once per shared library of a test.
        linkstatic = True,
        testonly = testonly,
        deps = deps + _private_headers(name, private, deps, testonly = testonly),
        **kwargs
    )

def troupe_cc_binary(name, srcs = [], deps = [], copts = [], features = [], testonly = False, **kwargs):
    """A `cc_binary` with the project's options.

    Args:
      name: as in cc_binary.
      srcs: as in cc_binary; headers here are included as "troupe/<package>/<file>.h".
      deps: as in cc_binary.
      copts: added to those of the project.
      features: added to those of the project.
      testonly: as in cc_binary.
      **kwargs: as in cc_binary.
    """
    private, sources = _split_headers(srcs)
    cc_binary(
        name = name,
        srcs = sources,
        copts = _copts(copts),
        features = _features(features),
        testonly = testonly,
        deps = deps + _private_headers(name, private, deps, testonly = testonly),
        **kwargs
    )

def troupe_cc_test(name, srcs = [], deps = [], copts = [], features = [], size = "small", **kwargs):
    """A `cc_test` with the project's options.

    Tags sort tests into the suites of //tests: `processes` for tests that start processes, `chaos`
    for tests that kill or delay at random, none for the rest.

    Args:
      name: as in cc_test.
      srcs: as in cc_test; headers here are included as "troupe/<package>/<file>.h".
      deps: as in cc_test; a test names the main function it wants: `//:gtest_main`, which is ready
        to be an actor, or `//tools/bazel/third_party:gtest_main`, which is GoogleTest's own.
      copts: added to those of the project.
      features: added to those of the project.
      size: as in cc_test, but "small" (one minute at most) unless told otherwise.
      **kwargs: as in cc_test.
    """
    private, sources = _split_headers(srcs)
    cc_test(
        name = name,
        size = size,
        srcs = sources,
        copts = _copts(copts),
        features = _features(features),
        # As in libraries: one Boost.Fiber per program.
        linkstatic = True,
        deps = deps + _private_headers(name, private, deps, testonly = True),
        **kwargs
    )
    package_suites()

def package_suites(name = "suites"):
    """Makes the suites `:unit`, `:processes` and `:chaos` of this package, which //tests collects.

    Called by the rules above. Bazel does not filter the tests of a suite within a suite by tags, so
    the filters stand here.

    Args:
      name: not used; there is one set of suites in a package.
    """
    if native.existing_rule("unit"):
        return
    for suite, tags in [
        ("unit", ["-processes", "-chaos"]),
        ("processes", ["processes"]),
        ("chaos", ["chaos"]),
    ]:
        native.test_suite(
            name = suite,
            tags = tags,
            visibility = ["//tests:__pkg__"],
        )

def troupe_example(name, srcs = [], deps = ["//:troupe"], masks = [], beside = None, size = "small", **kwargs):
    """An example: the program `<name>.cc` and a test of what it prints.

    The test `<name>_golden_test` runs the program and compares its standard output with
    `golden/<name>.txt`; it also fails if the program leaves a process or a file behind.

    Args:
      name: the program's name.
      srcs: its files, as in troupe_cc_binary, where it is more than `<name>.cc`.
      deps: what it is built from.
      masks: sed expressions applied to the output before it is compared, such as
        "s/pid [0-9]+/pid N/" (extended regular expressions).
      beside: another program that runs meanwhile and is ended afterwards, by SIGTERM; both are told
        of one arbiter's address by their environment.
      size: of the test.
      **kwargs: of the program's troupe_cc_binary.
    """
    troupe_cc_binary(
        name = name,
        srcs = srcs or [name + ".cc"],
        deps = deps,
        **kwargs
    )
    golden = "golden/%s.txt" % name
    companion = [beside] if beside else []
    sh_test(
        name = name + "_golden_test",
        size = size,
        srcs = ["//tools/bazel:golden_test.sh"],
        args = ["$(location :%s)" % name, "$(location %s)" % golden] +
               ["--beside=$(location %s)" % other for other in companion] +
               ["'%s'" % m for m in masks],
        data = [
            golden,
            ":" + name,
        ] + companion,
        tags = ["processes"],
    )
    package_suites()
