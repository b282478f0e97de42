"""What a WORKSPACE needs to build troupe: its own and a consumer's alike.

    local_repository(name = "troupe", path = "...")
    load("@troupe//:deps.bzl", "troupe_dependencies")
    troupe_dependencies()

Bzlmod users need none of this: `bazel_dep(name = "troupe")` is enough.
"""

load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")
load(
    "//tools/bazel:repositories.bzl",
    "debian_bazel_repository",
    "empty_coverage_tools",
    "native_rules_shim",
    "system_library",
)
load("//tools/bazel:system_libraries.bzl", "SYSTEM_LIBRARIES")

def troupe_dependencies():
    """Declares every repository that troupe's BUILD files name.

    A repository which the workspace has declared before stays as it is. Nothing is downloaded: the
    third-party libraries are those of the system, and each is looked for only when a target needs
    it, so a program that uses `@troupe//runtime/fiber` alone needs no ZeroMQ.
    """
    maybe(
        native_rules_shim,
        name = "rules_cc",
        folder = "cc",
        # The first four are ours, Bazel's own BUILD files load the others.
        rules = [
            "cc_binary",
            "cc_import",
            "cc_library",
            "cc_test",
            "cc_proto_library",
            "cc_toolchain",
            "cc_toolchain_suite",
            "objc_library",
        ],
        providers = {"cc_info": "CcInfo"},
    )
    maybe(
        native_rules_shim,
        name = "rules_shell",
        folder = "shell",
        rules = ["sh_binary", "sh_library", "sh_test"],
    )

    for name, library in SYSTEM_LIBRARIES.items():
        maybe(system_library, name = name, **library)

    # Debian's Bazel has no version string. It would download what its rules need, although Debian
    # packages these as well; other builds of Bazel bring or fetch their own.
    if not native.bazel_version:
        _debian_repositories()

def _debian_repositories():
    maybe(empty_coverage_tools, name = "remote_coverage_tools")
    for name, path, package in [
        ("bazel_skylib", "/usr/share/bazel/tools/skylib", "bazel-skylib"),
        ("platforms", "/usr/share/bazel/tools/platforms", "bazel-platforms"),
        ("rules_java", "/usr/share/bazel/rules/java", "bazel-rules-java"),
        ("rules_proto", "/usr/share/bazel/rules/proto", "bazel-rules-proto"),
    ]:
        maybe(debian_bazel_repository, name = name, path = path, package = package)
