"""Tests of the exporter script against the real package.

    python -m pytest tests/support/test_export.py

The interpreter that runs them must have `jaunt` (the 1.7 line) and `pytest`.
"""

import ast
import importlib
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap
import time
import types

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = HERE.parent.parent / "jaunt-engine" / "src" / "exporter" / "export.py"
INVENTORY = HERE.parent / "fixtures" / "inventory"
ANSWERS = HERE.parent / "fixtures" / "answers" / "inventory"

TOML = '[paths]\nsource_roots = ["src"]\ntest_roots = ["tests"]\n'


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text if isinstance(text, bytes) else textwrap.dedent(text).lstrip("\n").encode()
        path.write_bytes(data)


@pytest.fixture
def project(tmp_path):
    """Writes a project of the given files, with the usual roots in `jaunt.toml`."""

    def make(files, toml=TOML):
        root = tmp_path / "project"
        write(root, {"jaunt.toml": "version = 1\n" + toml, **files})
        (root / "src").mkdir(exist_ok=True)
        return root

    return make


def run(root, *options, env=None, script=SCRIPT, stdin=None, **settings):
    stdin = json.dumps({"root": str(root), **settings}) if stdin is None else stdin
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "JAUNT"))}
    return subprocess.run(
        [sys.executable, *options, str(script)],
        input=stdin.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment, **(env or {})},
        timeout=120,
    )


def export(root, **settings):
    """Exports, and returns the registry document."""
    done = run(root, **settings)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    document = json.loads(done.stdout)
    assert document["version"] == 1
    return document


def refusal(root, *options, **settings):
    """Exports, and returns the error object of the refusal."""
    done = run(root, *options, **settings)
    assert done.returncode == 1, done.stdout.decode() + done.stderr.decode()
    document = json.loads(done.stdout)
    assert document.keys() == {"version", "error"}
    assert document["error"]["python"] == sys.executable
    return document["error"]


def refs(document, kind="magic"):
    return [spec["spec_ref"] for spec in document["specs"] if spec["kind"] == kind]


def dependencies(document):
    return {spec["spec_ref"]: spec["dependencies"] for spec in document["specs"]}


def module(document, name):
    entry = dict(document["modules"][name])
    entry.pop("digests")
    return tuple(entry[key] for key in ("output_base", "generated_relpath", "generated_module"))


def digests(document):
    return {name: entry["digests"].get("2") for name, entry in document["modules"].items()}


def tree(root):
    """Returns everything below a directory: names, contents, times."""
    return {
        path.relative_to(root).as_posix(): (
            path.read_bytes() if path.is_file() else None,
            path.lstat().st_mtime_ns,
        )
        for path in root.rglob("*")
    }


SPEC = """
import jaunt

@jaunt.magic()
def f(x: int) -> int:
    \"\"\"Twice x.\"\"\"
    ...
"""
TEST = SPEC.replace("magic", "test").replace("f(x: int) -> int", "test_f()")


# --- The document


def test_the_document_of_a_real_project():
    document = export(INVENTORY)
    assert document["producer"] == {"name": "jaunt", "version": "1.7.14"}
    assert document["generated_modules"] == "hidden"
    assert document["warnings"] == []
    assert document["settings"] == {
        "source_roots": ["src"],
        "test_roots": ["tests"],
        "generated_dir": "__generated__",
        "build_jobs": 2,
        "test_jobs": 2,
        "pytest_args": ["-q"],
    }
    assert dependencies(document) == {
        "inventory.items:Item": ["inventory.items:parse_sku"],
        "inventory.items:parse_sku": [],
        "inventory.pricing:Discount.apply": [],
        "inventory.reports:summary": [],
        "inventory.stock:Stock": ["inventory.items:Item"],
        "inventory.stock:running_low": ["inventory.items:parse_sku"],
        "inventory.sync:refill": ["inventory.items:Item", "inventory.stock:Stock"],
        "tests.test_inventory:test_items_have_a_canonical_sku": ["inventory.items:Item"],
        "tests.test_inventory:test_low_stock_is_ordered_by_family_then_number": [
            "inventory.stock:running_low"
        ],
        "tests.test_inventory:test_taking_more_than_there_is_fails": ["inventory.stock:Stock"],
        "tests.test_reports:test_summary_marks_what_runs_low": [],
    }
    spec = document["specs"][2]
    assert spec == {
        "kind": "magic",
        "spec_ref": "inventory.pricing:Discount.apply",
        "module": "inventory.pricing",
        "qualname": "Discount.apply",
        "source_file": "src/inventory/pricing.py",
        "decorator_kwargs": {"prompt": "Use integer arithmetic only."},
        "decorator_kwargs_json": '{"prompt":"Use integer arithmetic only."}',
        "dependencies": [],
        "class_name": "Discount",
    }
    assert module(document, "inventory.reports") == (
        "src",
        "inventory/__generated__/reports.py",
        "inventory.__generated__.reports",
    )
    assert module(document, "tests.test_reports") == (
        ".",
        "tests/__generated__/test_reports.py",
        "tests.__generated__.test_reports",
    )


def test_specs_and_modules_are_sorted():
    document = export(INVENTORY)
    names = [spec["spec_ref"] for spec in document["specs"]]
    assert names == sorted(names)
    assert list(document["modules"]) == sorted(document["modules"])


def test_the_same_project_gives_the_same_bytes_anywhere(tmp_path):
    copy = shutil.copytree(INVENTORY, tmp_path / "elsewhere")
    here, there = run(INVENTORY), run(copy, env={"PYTHONHASHSEED": "7"})
    assert here.returncode == there.returncode == 0
    assert here.stdout == there.stdout
    assert str(tmp_path).encode() not in there.stdout


def test_nothing_is_written(tmp_path):
    copy = shutil.copytree(INVENTORY, tmp_path / "copy")
    before = tree(copy)
    export(copy)
    assert tree(copy) == before


