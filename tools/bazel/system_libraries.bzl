"""The third-party libraries of the system, under the names of the Bazel registry.

Each entry makes the repository `@<key>` with the targets that the registry's module has, so that
//tools/bazel/third_party names one label for both. Fields: see `system_library`.
"""

SYSTEM_LIBRARIES = {
    # Linked statically: Debian's shared Boost would add two libraries to the start of every actor.
    "boost.context": {
        "package": "libboost-context1.81-dev",
        "headers": ["boost/context/fiber.hpp"],
        "libraries": ["libboost_context.a"],
        "targets": {"boost.context": "-l:libboost_context.a"},
        "minimum": ["boost/version.hpp", "#define BOOST_VERSION ", "108100"],
    },
    "boost.fiber": {
        "package": "libboost-fiber1.81-dev",
        "headers": ["boost/fiber/all.hpp"],
        "libraries": ["libboost_fiber.a"],
        "targets": {"boost.fiber": "-l:libboost_fiber.a -lpthread"},
        "deps": ["@boost.context//:boost.context"],
        "minimum": ["boost/version.hpp", "#define BOOST_VERSION ", "108100"],
    },
    "cereal": {
        "package": "libcereal-dev",
        "headers": ["cereal/cereal.hpp"],
        "targets": {"cereal": ""},
    },
    "cppzmq": {
        "package": "cppzmq-dev",
        "headers": ["zmq.hpp"],
        "targets": {"cppzmq": ""},
    },
    "glog": {
        "package": "libgoogle-glog-dev",
        "headers": ["glog/logging.h"],
        "libraries": ["libglog.so"],
        "targets": {"glog": "-lglog"},
    },
    "googletest": {
        "package": "libgtest-dev libgmock-dev",
        "headers": ["gtest/gtest.h", "gmock/gmock.h"],
        "libraries": ["libgtest.a", "libgtest_main.a", "libgmock.a"],
        "targets": {
            "gtest": "-lgmock -lgtest -lpthread",
            "gtest_main": "-lgtest_main -lgmock -lgtest -lpthread",
        },
    },
    # Comes with GCC on Debian 12, and is linked statically: it has no shared form there.
    "libbacktrace": {
        "package": "libgcc-12-dev",
        "gcc_headers": ["backtrace.h"],
        "libraries": ["libbacktrace.a"],
        "targets": {"backtrace": "-lbacktrace"},
    },
    "libsodium": {
        "package": "libsodium-dev",
        "headers": ["sodium.h"],
        "libraries": ["libsodium.so"],
        "targets": {"libsodium": "-lsodium"},
    },
    "libzmq": {
        "package": "libzmq3-dev",
        "headers": ["zmq.h"],
        "libraries": ["libzmq.so"],
        "targets": {"libzmq": "-lzmq"},
    },
}
