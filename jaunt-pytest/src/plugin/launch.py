"""Starts pytest as ``python -m pytest`` does, where that itself would not do.

Two things are different: the arguments come from a file, since a command line has a limit; and the
directory of this file is importable even if Python was told to ignore PYTHONPATH.
"""

import json
import os
import runpy
import sys
from importlib.util import find_spec

here = os.path.dirname(os.path.abspath(__file__))

# Python has put the directory of this file first; -m puts the working directory there. With -I and
# -P it puts neither. (The latter came with Python 3.11.)
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    sys.path[0] = os.getcwd()

with open(os.path.join(here, "launch.json"), encoding="utf-8") as file:
    launch = json.load(file)

position = 0 if getattr(sys.flags, "safe_path", sys.flags.isolated) else 1
sys.path[position:position] = [path for path in launch["path"] if path not in sys.path]
if here not in sys.path:
    sys.path.append(here)

if find_spec("pytest") is None:
    with open(os.path.join(here, "no-pytest"), "w"):
        pass
    sys.exit("%s: No module named pytest" % sys.executable)

sys.argv[1:] = launch["arguments"]
runpy.run_module("pytest", run_name="__main__", alter_sys=True)
