"""Who may include whom: section 2 of the style page as tables, and the checker that reads a tree by them."""

import os
import re

# Folders of ours each folder may include, itself always among them.
PURE_BASE = {"base"}
BELOW_RELEASE = {"base", "crypto", "protocol", "policy", "broker/attestation", "broker/store",
                 "broker/custody", "broker/audit"}
BROKER = BELOW_RELEASE | {"broker/release", "broker/collateral", "broker/front", "broker/server"}
FOLDERS = {
    "base": set(),
    "crypto": PURE_BASE,
    "protocol": {"base", "crypto"},
    "policy": PURE_BASE,
    "broker/attestation": {"base", "policy", "crypto"},
    "broker/store": PURE_BASE,
    "broker/custody": {"base", "broker/store", "crypto"},
    "broker/audit": {"base", "broker/store", "crypto", "protocol"},
    "broker/release": BELOW_RELEASE,
    "broker/collateral": {"base", "broker/store", "crypto"},
    "broker/front": {"base", "crypto"},
    "broker/server": BROKER,
    "broker": BROKER,
    "client": {"base", "crypto", "protocol"},
    "cli": {"base", "crypto", "protocol", "policy", "client", "broker/attestation",
            "broker/collateral", "broker/audit"},
    "dev": BROKER | {"client"},
    "tests": BROKER | {"client", "cli", "dev", "broker"},
}

# Single headers a folder may include beyond the picture: (who, whose header): why.
EXCEPTIONS = {
    ("broker/audit", "broker/custody/root.h"): "the log key lives under the root",
    ("broker/custody", "protocol/names.h"): "keys are named as the protocol names them",
    ("broker/custody", "protocol/sealed_item.h"): "custody seals the item as the client opens it",
}

# The generated messages. The statement is the log's leaf, so those who write and check it see that one file.
WIRE = {"broker/server", "broker", "client", "cli", "dev", "tests"}
STATEMENT = WIRE | {"protocol", "broker/audit", "broker/release"}
STORAGE = {"broker/custody", "broker/audit", "broker/release", "broker/server", "tests"}

# Libraries of others that stay in the folders (or files, by the start of their path) named here.
EDGES = {"broker/server/", "broker/front/", "broker/main.cc", "client/", "cli/", "dev/main.cc", "tests/"}
LIBRARIES = [
    (r"openssl/", {"crypto/", "broker/front/tls"}),
    (r"(grpcpp|grpc)/", EDGES),
    (r"spdlog/", EDGES),
    (r"sqlite3\.h$", {"broker/store/"}),
    (r"microhttpd\.h$", {"broker/server/"}),
    (r"yaml-cpp/", {"policy/", "broker/server/", "cli/", "tests/"}),
    (r"CLI/", {"cli/", "broker/main.cc", "dev/main.cc", "tests/"}),
]

# Pure folders take bytes and a time and give an answer: no clock, no files, no threads, no network.
PURE = {"policy", "broker/attestation"}
IMPURE = re.compile(r"(fstream|filesystem|iostream|thread|mutex|future|unistd\.h|fcntl\.h|sys/.*|netdb\.h|netinet/.*"
                    r"|absl/time/clock\.h|base/clock\.h|base/random\.h)$")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
TARGET = re.compile(r"latchkey_(library|program)\(([^)]*)\)")
# A test, fuzzer, benchmark or fixture beside its code is linked into no library and no program, so it sees what tests
# see, and nothing else sees it.
TEST_FILE = re.compile(r"_(test|fuzz|bench)\.cc$|_fixture\.(h|cc)$|(^|/)test_\w+\.(h|cc)$")
SKIPPED = re.compile(r"^(build[^/]*|\.[^/]*|tests/layering/testdata)(/|$)")


def folder_of(path):
    """The folder of the table that `path` lies in; None when it lies outside."""
    parts = path.split("/")
    two = "/".join(parts[:2])
    if two in FOLDERS:
        return two
    return parts[0] if parts[0] in FOLDERS else None


def files(root):
    """Paths, relative to `root`, of the tree's files."""
    for directory, names, leaves in os.walk(root):
        relative = os.path.relpath(directory, root)
        relative = "" if relative == "." else relative + "/"
        names[:] = sorted(name for name in names if not SKIPPED.match(relative + name))
        for leaf in sorted(leaves):
            yield relative + leaf


def check_generated(header, folder):
    if header == "latchkey/v1/statement.pb.h":
        return None if folder in STATEMENT else "the statement is for protocol, audit, release and the edges"
    if header.startswith("latchkey/v1/"):
        return None if folder in WIRE else "the wire proto is for server, client, cli and dev"
    if header.startswith("latchkey/storage/"):
        return None if folder in STORAGE else "the storage proto is for custody, audit, release and server"
    return None


def check_library(path, header, is_test):
    for pattern, homes in LIBRARIES:
        if not re.match(pattern, header) or any(path.startswith(home) for home in homes):
            continue
        # The rule for OpenSSL, SQLite and the like holds for unit tests too; gRPC they may use, for they link it not.
        if is_test and "tests/" in homes:
            continue
        return "%s is for %s" % (header.split("/")[0], ", ".join(sorted(homes)))
    return None


def check_include(root, path, quote, header):
    """The breach, in words, or None."""
    folder = folder_of(path)
    is_test = bool(TEST_FILE.search(path))
    viewer = "tests" if is_test else folder
    if header.startswith(".") or quote == '"' and "/" not in header:
        return "include by the path from the root"
    if folder in PURE and not is_test and IMPURE.match(header):
        return "%s is pure: no clock, files, threads or network" % folder
    breach = check_generated(header, viewer) or check_library(path, header, is_test)
    if breach:
        return breach
    if quote == "<" or header.startswith("latchkey/"):
        return None
    target = folder_of(header)
    if target is None or not os.path.exists(os.path.join(root, header)):
        return None
    if TEST_FILE.search(header) and viewer not in ("tests", "dev"):
        return "a fixture is for tests"
    if target in (folder, viewer) or target in FOLDERS[viewer] or (folder, header) in EXCEPTIONS:
        return None
    if target in ("tests", "dev"):
        return "a fake cannot ship: only tests and dev may include %s/" % target
    return "%s may include %s" % (folder, ", ".join(sorted(FOLDERS[folder])) or "nothing of ours")


def check_targets(path, text):
    """Libraries and programs outside tests/ and dev/ link no test support, no dev and no test file."""
    folder = folder_of(path)
    for _, body in TARGET.findall(text):
        words = body.split()
        for word in words[1:]:
            if TEST_FILE.search(word) and folder != "tests":
                yield "%s: target %s is built from %s" % (path, words[0], word)
            if word in ("test_support", "latchkey::test_support", "dev", "latchkey::dev") and folder not in (
                    "tests", "dev"):
                yield "%s: target %s links %s: a fake cannot ship" % (path, words[0], word)


def check_tree(root):
    """Every breach of the tree at `root`, as lines of text."""
    breaches = []
    seen = 0
    for path in files(root):
        if folder_of(path) is None:
            continue
        full = os.path.join(root, path)
        if path.endswith("CMakeLists.txt"):
            with open(full, encoding="utf-8") as handle:
                breaches.extend(check_targets(path, re.sub(r"#.*", "", handle.read())))
        if not path.endswith((".h", ".cc")):
            continue
        seen += 1
        with open(full, encoding="utf-8") as handle:
            for number, line in enumerate(handle, 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                breach = check_include(root, path, match.group(1), match.group(2))
                if breach:
                    breaches.append("%s:%d: includes %s: %s" % (path, number, match.group(2), breach))
    return breaches, seen
