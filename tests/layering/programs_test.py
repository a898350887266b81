"""Proves that the release broker cannot know the insecure software TEE: its marker is in latchkeyd-dev alone.

usage: programs_test.py BIN_DIRECTORY; exit status 77 when the programs were not built.
"""

import os
import sys

MARKER = b"LATCHKEY_INSECURE_SOFTWARE_TEE"
SKIPPED = 77


def contains_marker(path):
    with open(path, "rb") as handle:
        return MARKER in handle.read()


def main():
    release = os.path.join(sys.argv[1], "latchkeyd")
    dev = os.path.join(sys.argv[1], "latchkeyd-dev")
    for program in (release, dev):
        if not os.path.exists(program):
            print("skipped: %s is not built" % program)
            return SKIPPED
    failed = 0
    if contains_marker(release):
        print("%s contains %s: the software TEE is linked into the release broker" % (release, MARKER.decode()))
        failed = 1
    if not contains_marker(dev):
        print("%s lacks %s: this check would not notice the software TEE" % (dev, MARKER.decode()))
        failed = 1
    if not failed:
        print("the marker is in latchkeyd-dev and not in latchkeyd")
    return failed


if __name__ == "__main__":
    sys.exit(main())
