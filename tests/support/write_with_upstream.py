"""Builds a project with the real Python package `jaunt` (1.7.14), with answers for a model.

    python write_with_upstream.py PROJECT ANSWERS

Runs the package's own command line in this process, `jaunt build` and `jaunt test --no-build --no-run`,
with nothing but its backend replaced: the answer for the spec module `shop.cart` is
`ANSWERS/shop.cart.py`. So what ends up in the project is what the package writes, byte for byte:
generated modules with its header (digest scheme 2, spec digests, generation fingerprint, context and API
digests), `*.contract.json`, `AGENTS.md`, `CLAUDE.md`, `__init__.py` files, stubs (`*.pyi`) beside the
spec modules, `.jaunt/`.

Prints one JSON object: {"build": what `jaunt build --json` said, "test": the same for `jaunt test`,
"status": what `jaunt status --json` said between the two}.
"""

import contextlib
import io
import json
import os
import pathlib
import sys


def main(project, answers):
    # Without a display of its own, and without the network.
    os.environ["NO_COLOR"] = "1"
    import jaunt.cli
    from jaunt.generate.base import GeneratorBackend

    class Answers(GeneratorBackend):
        async def generate_module(self, ctx, *, extra_error_context=None):
            return (answers / (ctx.spec_module + ".py")).read_text(encoding="utf-8"), None

    jaunt.cli._build_backend = lambda config: Answers()

    def run(*command):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            status = jaunt.cli.main([*command, "--root", str(project), "--json"])
        if status != 0:
            sys.exit("jaunt %s ended with %s: %s" % (" ".join(command), status, said.getvalue()))
        return json.loads(said.getvalue())

    offline = ["--no-auto-skills", "--no-builtin-skills", "--no-progress", "--no-cache"]
    report = {
        "build": run("build", "--no-repo-map", *offline),
        "status": run("status"),
        "test": run("test", "--no-build", "--no-run", *offline),
    }
    print(json.dumps(report, sort_keys=True))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve())
