"""Repository rules for builds with what the system has: nothing here downloads anything.

The rules write their files themselves instead of pointing at folders of this repository: a path in
a macro would be resolved against the root of whoever calls it, and a folder with BUILD files of
its own would have to be hidden from `//...`.
"""

# ---- Rules ---------------------------------------------------------------------------------------

def _native_rules_shim_impl(ctx):
    folder = ctx.attr.folder
    ctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % ctx.name)
    ctx.file("BUILD.bazel", "")
    ctx.file(folder + "/BUILD.bazel", "")
    all_rules = ""
    for rule in ctx.attr.rules:
        line = "%s = native.%s\n" % (rule, rule)
        all_rules += line
        ctx.file("%s/%s.bzl" % (folder, rule), line)
    ctx.file(folder + "/defs.bzl", all_rules)
    if ctx.attr.providers:
        ctx.file(folder + "/common/BUILD.bazel", "")
    for file, provider in ctx.attr.providers.items():
        # Two steps: a .bzl file cannot give a built-in name to its own global of that name.
        ctx.file("%s/common/builtin_%s.bzl" % (folder, file), "builtin = %s\n" % provider)
        ctx.file("%s/common/%s.bzl" % (folder, file), """\
load(":builtin_%s.bzl", "builtin")

%s = builtin
""" % (file, provider))

native_rules_shim = repository_rule(
    implementation = _native_rules_shim_impl,
    doc = """Stands in for a repository of rules where these are still built into Bazel.

Bazel 9 has no native rules, so BUILD files must load them from repositories such as `@rules_cc`,
which in turn do not load in Bazel 4. The shim re-exports the native rules under the same labels:
`@rules_cc//cc:cc_library.bzl` and `@rules_cc//cc:defs.bzl`.""",
    attrs = {
        "folder": attr.string(mandatory = True, doc = "The package of the .bzl files."),
        "providers": attr.string_dict(doc = "Built-in providers to re-export, by file name."),
        "rules": attr.string_list(mandatory = True, doc = "The native rules to re-export."),
    },
)

def _empty_coverage_tools_impl(ctx):
    ctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % ctx.name)
    ctx.file("BUILD.bazel", """\
filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)
""")

empty_coverage_tools = repository_rule(
    implementation = _empty_coverage_tools_impl,
    doc = """Keeps `bazel test` from downloading the coverage report generator.

Every test rule depends on it; only `bazel coverage` runs it.""",
)

def _debian_bazel_repository_impl(ctx):
    source = ctx.path(ctx.attr.path)
    if not source.exists:
        _fail_missing(ctx.attr.path, "its Bazel rules", ctx.attr.package)
    for child in source.readdir():
        ctx.symlink(child, child.basename)

debian_bazel_repository = repository_rule(
    implementation = _debian_bazel_repository_impl,
    doc = "A repository of rules that a Debian package has installed.",
    attrs = {
        "path": attr.string(mandatory = True, doc = "Where the package puts it."),
        "package": attr.string(mandatory = True, doc = "The apt package to name when it is missing."),
    },
    local = True,
)

# ---- Libraries -----------------------------------------------------------------------------------

_INCLUDE_FOLDERS = ["/usr/local/include", "/usr/include"]

_LIBRARY_FOLDERS = ["/usr/local/lib", "/usr/lib64", "/usr/lib"] + [
    "/usr/lib/%s-linux-gnu" % cpu
    for cpu in ["x86_64", "aarch64", "riscv64", "powerpc64le", "s390x"]
]

# Where GCC keeps the headers and libraries that come with it: below here, by target and version.
_GCC_FOLDER = "/usr/lib/gcc"

def _gcc_folders(ctx):
    """GCC's own folders, one for each target and version that is installed."""
    base = ctx.path(_GCC_FOLDER)
    if not base.exists:
        return []
    return [
        str(version)
        for target in base.readdir()
        for version in target.readdir()
    ]

