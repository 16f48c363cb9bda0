#!/usr/bin/env python3
"""What a crawl takes: pages, seconds, processor time and memory of `harvestman crawl`, on a site that
is served already, beside any other crawler in the same run.

    cargo build --release -p local
    tests/benches/crawl.py http://127.0.0.1:8100/ --pages 2000 \\
        --beside 'other-crawler http://127.0.0.1:8100 16'

Rounds alternate. Of each program: the median of its processor seconds per 1,000 pages (user and
system, of the whole process), of its seconds, and its largest peak of memory. The site runs in a
process of its own and is not counted.
"""

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time


def run(command):
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} ended with {status}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss / 1024


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("url")
    arguments.add_argument("--pages", type=int, default=2000, help="pages of the site")
    arguments.add_argument("--connections", type=int, default=16)
    arguments.add_argument("--formats", default="text,links,metadata", help="as of harvestman crawl")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--program", default="target/release/harvestman")
    arguments.add_argument("--beside", action="append", default=[], metavar="COMMAND")
    options = arguments.parse_args()
    place = options.url.split("/")[2]
    with tempfile.TemporaryDirectory() as folder:
        ours = [
            options.program, "crawl", options.url, "--max-pages", str(options.pages), "--depth", "100",
            "--concurrency", str(options.connections), "--formats", options.formats,
            "--allow-private-targets=" + place, "--output", folder + "/pages.ndjson",
        ]
        others = [shlex.split(command) for command in options.beside]
        measured = {0: []} | {number: [] for number in range(1, len(others) + 1)}
        for number in range(options.rounds):
            data = ["--data-dir", f"{folder}/{number}"]
            measured[0].append(run(ours + data))
            with open(folder + "/pages.ndjson", encoding="utf-8") as pages:
                found = sum(1 for _ in pages)
            if found != options.pages:
                sys.exit(f"{found} pages instead of {options.pages}")
            for other, command in enumerate(others, 1):
                measured[other].append(run(command))
    print(f"{'':44}  CPU s / 1,000   seconds   peak MB")
    names = ["harvestman crawl, all stored"] + options.beside
    base = None
    for number, name in enumerate(names):
        processor, seconds, memory = zip(*measured[number])
        each = statistics.median(processor) / options.pages * 1000
        print(f"{name[:44]:44}  {each:13.3f}  {statistics.median(seconds):8.1f}  {max(memory):8.0f}")
        base = base or each
        if number:
            print(f"{'  harvestman takes of its processor time':44}  {base / each:12.2f}x")


if __name__ == "__main__":
    main()
