"""`compile_fail_test`: a source file that must not compile, and the sentence that says why."""

load("@rules_shell//shell:sh_test.bzl", "sh_test")
load("//tools/bazel:defs.bzl", "package_suites")

def _headers_impl(ctx):
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
    implementation = _headers_impl,
    attrs = {"deps": attr.label_list(providers = [CcInfo])},
    doc = "The headers of libraries as data of a test, and the compiler's options to find them.",
)

def compile_fail_test(name, deps):
    """Compiles `<name>.cc` with each compiler of the system: the comments in it say what is expected.

    `// EXPECT: <sentence>` must stand in the compiler's first error, `// EXPECT-ANYWHERE: <sentence>`
    in any. Compiled with -DFIXED the file must pass, so that nothing else is wrong with it.

    Args:
      name: of the test and of its source.
      deps: the libraries whose headers it includes.
    """
    header_flags(
        name = name + "_headers",
        testonly = True,
        deps = deps,
    )
    sh_test(
        name = name + "_test",
        srcs = ["compile_fail_test.sh"],
        args = [
            "$(location %s.cc)" % name,
            "$(location :%s_headers)" % name,
        ],
        data = [
            name + ".cc",
            ":%s_headers" % name,
        ],
    )
    package_suites()
