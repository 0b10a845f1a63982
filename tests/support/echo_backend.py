"""A command backend without a model: every expected name becomes a function that returns its own name.

Speaks `jaunt.generate/1`. What it was asked is appended to the file that `ECHO_LOG` names, one module a
line. A spec whose docstring says `FAIL` gets code that does not parse; tests pass unless it says `WRONG`.
"""

import json
import os
import sys

request = json.load(sys.stdin)
assert request["protocol"] == "jaunt.generate/1", request["protocol"]
context = request["context"]

if "ECHO_LOG" in os.environ:
    with open(os.environ["ECHO_LOG"], "a") as log:
        log.write(context["spec_module"] + "\n")

sources = "\n".join(context["spec_sources"].values())
if "FAIL" in sources:
    print("def broken(:")
    sys.exit()
print(f'"""Generated for {context["spec_module"]}."""')
for name in context["expected_names"]:
    print(f"\n\ndef {name}():")
    if context["kind"] == "test":
        print(f"    assert {'WRONG' not in sources}")
    else:
        print(f"    return {name!r}")
