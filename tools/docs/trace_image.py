"""Draws a trace, as TROUPE_TRACE writes it: a row for each track that calls or is called.

Filled: a task that runs or is ready; pale: it waits. Arrows lead from callers to callees.

Usage: trace_image.py TRACE.json > IMAGE.svg
"""

import json
import sys
from collections import defaultdict

from svg import Drawing

_WIDTH, _LEFT, _ROW, _TOP = 960, 130, 26, 40
_LEAST_LABEL = 6.5  # pixels for each letter of a label


def read(path):
    with open(path, encoding="utf-8") as file:
        events = json.load(file)
    names = {e["pid"]: e["args"]["name"] for e in events if e.get("name") == "process_name"}
    return names, sorted((e for e in events if "ts" in e), key=lambda e: e["ts"])


def tasks_of(events):
    """Each task as (track, name, begin, end)."""
    open_tasks, tasks = {}, []
    last = events[-1]["ts"]
    for event in events:
        track = event["pid"], event["tid"]
        if event["ph"] == "B":
            open_tasks[track] = event
        elif event["ph"] == "E" and track in open_tasks:
            begin = open_tasks.pop(track)
            tasks.append((track, begin["name"], begin["ts"], event["ts"]))
    return tasks + [(track, e["name"], e["ts"], last) for track, e in open_tasks.items()]


def main(path):
    names, events = read(path)
    start, end = events[0]["ts"], events[-1]["ts"]
    x_of = lambda time: _LEFT + (time - start) * (_WIDTH - _LEFT - 20) / (end - start)

    arrows = defaultdict(dict)
    for event in events:
        if event["ph"] in "sf":
            arrows[event["id"]][event["ph"]] = event
    ends = {(e["pid"], e["tid"]) for both in arrows.values() for e in both.values()}
    tracks = sorted(ends | {(pid, 0) for pid in names}, key=lambda t: (list(names).index(t[0]), t[1]))
    y_of = {track: _TOP + _ROW * row for row, track in enumerate(tracks)}

    picture = Drawing("A trace", _WIDTH, _TOP + _ROW * len(tracks) + 20)
    picture.text(_LEFT, 22, f"{(end - start) / 1000:.1f} ms; pale: the task waits", "start", "small")
    for pid, name in names.items():
        picture.text(8, y_of[pid, 0] + 14, name, "start")
    for track, name, begin, finish in tasks_of(events):
        if track in y_of:
            picture.bar(x_of(begin), x_of(finish), y_of[track], _ROW - 6, "task", name)
    for event in events:
        track = event["pid"], event["tid"]
        if event["ph"] == "X" and track in y_of:
            what = f"waits for {event['name']}"
            picture.bar(x_of(event["ts"]), x_of(event["ts"] + event["dur"]), y_of[track], _ROW - 6, "wait", what)
    for track, name, begin, finish in tasks_of(events):
        if track in y_of and (x_of(finish) - x_of(begin)) > _LEAST_LABEL * len(name):
            picture.text(f"{x_of(begin) + 4:.1f}", y_of[track] + 14, name, "start", "small")
    for both in arrows.values():
        if len(both) == 2:
            points = [(round(x_of(e["ts"]), 1), y_of[e["pid"], e["tid"]] + 10) for e in (both["s"], both["f"])]
            picture.arrow(*points, css="red")
    sys.stdout.write(picture.source())


main(sys.argv[1])
