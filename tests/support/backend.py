#!/usr/bin/env python3
"""A generator for tests that speaks `jaunt.generate/1`: it answers from a directory of files.

    python backend.py ANSWERS [--fence | --json] [--log FILE]

The answer for the spec module `shop.cart` is `ANSWERS/shop.cart.py`. One request comes on standard
input, the answer goes to standard output: the source as it is; in a Markdown fence with `--fence`, as
language models like to give it; `{"source": ..., "usage": {...}}` with `--json`. Every request is added
to the log as one line of JSON.

The environment can spoil the answer for one module: `BACKEND_SPOIL=shop.cart:HOW`, with HOW one of

    fail     a message on standard error and exit status 7
    syntax   source that does not parse
    names    source without the expected names
    empty    nothing
    bytes    bytes that are not UTF-8
    hang     no answer, ever
    once     source that does not parse at first, the right one when told what was wrong
"""

import argparse
import json
import os
import pathlib
import sys
import time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("answers", type=pathlib.Path)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--fence", action="store_true")
    form.add_argument("--json", action="store_true")
    parser.add_argument("--log", type=pathlib.Path)
    args = parser.parse_args()
    request = json.loads(sys.stdin.buffer.read().decode("utf-8"))
    if request["protocol"] != "jaunt.generate/1":
        sys.exit("unknown protocol: %s" % request["protocol"])
    if args.log:
        # One write, so that requests that run at the same time do not mix.
        line = json.dumps(request, sort_keys=True) + "\n"
        descriptor = os.open(args.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        os.write(descriptor, line.encode("utf-8"))
        os.close(descriptor)
    context = request["context"]
    module = context["spec_module"]
    file = args.answers / (module + ".py")
    if not file.is_file():
        sys.exit("no answer for %s in %s" % (module, args.answers))
    source = file.read_text(encoding="utf-8")

    spoiled, _, how = os.environ.get("BACKEND_SPOIL", "").partition(":")
    how = how if spoiled == module else ""
    if how == "fail":
        print("the generator does not feel like %s today" % module, file=sys.stderr)
        sys.exit(7)
    elif how == "syntax" or (how == "once" and not request["error_context"]):
        source = "def (:\n"
    elif how == "names":
        source = "something_else = 1\n"
    elif how == "empty":
        return
    elif how == "bytes":
        sys.stdout.buffer.write(b"caf\xe9 = 1\n")
        return
    elif how == "hang":
        while True:
            time.sleep(60)

    if args.json:
        usage = {
            "input_tokens": len(request["prompt"]["user"]) // 4,
            "output_tokens": len(source) // 4,
        }
        text = json.dumps({"source": source, "usage": usage})
    else:
        text = "```python\n%s```\n" % source if args.fence else source
    sys.stdout.buffer.write(text.encode("utf-8"))


if __name__ == "__main__":
    main()
