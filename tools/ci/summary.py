"""Turns Bazel's own results into the last line of .ci/run: `N passed, N failed`.

Usage: summary.py OUTSIDE_FAILURES [EXIT_CODE:BUILD_EVENT_FILE]...

The files are those of --build_event_json_file. A test that Bazel knows of and that did not pass
has failed, also when it was not built or not run. Passed are only tests which Bazel reports so;
OUTSIDE_FAILURES, the number of steps outside Bazel that failed, is added to the failures, and so is
an invocation of Bazel that failed although no test of it did. Exits with 1 if anything failed.
"""

import json
import sys


def read_events(path):
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)
    except (OSError, ValueError) as error:
        print(f"summary: {path}: {error}")


def results(path):
    """Label -> status of all tests of one invocation of Bazel."""
    status = {}
    for event in read_events(path):
        identifier = event.get("id", {})
        if "targetConfigured" in identifier and "testSize" in event.get("configured", {}):
            status.setdefault(identifier["targetConfigured"]["label"], "NOT RUN")
        if "testSummary" in identifier and "testSummary" in event:
            status[identifier["testSummary"]["label"]] = event["testSummary"]["overallStatus"]
    return status


def main(outside_failures, invocations):
    passed, failed = 0, int(outside_failures)
    for invocation in invocations:
        exit_code, _, path = invocation.partition(":")
        bad = []
        for label, status in sorted(results(path).items()):
            if status == "PASSED":
                passed += 1
            else:
                bad.append(f"{label}: {status}")
        if exit_code != "0" and not bad:
            bad.append(f"bazel ended with exit code {exit_code}, see above")
        for line in bad:
            print("failed: " + line)
        failed += len(bad)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main(sys.argv[1], sys.argv[2:])
