"""Which package may use which: the arrows of docs/design.md, checked by //tools/lint:layers_test.

A folder below a package (runtime/fiber/testing) belongs to it. `uses` names packages, all of them:
an arrow does not give what lies behind it. `third_party` names targets of //tools/bazel/third_party.
The test reads this file as it is, so it must stay one dictionary of plain values.
"""

LAYERS = {
    # The composition root: umbrella header, run(), main() for tests.
    "": {
        "uses": [
            "discovery",
            "ipc",
            "runtime/actor",
            "runtime/base",
            "runtime/fiber",
            "runtime/rpc",
            "spawn",
        ],
        "third_party": ["gtest"],
    },
    # Knows nothing of spawn.
    "discovery": {
        "uses": ["ipc", "runtime/actor", "runtime/base", "runtime/fiber", "runtime/rpc"],
        "third_party": [],
    },
    "ipc": {
        "uses": ["runtime/base", "runtime/fiber"],
        "third_party": ["sodium", "zmq"],
    },
    "runtime/actor": {
        "uses": ["ipc", "runtime/base", "runtime/fiber", "runtime/rpc", "spawn"],
        "third_party": ["glog"],
    },
    # Only the seam of the log lies here: who uses tasks alone links no glog.
    "runtime/base": {
        "uses": [],
        "third_party": ["backtrace"],
    },
    "runtime/fiber": {
        "uses": ["runtime/base"],
        "third_party": ["boost_context", "boost_fiber"],
    },
    # Knows nothing of processes.
    "runtime/rpc": {
        "uses": ["ipc", "runtime/base", "runtime/fiber"],
        "third_party": ["cereal"],
    },
    # Knows nothing of actors and of ZeroMQ.
    "spawn": {
        "uses": ["runtime/base", "runtime/fiber"],
        "third_party": [],
    },
}
