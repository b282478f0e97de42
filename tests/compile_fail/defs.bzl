"""`compile_fail_test`: source files that must not compile, and the sentences that say why."""

load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")
load("@rules_shell//shell:sh_test.bzl", "sh_test")
load("//tools/bazel:defs.bzl", "package_suites")

def _header_flags_impl(ctx):
    contexts = [dep[CcInfo].compilation_context for dep in ctx.attr.deps]
    headers = depset(transitive = [context.headers for context in contexts])
    folders = depset(transitive = [
        depset(transitive = [context.includes, context.system_includes])
        for context in contexts
    ])
    flags = ctx.actions.declare_file(ctx.label.name + ".flags")
    prefix = ctx.bin_dir.path + "/"

    # Folders as a test sees them, below its runfiles.
    seen = [
        folder[len(prefix):] if folder.startswith(prefix) else folder
        for folder in folders.to_list()
        if not folder.startswith("external/") and "/external/" not in folder
    ]
    ctx.actions.write(flags, "\n".join(["-I" + folder for folder in seen]) + "\n")
    return [DefaultInfo(
        files = depset([flags]),
        runfiles = ctx.runfiles(files = [flags], transitive_files = headers),
    )]

header_flags = rule(
    implementation = _header_flags_impl,
    attrs = {"deps": attr.label_list(providers = [CcInfo])},
    doc = "The headers of libraries as data of a test, and the compiler's options to find them.",
)

def _archives_impl(ctx):
    archives = []
    for dep in ctx.attr.deps:
        for linked in dep[CcInfo].linking_context.linker_inputs.to_list():
            # Not those of the libraries that it depends on.
            if linked.owner != dep.label:
                continue
            for library in linked.libraries:
                archives.append(library.pic_static_library or library.static_library)
    return [DefaultInfo(files = depset(archives), runfiles = ctx.runfiles(files = archives))]

archives = rule(
    implementation = _archives_impl,
    attrs = {"deps": attr.label_list(providers = [CcInfo])},
    doc = "The archives of libraries as data of a test that links by itself.",
)

def compile_fail_test(name, srcs, deps):
    """Compiles each source with each compiler of the system; comments in it say what is expected.

    `// EXPECT: <sentence>` must stand in the compiler's first error, `// EXPECT-ANYWHERE: <sentence>`
    in any. Compiled with -DFIXED the file must pass, so that nothing else is wrong with it.

    Args:
      name: of the test.
      srcs: the files.
      deps: the libraries whose headers they include.
    """
    header_flags(
        name = name + "_headers",
        testonly = True,
        deps = deps,
    )
    sh_test(
        name = name,
        # Some hundred runs of a compiler.
        size = "medium",
        srcs = ["compile_fail_test.sh"],
        args = ["$(location :%s_headers)" % name] + ["$(location %s)" % source for source in srcs],
        data = srcs + [":%s_headers" % name],
    )
    package_suites()