def test_what_user_code_prints_stays_out_of_the_document(project):
    root = project(
        {
            "src/loud.py": SPEC
            + textwrap.dedent("""
                import atexit, ctypes, logging, os, subprocess, sys
                print("print")
                sys.__stdout__.write("dunder")
                os.write(1, b"descriptor")
                ctypes.CDLL(None).puts(b"from C")
                ctypes.CDLL(None).fflush(None)
                logging.basicConfig(stream=sys.stdout)
                logging.warning("logging")
                subprocess.run([sys.executable, "-c", "print('process')"])
                atexit.register(print, "at exit")
                """)
        }
    )
    done = run(root)
    assert done.returncode == 0
    assert done.stdout.startswith(b"\n{") and done.stdout.endswith(b"}\n")
    assert done.stdout.count(b"\n") == 2
    assert refs(json.loads(done.stdout)) == ["loud:f"]
    said = done.stderr.decode()
    for what in ("print", "dunder", "descriptor", "from C", "logging", "process", "at exit"):
        assert what in said, what


def test_user_code_that_reads_standard_input_finds_nothing(project):
    root = project(
        {
            "src/asks.py": SPEC
            + "import sys\nassert sys.stdin.read() == ''\nopen(0, closefd=False).read()\n"
        }
    )
    assert refs(export(root)) == ["asks:f"]


def test_a_thread_or_a_process_left_running_does_not_keep_the_exporter(project):
    """Nor does such a process keep standard output open, so that its reader would wait."""
    root = project(
        {
            "src/lingers.py": SPEC
            + textwrap.dedent("""
                import os, threading, time
                threading.Thread(target=time.sleep, args=(50,)).start()
                if os.fork() == 0:
                    os.close(2)
                    os.close(1)
                    time.sleep(50)
                    os._exit(0)
                """)
        }
    )
    started = time.monotonic()
    assert refs(export(root)) == ["lingers:f"]
    assert time.monotonic() - started < 40


def test_a_module_beside_the_script_or_in_the_working_directory_shadows_nothing(project, tmp_path):
    root = project({"src/m.py": SPEC})
    write(
        tmp_path, {"bin/copy.py": "raise SystemExit(9)\n", "bin/jaunt.py": "raise SystemExit(9)\n"}
    )
    script = shutil.copy(SCRIPT, tmp_path / "bin" / "export.py")
    done = run(root, script=script)
    assert done.returncode == 0, done.stderr


def test_files_of_the_environment_are_as_the_package_has_them(project):
    root = project(
        {
            ".env": "FROM_DOTENV=yes\n",
            "src/m.py": SPEC + "import os\nassert os.environ['FROM_DOTENV'] == 'yes'\n",
        }
    )
    assert refs(export(root)) == ["m:f"]


# --- Digests


def headers(root, document):
    found = {}
    for name, entry in document["modules"].items():
        text = root.joinpath(entry["output_base"], entry["generated_relpath"]).read_text()
        found[name] = re.search(r"^# jaunt:module_digest=sha256:(\w+)$", text, re.M)[1]
        assert "# jaunt:digest_scheme=2" in text
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Returns the project as the package leaves it after `jaunt build` and `jaunt test`."""
    root = shutil.copytree(INVENTORY, tmp_path_factory.mktemp("built") / "inventory")
    assert build_with_the_package(root, ANSWERS)["status"]["stale"] == []
    return root


def build_with_the_package(root, answers):
    writer = [sys.executable, str(HERE / "write_with_upstream.py"), str(root), str(answers)]
    return json.loads(subprocess.run(writer, check=True, stdout=subprocess.PIPE).stdout)


def test_a_project_built_by_the_package_is_fresh(built):
    document = export(built)
    assert headers(built, document) == digests(document)
    assert len(document["modules"]) == 7


def test_the_document_does_not_depend_on_what_is_built(built):
    assert run(built).stdout == run(INVENTORY).stdout


def test_the_generated_code_works(built):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/__generated__"],
        cwd=built,
        env={**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
    )
    assert done.returncode == 0, done.stdout.decode()
    assert b"4 passed" in done.stdout


def test_classes_below_class_specs_are_fresh_when_the_package_has_built_them(project, tmp_path):
    """Once both are built, the package mixes up the two and does not find the base."""
    root = project(
        {
            "src/base.py": "import jaunt\n\n@jaunt.magic()\nclass Base:\n    '''A class.'''\n",
            "src/child.py": """
                import jaunt
                from base import Base

                @jaunt.magic()
                class Child(Base):
                    '''A class below a spec: its signature is the one of its base.'''
                """,
        }
    )
    answers = {
        "base.py": """
            class Base:
                '''A class.'''

                def __init__(self, x: int) -> None:
                    self.x = x

                def get(self):
                    return self.x
            """,
        "child.py": """
            from base import Base

            class Child(Base):
                '''A class below a spec: its signature is the one of its base.'''

                def twice(self):
                    return 2 * self.x
            """,
    }
    write(tmp_path / "answers", answers)
    said = build_with_the_package(root, tmp_path / "answers")
    assert said["build"]["generated"] == ["base", "child"]
    assert list(said["status"]["digests"]) == ["child"]
    document = export(root)
    assert refs(document) == ["base:Base", "child:Child"]
    assert headers(root, document) == digests(document)


def test_a_changed_spec_changes_its_module_and_what_depends_on_it(built, tmp_path):
    root = shutil.copytree(built, tmp_path / "changed")
    stock = root / "src/inventory/stock.py"
    stock.write_text(stock.read_text().replace("What all of it is worth.", "Its worth, in cents."))
    document = export(root)
    old, new = headers(root, document), digests(document)
    changed = {name for name in new if new[name] != old[name]}
    assert changed == {"inventory.stock", "inventory.sync"}


def test_digests_are_those_of_the_package_for_odd_definitions(project, tmp_path):
    root = project(
        {
            "src/odd.py": '''
                import abc
                import functools
                import jaunt

                def plain(fn):
                    return fn

                def loud(fn):
                    @functools.wraps(fn)
                    def wrapper(*args, **kwargs):
                        return fn(*args, **kwargs)
                    return wrapper

                @plain
                @jaunt.magic(prompt="é\\u2028 \\x7f")
                @loud
                def decorated(a, /, b: "int" = 1, *args, c=[1, 2], **kw) -> dict[str, int]:
                    """Doc with trailing blanks.BLANKS

                    \tTab and é.
                    """
                    return helper(a)BLANKS

                @jaunt.magic(deps="odd:decorated")
                class Base(abc.ABC if False else object):
                    """A class."""
                    x: int = 1
                    y = z = 2

                    @jaunt.sig
                    def sealed(self, a: int) -> str: ...

                    @jaunt.preserve
                    def kept(self):
                        return 1

                    @property
                    def p(self): ...

                @jaunt.magic(infer_deps=False)
                class Child(Base):
                    """A class below a spec."""

                @jaunt.magic
                async def later(*, a=(1,), **kw): "One line."
                '''.replace("BLANKS", "  "),
            "src/governed.py": """
                import jaunt
                jaunt.magic_module(__name__, prompt="all of them")

                def one(x): ...

                class Two:
                    '''Only a docstring.'''

                def written(x):
                    return x
                """,
        }
    )
    document = export(root)
    code = """