def _fail_missing(what, why, package):
    fail(("troupe: %s (%s) is not installed. The apt package is missing: run tools/setup of troupe, " +
          "or `sudo apt-get install %s`.") % (what, why, package))

def _find(ctx, folders, file):
    for folder in folders:
        path = ctx.path(folder + "/" + file)
        if path.exists:
            return path
    return None

def _check_minimum(ctx):
    if not ctx.attr.minimum:
        return
    file, prefix, wanted = ctx.attr.minimum
    header = _find(ctx, _INCLUDE_FOLDERS, file)
    if not header:
        _fail_missing(file, ctx.name, ctx.attr.package)
    for line in ctx.read(header).split("\n"):
        if line.startswith(prefix):
            found = line[len(prefix):].strip()
            if int(found) >= int(wanted):
                return
            fail(("troupe: %s says version %s, but troupe needs at least %s. Install the apt " +
                  "package %s; run tools/setup of troupe, which explains what stands in its way.") %
                 (header, found, wanted, ctx.attr.package))
    fail("troupe: no line `%s...` in %s: is this header damaged?" % (prefix, header))

_TARGET = """
cc_library(
    name = "{name}",
    hdrs = {hdrs},
    includes = {includes},
    linkopts = {linkopts},
    visibility = ["//visibility:public"],
    deps = {deps},
)
"""

def _link_gcc_headers(ctx, gcc):
    """Links headers that only GCC finds by itself into the repository, for other compilers."""
    linked = []
    for header in ctx.attr.gcc_headers:
        found = _find(ctx, _INCLUDE_FOLDERS + [folder + "/include" for folder in gcc], header)
        if not found:
            _fail_missing("the header <%s>" % header, ctx.name, ctx.attr.package)
        linked.append("include/" + header)
        ctx.symlink(found, linked[-1])
    return linked

def _system_library_impl(ctx):
    for header in ctx.attr.headers:
        if not _find(ctx, _INCLUDE_FOLDERS, header):
            _fail_missing("the header <%s>" % header, ctx.name, ctx.attr.package)
    gcc = _gcc_folders(ctx) if ctx.attr.gcc_headers else []
    for library in ctx.attr.libraries:
        if not _find(ctx, _LIBRARY_FOLDERS + gcc, library):
            _fail_missing("the library %s" % library, ctx.name, ctx.attr.package)
    _check_minimum(ctx)
    hdrs = _link_gcc_headers(ctx, gcc)

    build = "load(\"@rules_cc//cc:cc_library.bzl\", \"cc_library\")\n"
    for name, linkopts in ctx.attr.targets.items():
        build += _TARGET.format(
            name = name,
            hdrs = hdrs,
            includes = ["include"] if hdrs else [],
            linkopts = [option for option in linkopts.split(" ") if option],
            deps = ctx.attr.deps,
        )
    ctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % ctx.name)
    ctx.file("BUILD.bazel", build)

system_library = repository_rule(
    implementation = _system_library_impl,
    doc = """A library that the system's package manager has installed.

The system's include and library folders are known to the compiler, so the target carries link
options alone (but for headers that only one compiler knows); the rule makes sure beforehand that the files are there and names the apt package
when they are not. Bazel does not watch them: after an upgrade run `bazel clean`.""",
    attrs = {
        "package": attr.string(mandatory = True, doc = "The apt packages to name when it is missing."),
        "headers": attr.string_list(doc = "Headers that must exist, as one includes them."),
        "gcc_headers": attr.string_list(doc = "The same, but they may come with GCC alone."),
        "libraries": attr.string_list(doc = "File names of libraries that must exist."),
        "targets": attr.string_dict(mandatory = True, doc = "Target name -> link options."),
        "deps": attr.string_list(doc = "Labels of other libraries to link."),
        "minimum": attr.string_list(doc = "[header, prefix of a line, least number that follows it]."),
    },
    local = True,
)