import json, sys
from pathlib import Path
import jaunt.cli
args = jaunt.cli.parse_args(["build", "--root", sys.argv[1]])
context = jaunt.cli._discover_build_context(*jaunt.cli._load_config(args), args)
print(json.dumps({m: f["module_digest"] for m, f in context.header_fields_by_module.items()}))
"""
    said = subprocess.run(
        [sys.executable, "-c", code, str(root)], check=True, stdout=subprocess.PIPE, cwd=tmp_path
    )
    assert refs(document) == [
        "governed:Two",
        "governed:one",
        "odd:Base",
        "odd:Child",
        "odd:decorated",
        "odd:later",
    ]
    assert dependencies(document)["odd:Child"] == ["odd:Base"]
    assert digests(document) == json.loads(said.stdout)
    assert {name for name, digest in digests(document).items() if digest} == {"governed", "odd"}


def test_a_chain_that_python_could_not_import_by_name(project):
    """Each module imports the next one; by name, the first import would lead to all the others."""
    n = 400
    files = {f"src/c/m{i:04}.py": SPEC + f"from c import m{i + 1:04}\n" for i in range(n - 1)}
    files = {
        name: text.replace("magic()", f"magic(deps='c.m{i + 1:04}:f')")
        for i, (name, text) in enumerate(files.items())
    }
    files[f"src/c/m{n - 1:04}.py"] = SPEC
    document = export(project(files))
    assert len(document["modules"]) == n
    assert None not in digests(document).values()
    assert dependencies(document)["c.m0007:f"] == ["c.m0008:f"]


# --- What cannot be imported


def test_a_module_that_cannot_be_imported_is_named(project):
    root = project(
        {
            "src/a.py": SPEC + "import helper\n",
            "src/helper.py": "import shop.cart\n",
            "src/shop/cart.py": SPEC + "\nimport no_such_package\n",
        }
    )
    error = refusal(root)
    assert error["kind"] == "import"
    assert error["module"] == "shop.cart"
    assert error["file"] == "src/shop/cart.py"
    assert error["line"] == 8
    assert error["message"] == "ModuleNotFoundError: No module named 'no_such_package'"
    assert error["traceback"].splitlines() == [
        'File "src/a.py", line 7, in <module>',
        "    import helper",
        'File "src/helper.py", line 1, in <module>',
        "    import shop.cart",
        'File "src/shop/cart.py", line 8, in <module>',
        "    import no_such_package",
    ]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("import sys; sys.exit()", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise BaseException('base')", "BaseException: base"),
        ("raise ValueError('\\ud800 é')", "ValueError: \\ud800 é"),
        ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        (
            "f(1)",
            "jaunt.errors.JauntNotBuiltError: Spec m:f has not been built yet. Run `jaunt build` and try again.",
        ),
        ("return 1", "SyntaxError: 'return' outside function (m.py, line 7)"),
    ],
)
def test_the_message_is_pythons_own(project, statement, message):
    error = refusal(project({"src/m.py": SPEC + statement + "\n"}))
    assert (error["kind"], error["module"], error["file"]) == ("import", "m", "src/m.py")
    assert error["message"] == message


def test_a_spec_module_that_does_not_parse_is_named(project):
    error = refusal(project({"src/shop/m.py": SPEC + "def (:\n"}))
    assert (error["kind"], error["module"], error["file"]) == ("import", "shop.m", "src/shop/m.py")
    assert error["message"] == "SyntaxError: invalid syntax (m.py, line 7)"
    assert error["line"] == 7


@pytest.mark.parametrize("statement", ["os._exit(0)", "os.kill(os.getpid(), 11)"])
def test_a_module_that_ends_the_process_is_named(project, statement):
    error = refusal(
        project({"src/a.py": SPEC, "src/m.py": SPEC + "import os\n" + statement + "\n"})
    )
    assert (error["kind"], error["module"]) == ("crash", "m")
    assert error["message"] == "Python ended while it imported `m`"


@pytest.mark.parametrize(
    "generated",
    [
        "class Price(:\n",
        "1 / 0\n",
        "raise SystemExit(0)\n",
        "import no_such_package\n",
        "\0",
        "caf\xe9 = 1\n".encode("latin-1"),
        "class Other: ...\n",
        "import os; os._exit(0)\n",
        "Price = 1\n",
        "class Meta(type):\n    def __new__(*a): raise ValueError('no')\nclass Price: ...\nPrice.__init_subclass__ = 1\n",
    ],
)
def test_a_broken_generated_module_does_not_prevent_the_export(project, generated):
    files = {
        "src/shop/price.py": """
            import jaunt

            @jaunt.magic()
            class Price:
                '''A price.'''
            """,
        "src/shop/cart.py": """
            import jaunt
            from shop.price import Price

            class Reduced(Price):
                pass

            @jaunt.magic(deps=[Price])
            def total(prices: list[Price]) -> Price: ...
            """,
    }
    root = project(files)
    without = export(root)
    write(
        root,
        {"src/shop/__generated__/__init__.py": "", "src/shop/__generated__/price.py": generated},
    )
    document = export(root)
    assert refs(document) == ["shop.cart:total", "shop.price:Price"]
    assert document == without


USES_GENERATED = {
    "src/price.py": "import jaunt\n\n@jaunt.magic()\nclass Price:\n    '''A price.'''\n",
    "src/child.py": """
        import jaunt
        from price import Price

        FREE = Price(0)

        @jaunt.magic()
        class Child(Price):
            '''A class below a spec: its signature is the one of its base.'''
        """,
    "src/governed.py": "import jaunt\njaunt.magic_module(__name__)\ndef tax(x): ...\n",
    "src/after.py": """
        import jaunt
        from governed import tax

        @jaunt.magic(deps=[tax])
        def gross(x): ...
        """,
}
PRICE = "class Price:\n    def __init__(self, cents: int) -> None: ...\n"


def test_a_module_that_needs_generated_code_while_it_is_imported_gets_it(project):
    root = project(USES_GENERATED)
    error = refusal(root)
    assert (error["kind"], error["module"]) == ("import", "child")
    assert error["message"].startswith("jaunt.errors.JauntNotBuiltError: Spec price:Price has not")
    assert error["hint"].startswith("a spec is used while modules are imported")

    write(root, {"src/__generated__/price.py": PRICE})
    document = export(root)
    assert document["generated_modules"] == "visible"
    assert dependencies(document) == {
        "after:gross": ["governed:tax"],
        "child:Child": ["price:Price"],
        "governed:tax": [],
        "price:Price": [],
    }
    # Its signature is the one of the generated class, which the package did not know when it built this.
    assert [name for name, digest in digests(document).items() if digest is None] == ["child"]

    write(root, {"src/__generated__/governed.py": "def tax(x): return x\n"})
    assert export(root) == document


def test_a_broken_generated_module_does_not_keep_others_from_being_used(project):
    root = project(
        {
            **USES_GENERATED,
            "src/__generated__/price.py": PRICE,
            "src/__generated__/bad.py": "class Bad(:\n",
            "src/bad.py": "import jaunt\n\n@jaunt.magic()\nclass Bad:\n    '''A class.'''\n",
        }
    )
    document = export(root)
    assert document["generated_modules"] == "visible"
    assert document["warnings"] == [
        "the generated module of `bad` cannot be imported: SyntaxError: invalid syntax (bad.py, line 1)"
    ]
    assert "bad:Bad" in refs(document)


def test_an_error_in_user_code_is_reported_after_the_second_try(project):
    root = project({"src/m.py": SPEC + "1 / 0\n", "src/__generated__/m.py": ""})
    assert refusal(root)["message"] == "ZeroDivisionError: division by zero"


# --- Files and names


def test_a_byte_order_mark_is_not_part_of_a_spec(project):
    plain = export(project({"src/m.py": SPEC, "tests/test_m.py": TEST}))
    marked = b"\xef\xbb\xbf"
    document = export(
        project(
            {
                "src/m.py": marked + SPEC.lstrip().replace("\n", "\r\n").encode(),
                "tests/test_m.py": marked + TEST.lstrip().encode(),
            }
        )
    )
    assert document == plain
    assert None not in digests(document).values()


def test_a_module_governed_by_magic_module_may_have_a_byte_order_mark(project):
    text = b"\xef\xbb\xbfimport jaunt\njaunt.magic_module(__name__)\n\ndef f(x): ...\n"
    assert refs(export(project({"src/m.py": text}))) == ["m:f"]


def test_a_spec_module_that_is_not_utf_8_is_named(project):
    text = b"# coding: latin-1\n" + SPEC.replace("Twice", "Zw\xf6lfmal").encode("latin-1")
    error = refusal(project({"src/shop/m.py": text}))
    assert (error["kind"], error["file"], error["line"]) == ("decode", "src/shop/m.py", 7)


def test_files_without_specs_may_have_any_content(project):
    root = project(
        {
            "src/m.py": SPEC,
            "src/latin.py": b"# coding: latin-1\nname = 'jaunt caf\xe9'\n",
            "src/template.py": "{{ jaunt }} (\n",
            "src/data.py/readme.txt": "a directory\n",
        }
    )
    (root / "src/gone.py").symlink_to("nowhere")
    assert refs(export(root)) == ["m:f"]


def test_a_namespace_package(project):
    document = export(project({"src/ns/deep/m.py": SPEC}))
    assert module(document, "ns.deep.m") == (
        "src",
        "ns/__generated__/deep/m.py",
        "ns.__generated__.deep.m",
    )


def test_specs_in_a_package_and_below_it(project):
    document = export(
        project({"src/p/q/__init__.py": SPEC, "src/p/q/m.py": SPEC, "src/p/__init__.py": SPEC})
    )
    assert refs(document) == ["p.q.m:f", "p.q:f", "p:f"]
    assert {spec["source_file"] for spec in document["specs"]} == {
        "src/p/__init__.py",
        "src/p/q/__init__.py",
        "src/p/q/m.py",
    }
    assert module(document, "p") == ("src", "__generated__/p.py", "__generated__.p")


def test_a_cycle_of_modules_without_a_cycle_of_specs(project):
    root = project(
        {
            "src/a.py": """
                import jaunt

                @jaunt.magic(deps=["b:y"])
                def x(): ...

                @jaunt.magic()
                def w(): ...

                import b
                """,
            "src/b.py": """
                import jaunt
                import a

                @jaunt.magic()
                def y(): ...

                @jaunt.magic(deps=["a:w"])
                def z(): ...
                """,
        }
    )
    document = export(root)
    assert dependencies(document) == {"a:w": [], "a:x": ["b:y"], "b:y": [], "b:z": ["a:w"]}
    assert None not in digests(document).values()


def test_a_cycle_of_specs_is_left_to_the_reader(project):
    def spec(dep):
        return SPEC.replace("magic()", f"magic(deps={dep!r})")

    document = export(
        project(
            {
                "src/a.py": spec("b:f"),
                "src/b.py": spec("a:f"),
                "src/c.py": spec("b:f"),
                "src/d.py": SPEC,
            }
        )
    )
    assert dependencies(document) == {"a:f": ["b:f"], "b:f": ["a:f"], "c:f": ["b:f"], "d:f": []}
    assert [name for name, digest in digests(document).items() if digest] == ["d"]


@pytest.mark.parametrize(
    ("test_roots", "file", "name", "place"),
    [
        (["tests"], "tests/test_m.py", "tests.test_m", (".", "tests/__generated__/test_m.py")),
        (
            ["tests"],
            "tests/a/test_m.py",
            "tests.a.test_m",
            (".", "tests/__generated__/a/test_m.py"),
        ),
        (["."], "tests/test_m.py", "tests.test_m", (".", "tests/__generated__/test_m.py")),
        (["."], "test_m.py", "test_m", (".", "__generated__/test_m.py")),
        (["checks"], "checks/test_m.py", "checks.test_m", (".", "checks/__generated__/test_m.py")),
        (["test"], "test/test_m.py", "test.test_m", (".", "test/__generated__/test_m.py")),
        (["qa/unit"], "qa/unit/a/m.py", "qa.unit.a.m", (".", "qa/unit/__generated__/a/m.py")),
        (
            ["unit-tests"],
            "unit-tests/test_m.py",
            "test_m",
            ("unit-tests", "__generated__/test_m.py"),
        ),
        (["my-pkg/tests"], "my-pkg/tests/m.py", "tests.m", ("my-pkg", "tests/__generated__/m.py")),
        (
            ["src/shop/tests"],
            "src/shop/tests/m.py",
            "src.shop.tests.m",
            (".", "src/shop/tests/__generated__/m.py"),
        ),
    ],
)
def test_test_roots_of_all_kinds(project, test_roots, file, name, place):
    root = project(
        {
            "src/shop/__init__.py": "",
            "src/shop/cart.py": SPEC,
            file: TEST.replace("test()", "test(targets=[f])").replace(
                "import jaunt", "import jaunt\nfrom shop.cart import f"
            ),
            ".venv/lib/lost.py": TEST,
            "env/pyvenv.cfg": "",
            "env/lost.py": TEST,
        },
        toml=f"[paths]\nsource_roots = ['src']\ntest_roots = {test_roots}\n",
    )
    document = export(root)
    assert refs(document) == ["shop.cart:f"]
    assert refs(document, "test") == [name + ":test_f"]
    assert module(document, name)[:2] == place
    assert dependencies(document)[name + ":test_f"] == ["shop.cart:f"]
    assert digests(document)[name]
    spec = (
        document["specs"][-1] if document["specs"][-1]["kind"] == "test" else document["specs"][0]
    )
    assert spec["source_file"] == file
    assert file.endswith(name.replace(".", "/") + ".py")


def test_one_directory_may_be_source_root_and_test_root(project):
    root = project(
        {
            "m.py": SPEC,
            "tests/test_m.py": TEST,
            "count.py": SPEC
            + "import os\nassert not os.environ.get('SEEN')\nos.environ['SEEN'] = '1'\n",
        },
        toml='[paths]\nsource_roots = ["."]\ntest_roots = ["."]\n',
    )
    document = export(root)
    assert refs(document) == ["count:f", "m:f"]
    assert refs(document, "test") == ["tests.test_m:test_f"]


def test_an_installed_package_called_tests_does_not_win(project, tmp_path):
    root = project({"src/m.py": SPEC, "tests/test_m.py": TEST})
    write(tmp_path, {"site/tests/__init__.py": "raise ImportError('the wrong tests')\n"})
    done = run(root, env={"PYTHONPATH": str(tmp_path / "site")})
    assert refs(json.loads(done.stdout), "test") == ["tests.test_m:test_f"]


def test_packages_of_a_workspace_may_have_test_modules_of_one_name(project):
    root = project(
        {
            "pkgs/a/pyproject.toml": "",
            "pkgs/a/src/a/m.py": SPEC,
            "pkgs/a/tests/test_m.py": TEST,
            "pkgs/a/tests/test_a.py": TEST,
            "pkgs/b/pyproject.toml": "",
            "pkgs/b/src/b/m.py": SPEC,
            "pkgs/b/tests/test_m.py": TEST,
        },
        toml='[paths]\nsource_roots = ["pkgs/*/src"]\ntest_roots = ["pkgs/*/tests"]\n',
    )
    document = export(root)
    assert document["settings"]["source_roots"] == ["pkgs/a/src", "pkgs/b/src"]
    assert refs(document) == ["a.m:f", "b.m:f"]
    assert refs(document, "test") == [
        "pkgs.a.tests.test_m:test_f",
        "pkgs.b.tests.test_m:test_f",
        "tests.test_a:test_f",
    ]
    assert module(document, "tests.test_a")[:2] == ("pkgs/a", "tests/__generated__/test_a.py")
    assert module(document, "pkgs.b.tests.test_m") == (
        ".",
        "pkgs/b/tests/__generated__/test_m.py",
        "pkgs.b.tests.__generated__.test_m",
    )


def test_two_files_of_one_name_are_refused(project):
    root = project({"src/m.py": SPEC, "m.py": SPEC}, toml='[paths]\nsource_roots = ["src", "."]\n')
    error = refusal(root)
    assert error["kind"] == "config"
    assert error["message"] == "two files are the module `m`: m.py and src/m.py"


def test_a_name_that_leads_elsewhere_is_refused(project):
    error = refusal(project({"src/m.py": SPEC + "import os, sys\nsys.modules['m'] = os\n"}))
    assert (error["kind"], error["module"], error["file"]) == ("shadowed", "m", "src/m.py")


def test_a_package_without_init_loses_against_an_installed_one(project):
    error = refusal(project({"src/hypothesis/m.py": SPEC}))
    assert (error["kind"], error["module"]) == ("import", "hypothesis.m")
    assert error["message"] == "ModuleNotFoundError: No module named 'hypothesis.m'"


def test_a_file_with_specs_must_be_named_like_a_module(project):
    root = project({"src/ok.py": SPEC, "src/make-docs.py": "import jaunt\nraise SystemExit(9)\n"})
    assert refs(export(root)) == ["ok:f"]
    error = refusal(project({"src/my-specs.py": SPEC}))
    assert (error["kind"], error["file"]) == ("name", "src/my-specs.py")


def test_product_specs_and_test_specs_do_not_mix(project):
    root = project(
        {"m.py": SPEC + TEST}, toml='[paths]\nsource_roots = ["."]\ntest_roots = ["."]\n'
    )
    error = refusal(root)
    assert (error["kind"], error["module"], error["file"]) == ("mixed", "m", "m.py")


def test_a_spec_below_a_decorator_from_elsewhere_belongs_to_its_own_file(project):
    root = project(
        {
            "src/deco.py": """
                import functools

                def loud(fn):
                    @functools.wraps(fn)
                    def wrapper(*args):
                        return fn(*args)
                    return wrapper
                """,
            "src/m.py": SPEC.replace("magic()\n", "magic()\n@loud\n@functools.lru_cache\n").replace(
                "import jaunt", "import functools\nimport jaunt\nfrom deco import loud"
            ),
        }
    )
    document = export(root)
    assert document["specs"][0]["source_file"] == "src/m.py"
    assert digests(document)["m"]


def test_specs_of_installed_packages_are_not_the_projects(project, tmp_path):
    root = project({"src/m.py": SPEC + "import installed\n"})
    write(tmp_path, {"site/installed.py": SPEC})
    done = run(root, env={"PYTHONPATH": str(tmp_path / "site")})
    document = json.loads(done.stdout)
    assert refs(document) == ["m:f"]
    assert document["warnings"] == [
        "left out `installed:f`: `installed` is no module below the source roots"
    ]


def test_installed_packages_keep_their_generated_modules(project, tmp_path):
    root = project(
        {
            "src/m.py": SPEC + "from lib.m import f as lib_f\nimport top\n"
            "assert lib_f(2) == top.f(2) == 4\n",
            "src/__generated__/m.py": "def f(x): return 2 * x\n",
        }
    )
    write(
        tmp_path,
        {
            "site/lib/__init__.py": "",
            "site/lib/m.py": SPEC,
            "site/lib/__generated__/__init__.py": "",
            "site/lib/__generated__/m.py": "def f(x): return 2 * x\n",
            "site/top.py": SPEC,
            "site/__generated__/top.py": "def f(x): return 2 * x\n",
        },
    )
    done = run(root, env={"PYTHONPATH": str(tmp_path / "site")})
    document = json.loads(done.stdout)
    assert document["generated_modules"] == "hidden"
    assert refs(document) == ["m:f"]


# --- Arguments and settings


def test_arguments_with_and_without_a_json_form(project):
    deep = "[" * 120 + "]" * 120
    arguments = {
        "a": "1.5",
        "b": "float('nan')",
        "c": "'\\ud800'",
        "d": deep,
        "e": "10 ** 30",
        "g": "{2, 1}",
        "h": "object",
        "i": "'é'",
        "j": "10 ** 400",
    }
    text = "import jaunt\n" + "".join(
        f"@jaunt.magic(prompt={value})\ndef {name}(): ...\n" for name, value in arguments.items()
    )
    document = export(project({"src/m.py": text}))
    found = {spec["qualname"]: spec for spec in document["specs"]}
    values = {name: spec["decorator_kwargs"] for name, spec in found.items()}
    assert values == {
        "a": {"prompt": 1.5},
        "b": None,
        "c": None,
        "d": None,
        "e": {"prompt": 10**30},
        "g": {"prompt": [1, 2]},
        "h": {"prompt": "<class 'object'>"},
        "i": {"prompt": "é"},
        "j": None,
    }
    assert found["b"]["decorator_kwargs_json"] == '{"prompt":NaN}'
    assert found["c"]["decorator_kwargs_json"] == '{"prompt":"\\ud800"}'
    assert found["i"]["decorator_kwargs_json"] == '{"prompt":"\\u00e9"}'


def test_arguments_without_a_text_are_refused(project):
    text = "import jaunt\nd = {}\nd['d'] = d\n@jaunt.magic(prompt=d)\ndef f(): ...\n"
    error = refusal(project({"src/m.py": text}))
    assert (error["kind"], error["module"], error["file"]) == ("kwargs", "m", "src/m.py")
    assert "`m:f`" in error["message"]


def test_odd_specs_are_warned_about(project):
    text = "import jaunt\n@jaunt.magic(deps=['m:g', 'x:y', 'not a ref'], prompt=object())\ndef f(): ...\n@jaunt.magic()\ndef g(): ...\n"
    document = export(project({"src/m.py": text}))
    assert dependencies(document) == {"m:f": ["m:g"], "m:g": []}
    assert document["warnings"] == [
        "`m:f` names a dep that is no spec: 'not a ref'",
        "`m:f` names a dep that is no spec: `x:y`",
        "the decorator arguments of `m:f` hold the address of an object, so its digest changes with every run",
    ]


def test_specs_under_the_wrong_roots_are_warned_about(project):
    root = project({"src/m.py": SPEC + TEST, "tests/test_m.py": SPEC + TEST})
    document = export(root)
    assert refs(document) == ["m:f"]
    assert refs(document, "test") == ["tests.test_m:test_f"]
    assert document["warnings"] == [
        "left out `m:test_f`: it is a test spec outside of the test roots",
        "left out `tests.test_m:f`: it is a product spec among the tests",
    ]


def test_inference_can_be_switched_off(project):
    root = project(
        {
            "src/m.py": SPEC + "@jaunt.magic()\ndef g(x):\n    return f(x)\n",
            "tests/test_m.py": "import jaunt\nfrom m import f\n@jaunt.test()\ndef test_f():\n    f(1)\n",
        }
    )
    both = {"m:f": [], "m:g": ["m:f"], "tests.test_m:test_f": ["m:f"]}
    assert dependencies(export(root)) == both
    assert dependencies(export(root, infer_deps=True, test_infer_deps=None)) == both
    assert dependencies(export(root, infer_deps=False)) == {**both, "m:g": []}
    assert dependencies(export(root, test_infer_deps=False)) == {**both, "tests.test_m:test_f": []}


def test_settings_replace_roots(project):
    root = project({"lib/m.py": SPEC, "t/test_m.py": TEST})
    document = export(root, source_roots=["lib"], test_roots=["t"], generated_dir="_gen")
    assert module(document, "m") == ("lib", "_gen/m.py", "_gen.m")
    assert module(document, "t.test_m") == (".", "t/_gen/test_m.py", "t._gen.test_m")
    assert document["settings"]["generated_dir"] == "_gen"


def test_a_configuration_elsewhere(project, tmp_path):
    root = project({"lib/m.py": SPEC})
    write(
        tmp_path,
        {"other.toml": 'version = 1\n[paths]\nsource_roots = ["lib"]\n[build]\njobs = 3\n'},
    )
    document = export(root, config=str(tmp_path / "other.toml"))
    assert refs(document) == ["m:f"]
    assert document["settings"]["build_jobs"] == 3


def test_a_configuration_of_version_2(tmp_path):
    root = tmp_path / "project"
    toml = """
        version = 2
        [target.py]
        source_roots = ["lib"]
        test_roots = ["checks"]
        pytest_args = ["-x"]
        test_infer_deps = false
        [test]
        jobs = 3
        """
    write(root, {"jaunt.toml": toml, "lib/m.py": SPEC, "checks/test_m.py": TEST})
    document = export(root)
    assert list(document["modules"]) == ["checks.test_m", "m"]
    assert document["settings"]["pytest_args"] == ["-x"]
    assert document["settings"]["test_jobs"] == 3


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("version = ", "Invalid TOML"),
        ("version = 1\n[pahts]\n", "unknown key 'pahts' in jaunt.toml"),
        ("version = 1\n[paths]\nsource_roots = ['nowhere']\n", "none of paths.source_roots exist"),
        (
            "version = 1\n[paths]\nsource_roots = ['..']\n",
            "of paths.source_roots is outside of the project root",
        ),
        (
            "version = 1\n[paths]\ntest_roots = ['/usr']\n",
            "`/usr` of paths.test_roots is outside of the project root",
        ),
        ("version = 2\n[target.ts]\n", "jaunt.toml has no table [target.py]"),
        ("version = 1\n[paths]\ngenerated_dir = 'a/b'\n", "must be a valid Python identifier"),
        (None, "Missing jaunt.toml"),
    ],
)
def test_a_faulty_configuration(tmp_path, toml, message):
    write(tmp_path, {"src/m.py": SPEC})
    if toml is not None:
        write(tmp_path, {"jaunt.toml": toml})
    error = refusal(tmp_path)
    assert (error["kind"], error["file"]) == ("config", "jaunt.toml")
    assert message in error["message"]


@pytest.mark.parametrize(
    "stdin",
    [
        "",
        "[]",
        "{}",
        '{"root": 1}',
        '{"root": ".", "infer_deps": "no"}',
        '{"root": ".", "source_roots": [1]}',
        "\xff",
    ],
)
def test_malformed_settings(stdin):
    done = run(".", stdin=stdin)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["kind"] == "usage"


def test_a_project_without_specs(project):
    document = export(project({"src/m.py": "import jaunt\n"}))
    assert document["specs"] == [] and document["modules"] == {}


def test_tests_that_the_package_derives_from_classes_are_listed(project):
    text = "import jaunt\n@jaunt.magic(test=True)\nclass C:\n    '''A class.'''\n"
    document = export(project({"src/shop/m.py": text, "tests/test_m.py": TEST}))
    assert document["auto_tests"] == [
        {"module": "tests.__auto__.shop.m", "path": "tests/__generated__/auto/shop/m.py"}
    ]


# --- Interpreters and packages


def test_an_old_interpreter(tmp_path):
    code = "import sys; sys.version_info = (3, 9, 1); exec(compile(open(sys.argv[1]).read(), 'export.py', 'exec'))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(SCRIPT)], input=b'{"root": "."}', stdout=subprocess.PIPE
    )
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["kind"] == "python_too_old"
    assert "needs Python 3.12 or newer, this is 3.9" in error["message"]


def test_an_interpreter_without_the_package(project):
    error = refusal(project({"src/m.py": SPEC}), "-S")
    assert error["kind"] == "missing_package"
    assert "-m pip install 'jaunt>=1.7,<1.8'" in error["hint"]


@pytest.mark.parametrize(
    ("version", "kind", "message"),
    [
        (
            "0.1.0",
            "unsupported_package",
            "the Python package `jaunt` is 0.1.0, and this needs the 1.7 line",
        ),
        (
            "1.70.0",
            "unsupported_package",
            "the Python package `jaunt` is 1.70.0, and this needs the 1.7 line",
        ),
        (
            "1.7.99",
            "unsupported_package",
            "the Python package `jaunt` 1.7.99 differs from the releases that are known to work "
            "(1.7.1 to 1.7.14): no module `jaunt.config`; no module `jaunt.decorator_analysis`; ",
        ),
        ("1.7.98", "broken_package", "ModuleNotFoundError: No module named 'needed'"),
        ("1.7.97", "broken_package", "ModuleNotFoundError: No module named 'jaunt.needed'"),
    ],
)
def test_another_package(project, tmp_path, version, kind, message):
    root = project({"src/m.py": SPEC})
    broken = {"1.7.98": "import needed\n", "1.7.97": "import jaunt.needed\n"}
    if version in broken:
        write(tmp_path, {"site/jaunt/config.py": broken[version]})
    write(
        tmp_path,
        {
            "site/jaunt/__init__.py": "",
            f"site/jaunt-{version}.dist-info/METADATA": f"Name: jaunt\nVersion: {version}\n",
        },
    )
    error = refusal(root, "-S", env={"PYTHONPATH": str(tmp_path / "site")})
    assert error["kind"] == kind
    assert message in error["message"]


def test_the_script_can_be_passed_on_the_command_line(project):
    root = project({"src/m.py": SPEC, "copy.py": "raise SystemExit(9)\n"})
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.read_text()],
        input=json.dumps({"root": "."}).encode(),
        stdout=subprocess.PIPE,
        cwd=root,
    )
    assert done.returncode == 0
    assert refs(json.loads(done.stdout)) == ["m:f"]


# --- What the script uses of the package


def load_script():
    """Returns the script as a module, and undoes its changes to `sys`."""
    path, writes_nothing = list(sys.path), sys.dont_write_bytecode
    spec = importlib.util.spec_from_file_location("export_script", SCRIPT)
    loaded = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(loaded)
    finally:
        sys.path[:], sys.dont_write_bytecode = path, writes_nothing
    return loaded


SCRIPT_MODULE = load_script()
PACKAGE = SCRIPT_MODULE.Package
ALL_FUNCTIONS = {**PACKAGE.FUNCTIONS, **PACKAGE.AUTO_TEST_FUNCTIONS}
ALL_NAMES = [*ALL_FUNCTIONS, *PACKAGE.ERRORS, *PACKAGE.RECORDS, *PACKAGE.REPLACED]
ATTRIBUTES = [
    (name, attribute)
    for table in (PACKAGE.RECORDS, PACKAGE.REPLACED)
    for name in table
    for attribute in table[name].split()
]


def split(name):
    """Returns a module of the package, and the name in it."""
    module, _, attribute = name.partition(".")
    return importlib.import_module("jaunt." + module), attribute


def difference():
    """Returns the differences in the message of `unsupported_package`."""
    with pytest.raises(SCRIPT_MODULE.Refusal) as caught:
        PACKAGE().load_auto_tests()
    error = caught.value.document
    assert error["kind"] == "unsupported_package"
    assert "-m pip install 'jaunt>=1.7.1,<=1.7.14'" in error["hint"]
    start = (
        f"the Python package `jaunt` {importlib.metadata.version('jaunt')} differs from the "
        "releases that are known to work (1.7.1 to 1.7.14): "
    )
    assert error["message"].startswith(start)
    return error["message"][len(start) :]


def test_the_installed_package_has_all_that_is_used():
    package = PACKAGE()
    package.load_auto_tests()
    assert package.version == importlib.metadata.version("jaunt")
    assert package.functions.keys() == ALL_FUNCTIONS.keys()


def test_the_installed_package_is_the_newest_that_is_known_to_work():
    assert importlib.metadata.version("jaunt") == PACKAGE.NEWEST


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_package_without_a_name_is_unsupported(monkeypatch, name):
    monkeypatch.delattr(*split(name))
    assert difference() == f"no `jaunt.{name}`"


@pytest.mark.parametrize("name", ALL_FUNCTIONS)
def test_a_package_with_another_signature_is_unsupported(monkeypatch, name):
    monkeypatch.setattr(*split(name), lambda *, another: None)
    needed = ", ".join(ALL_FUNCTIONS[name].split())
    assert difference() == f"`jaunt.{name}` takes `(another)`, not `({needed})`"


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_package_with_a_name_of_another_kind_is_unsupported(monkeypatch, name):
    monkeypatch.setattr(*split(name), 5)
    assert f"`jaunt.{name}" in difference()


@pytest.mark.parametrize(("name", "attribute"), ATTRIBUTES)
def test_a_package_without_an_attribute_is_unsupported(monkeypatch, name, attribute):
    owner, last = split(name)
    original = getattr(owner, last)
    others = {*dir(original), *getattr(original, "__dataclass_fields__", ())} - {attribute}
    others = dict.fromkeys(other for other in others if not other.startswith("__"))
    if name in PACKAGE.RECORDS:
        others["__dataclass_fields__"] = dict.fromkeys(others)
        monkeypatch.setattr(owner, last, type(last, (), others))
    else:
        monkeypatch.setattr(owner, last, types.SimpleNamespace(**others))
    assert difference() == f"no `jaunt.{name}.{attribute}`"


def test_a_package_that_ignores_the_name_of_a_spec_is_unsupported(monkeypatch):
    monkeypatch.setattr(*split("spec_ref.spec_ref_from_object"), lambda obj: "other:name")
    function = "`jaunt.spec_ref.spec_ref_from_object`"
    assert difference() == f"{function} ignores `__jaunt_spec_ref__`"


def test_many_differences_are_counted(monkeypatch):
    for name in list(PACKAGE.FUNCTIONS)[:6]:
        monkeypatch.delattr(*split(name))
    assert difference().count("; ") == 4
    assert difference().endswith("; and 2 more")


def test_functions_are_called_as_the_tables_say():
    """So the check covers exactly what is used."""
    called = set()
    for node in ast.walk(ast.parse(SCRIPT.read_text())):
        if not (isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "call"):
            continue
        name = ast.literal_eval(node.args[0])
        words = ALL_FUNCTIONS[name].split()
        keywords = [word[:-1] for word in words if word.endswith("=")]
        assert [word.arg for word in node.keywords] == keywords, name
        assert len(node.args) - 1 == len(words) - len(keywords), name
        called.add(name)
    replaced = {name for name in PACKAGE.FUNCTIONS if name.endswith(".spec_ref_from_object")}
    replaced.add("runtime._import_generated_module")
    assert called | replaced == ALL_FUNCTIONS.keys()


def test_one_class_alone_names_what_is_in_the_package():
    private = {name.partition(".")[2] for name in ALL_FUNCTIONS if "._" in name}
    for section in ast.parse(SCRIPT.read_text()).body:
        if isinstance(section, ast.ClassDef) and section.name == "Package":
            continue
        for node in ast.walk(section):
            name = getattr(node, "id", None) or getattr(node, "attr", None)
            assert name != "jaunt" and name not in private, ast.unparse(node)
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                assert not any(alias.name.startswith("jaunt") for alias in node.names)
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith("jaunt.") or node.value.startswith("jaunt.toml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("del jaunt.workspace._owner", "no `jaunt.workspace._owner`"),
        ("del jaunt.tester._auto_test_output_path", "no `jaunt.tester._auto_test_output_path`"),
        (
            "jaunt.deps._normalize_dep = lambda dep, specs: None",
            "`jaunt.deps._normalize_dep` takes `(dep, specs)`, not `(dep)`",
        ),
        (
            "jaunt.deps.build_spec_graph = lambda specs, infer_default: jaunt.deps.gone",
            "AttributeError: module 'jaunt.deps' has no attribute 'gone'",
        ),
        (
            "def graph(specs, infer_default): from jaunt.deps import gone\n"
            "jaunt.deps.build_spec_graph = graph",
            "ImportError: cannot import name 'gone' from 'jaunt.deps'",
        ),
        ("jaunt.workspace.nearest_pyproject = lambda *args, **more: 5", "AttributeError: "),
    ],
)
def test_a_changed_package_is_never_reported_as_a_bug_of_the_script(project, tmp_path, change, message):
    text = "import jaunt\n@jaunt.magic(test=True)\nclass C:\n    '''A class.'''\n"
    root = project({"src/m.py": text})
    start = "import jaunt.deps, jaunt.tester, jaunt.workspace\n"
    write(tmp_path, {"site/sitecustomize.py": start + change + "\n"})
    error = refusal(root, env={"PYTHONPATH": str(tmp_path / "site")})
    assert error["kind"] == "unsupported_package"
    assert f"`jaunt` {importlib.metadata.version('jaunt')} differs" in error["message"]
    assert message in error["message"]
