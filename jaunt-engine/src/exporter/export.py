"""Prints the registry document of a project that uses the Python package `jaunt` (the 1.7 line).

    python export.py < settings.json > registry.json

The script runs under the project's own interpreter and asks the installed `jaunt` package for what
it knows: configuration, names, registry, dependency graph, digests. It writes no file, byte code
included, and needs nothing but `jaunt`.

Standard input, read to its end, is one JSON object. Only `root` is required; what is null or absent
is as jaunt.toml says.

    root             the project root
    config           path of jaunt.toml; default `<root>/jaunt.toml`
    infer_deps       false: infer no dependencies of product specs
    test_infer_deps  false: infer no dependencies of test specs
    source_roots     list of texts that replaces the one of jaunt.toml
    test_roots       the same
    generated_dir    text that replaces the one of jaunt.toml

Standard output is one line with one JSON document. Python's start-up files may have printed lines
before it, so a careful reader takes the last line. With exit status 0 it is the registry document,
version 1, which has these keys besides the documented ones:

    generated_modules  "hidden": the spec modules were imported with their generated modules out of
                       reach, so it does not matter what these hold;
                       "visible": that failed, and it worked with them
    auto_tests         [{"module", "path"}]: tests that `jaunt` makes up for classes (`test=True`).
                       They have no source text, so they are no specs here; nor are they orphans
    warnings           texts, sorted

With exit status 1 it is `{"version": 1, "error": {...}}` with the keys `kind`, `message`, `module`,
`file` (relative to the root), `line`, `traceback`, `hint`, of which all but the first two may be
null, and `python`, the interpreter. The kinds:

    usage                the settings are not understood
    python_too_old       the interpreter is older than `jaunt` needs
    missing_package      this interpreter has no `jaunt`
    unsupported_package  it has one of another line than 1.7
    broken_package       it has one that cannot be imported
    config               jaunt.toml, or roots and names that cannot go together
    decode               a spec module is not UTF-8
    name                 a file with specs is not named like a Python module
    import               a spec module cannot be imported; `message` is Python's own
    shadowed             the name of a spec module leads Python to another file
    mixed                a module holds product specs and test specs
    kwargs               decorator arguments that cannot be digested
    crash                the process died while it imported `module`
    internal             a fault of this script

Any other exit status comes without a document. What user code prints, from Python or below it,
goes to standard error. Besides the `*.py` files below the roots, the result depends on the
configuration, on `.env`, and on where `pyproject.toml` files are: `jaunt` takes the nearest one for
the owner of a test root.
"""

import sys

# Nothing beside this script, or in the working directory, may take the place of a standard module.
if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    del sys.path[0]
sys.dont_write_bytecode = True

import ast
import atexit
import copy
import dataclasses
import functools
import hashlib
import importlib
import json
import os
import pathlib
import re
import select
import signal
import struct
import time
import traceback

OLDEST_PYTHON = (3, 12)
LINE = "1.7."
DIGEST_SCHEME = "2"

# What makes a text look like a spec module even though it cannot be parsed, or decoded.
SPEC_HINT = re.compile(r"^\s*(import\s+jaunt\b|from\s+jaunt\b)|^\s*@(jaunt\.)?(magic|test)\b", re.M)
DECORATOR = re.compile(r"^\s*@(\w+\.)?(magic|test)\b|\bmagic_module\s*\(", re.M)

# More nested imports than this are untangled first, see `import_order`.
DEEPEST_IMPORT = 100
# `serde_json` and others stop at a depth of 128.
DEEPEST_JSON = 100


class Refusal(Exception):
    """What is wrong with the project, as the `error` object says it."""

    def __init__(self, kind, message, **more):
        super().__init__(message)
        self.document = {
            "kind": kind,
            "message": message,
            "module": None,
            "file": None,
            "line": None,
            "traceback": None,
            "hint": None,
        }
        self.document.update(more)


# --- The processes -------------------------------------------------------------------------------
#
# The parent keeps the real standard output and runs no user code. A forked child imports the
# project and sends the document through a pipe. So nothing that user code prints can get into the
# document, and a module that ends the process, with `os._exit` or by a crash, is an error by name.


def main():
    output = take_standard_output()
    try:
        status, document = export(output)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    text = json.dumps(document, separators=(",", ":"))
    with os.fdopen(output, "wb") as stream:
        # The empty line ends whatever was printed before this script had its say.
        stream.write(b"\n" + text.encode("ascii") + b"\n")
    return status


def take_standard_output():
    """Returns a descriptor of the real standard output; descriptor 1 becomes standard error."""
    output = os.dup(1)
    try:
        os.dup2(2, 1)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    return output


def export(output):
    try:
        settings = read_settings()
        if sys.version_info < OLDEST_PYTHON:
            found = ".".join(str(part) for part in sys.version_info[:2])
            needed = ".".join(str(part) for part in OLDEST_PYTHON)
            message = f"the Python package `jaunt` needs Python {needed} or newer, this is {found}"
            raise Refusal("python_too_old", message, hint="choose a newer one with `--python`")
    except Refusal as refusal:
        return 1, failed(refusal.document)
    document = attempt(settings, output, hide=True)
    if document.pop("retry", False):
        # Some module needs what a generated module holds while it is imported.
        first, document = document, attempt(settings, output, hide=False)
        document.pop("retry", None)
        if "error" in document and document["error"]["hint"] is None:
            before, now = first["error"]["message"], document["error"]["message"]
            if before != now:
                hint = f"with the generated modules out of reach it fails too: {before}"
                document["error"]["hint"] = hint
    return int("error" in document), document


def failed(error):
    error = {key: printable(value) for key, value in error.items()}
    return {"version": 1, "error": dict(error, python=printable(sys.executable))}


def read_settings():
    try:
        settings = json.loads(sys.stdin.buffer.read().decode("utf-8"))
    except ValueError as err:
        raise Refusal("usage", f"standard input is not JSON: {err}")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    if not isinstance(settings, dict) or not isinstance(settings.get("root"), str):
        raise Refusal("usage", "standard input must be a JSON object with a text `root`")
    for key, kind in (
        ("config", str),
        ("generated_dir", str),
        ("source_roots", list),
        ("test_roots", list),
        ("infer_deps", bool),
        ("test_infer_deps", bool),
    ):
        if settings.get(key) is not None and not isinstance(settings[key], kind):
            raise Refusal("usage", f"`{key}` must be of type {kind.__name__}")
    for key in ("source_roots", "test_roots"):
        if not all(isinstance(item, str) for item in settings.get(key) or ()):
            raise Refusal("usage", f"`{key}` must hold texts")
    return settings


def attempt(settings, output, hide):
    """One export in a process of its own. The key `retry` says that generated modules may help."""
    if not hasattr(os, "fork"):
        return collect_or_explain(settings, hide, lambda module: None)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.close(output)
        run_child(settings, hide, writer)
    os.close(writer)
    try:
        return receive(child, reader)
    finally:
        os.close(reader)
        reap(child)


def run_child(settings, hide, writer):
    """Never returns: the child must not come back into the parent's code."""
    status = 1
    try:
        document = collect_or_explain(settings, hide, lambda module: send(writer, b"I", module))
        send(writer, b"D", json.dumps(document))
        status = 0
        sys.stdout.flush()
        sys.stderr.flush()
        # Temporary files of user modules go here; threads they left running are not waited for.
        atexit._run_exitfuncs()
    except BrokenPipeError:
        pass  # Nobody wants it any more.
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def send(writer, tag, text):
    data = text.encode("utf-8", "backslashreplace")
    data = struct.pack(">cI", tag, len(data)) + data
    while data:
        data = data[os.write(writer, data) :]


def receive(child, reader):
    received, importing, alive = bytearray(), None, True
    while True:
        # A process that user code has forked may hold the pipe open, so wait for the child as well.
        if select.select([reader], [], [], 0.05 if alive else 0)[0]:
            chunk = os.read(reader, 1 << 16)
            if not chunk:
                break
            received += chunk
        elif not alive:
            break
        else:
            alive = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        while len(received) >= 5:
            tag, size = struct.unpack_from(">cI", received)
            if len(received) < 5 + size:
                break
            text = received[5 : 5 + size].decode("utf-8")
            del received[: 5 + size]
            if tag == b"D":
                return json.loads(text)
            importing = text
    place = f"while it imported `{importing}`" if importing else "before it imported a module"
    error = Refusal(
        "crash",
        f"Python ended {place}",
        module=importing,
        hint="look for `os._exit` or a crash of an extension module" if importing else None,
    )
    return dict(failed(error.document), retry=True)


def reap(child):
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def collect_or_explain(settings, hide, announce):
    project = None
    try:
        project = Project(settings, hide, announce)
        return project.document()
    except Refusal as refusal:
        error = refusal.document
    except Exception:
        error = Refusal(
            "internal",
            "the exporter failed",
            traceback=traceback.format_exc(),
            hint="this is a bug; please report it with the traceback",
        ).document
    retry = error["kind"] == "import" and project is not None and project.saw_generated
    return dict(failed(error), retry=retry and hide)


# --- The package ---------------------------------------------------------------------------------


def load_package():
    """Imports the installed package, before anything of the project can be imported."""
    import importlib.metadata

    install = "install it for this interpreter: `%s -m pip install 'jaunt>=1.7,<1.8'`" % (
        os.path.basename(sys.executable) or "python"
    )
    try:
        found = importlib.metadata.version("jaunt")
    except importlib.metadata.PackageNotFoundError:
        found = None
    try:
        import jaunt
    except ModuleNotFoundError as err:
        if err.name != "jaunt":
            raise broken_package(err)
        message = "the Python package `jaunt` is not installed for this interpreter"
        raise Refusal("missing_package", message, hint=install)
    except Exception as err:
        raise broken_package(err)
    version = found or str(getattr(jaunt, "__version__", "0.0.0"))
    # A source tree on the path has no version to go by.
    if version != "0.0.0" and not version.startswith(LINE):
        message = f"the Python package `jaunt` is {version}, and this needs the 1.7 line"
        raise Refusal("unsupported_package", message, hint=install)
    try:
        import jaunt.config
        import jaunt.decorator_analysis
        import jaunt.deps
        import jaunt.digest
        import jaunt.discovery
        import jaunt.dotenv
        import jaunt.module_magic
        import jaunt.paths
        import jaunt.registry
        import jaunt.runtime
        import jaunt.spec_ref
        import jaunt.status_core
        import jaunt.workspace
    except Exception as err:
        raise broken_package(err)
    return jaunt, version


def broken_package(err):
    message = f"the Python package `jaunt` is installed, but cannot be imported: {say(err)}"
    return Refusal("broken_package", message, traceback=traceback.format_exc())


class Sources:
    """Source texts and their trees, each read and parsed once, also for the package.

    The package reads and parses a file again for every spec and every digest, which is most of the
    time it takes, and a byte order mark makes it fail. Its modules therefore get a `Path` and an
    `ast` that know whole files; for anything else these are the ordinary ones.
    """

    PATCHED = ("decorator_analysis", "deps", "digest", "discovery", "module_magic")

    def __init__(self, jaunt):
        texts = {}
        whole = set()

        def read(path):
            path = str(path)
            if path not in texts:
                with open(path, "rb") as stream:
                    text = stream.read().decode("utf-8-sig")
                texts[path] = text.replace("\r\n", "\n").replace("\r", "\n")
                whole.add(texts[path])
            return texts[path]

        # Each pass of the package goes through all modules, and would parse them again.
        @functools.lru_cache(maxsize=2048)
        def parse(text):
            return ast.parse(text)

        class SourcePath(type(pathlib.Path())):
            def read_text(self, encoding=None, errors=None, newline=None):
                if encoding == "utf-8" and errors is None and newline is None:
                    return read(self)
                return super().read_text(encoding, errors, newline)

        class SourceAst:
            def __getattr__(self, name):
                return getattr(ast, name)

            @staticmethod
            def parse(source, filename="<unknown>", *args, **kwargs):
                if args or kwargs or source not in whole:
                    return ast.parse(source, filename, *args, **kwargs)
                return parse(source)

            @staticmethod
            def get_source_segment(source, node, *, padded=False):
                if padded or source not in whole:
                    return ast.get_source_segment(source, node, padded=padded)
                return segment(source, node)

        @functools.lru_cache(maxsize=16)
        def split(text):
            return text.split("\n")

        def segment(text, node):
            """`ast.get_source_segment` without its walk over all the lines before the node."""
            first, last = node.lineno - 1, node.end_lineno - 1
            cut = split(text)[first : last + 1]
            cut[-1] = cut[-1].encode()[: node.end_col_offset].decode()
            cut[0] = cut[0].encode()[node.col_offset :].decode()
            return "\n".join(cut)

        class ShallowCopy:
            """The package copies a whole function only to cut off its body."""

            def __getattr__(self, name):
                return getattr(copy, name)

            @staticmethod
            def deepcopy(node):
                return copy.copy(node)

        if hasattr(jaunt.decorator_analysis, "copy"):
            jaunt.decorator_analysis.copy = ShallowCopy()
        for name in self.PATCHED:
            module = getattr(jaunt, name)
            if hasattr(module, "Path"):
                module.Path = SourcePath
            if hasattr(module, "ast"):
                module.ast = SourceAst()
        self.read = read
        self.parse = parse


# --- The project ---------------------------------------------------------------------------------


class Module:
    """A file with specs, and where its generated module goes."""

    def __init__(self, name, file, base, generated_module, generated_relpath, kind):
        self.name = name  # as Python imports it
        self.public = name  # as the document calls it
        self.file = file
        self.base = base
        self.generated_module = generated_module
        self.generated_relpath = generated_relpath
        self.kind = kind
        self.imports = set()


class TestRoot:
    """A directory of tests, and the names of the modules below it.

    The package calls them by the path from the owner (the directory of the nearest pyproject.toml,
    or the project root), and by the prefix `tests` where that path is empty. Such a name leads
    nowhere, so the prefix is empty then, and stops at a directory that cannot be part of a name.
    """

    def __init__(self, jaunt, root, top):
        self.top = top
        self.owner = jaunt.workspace._owner(top, root=root)[1]
        prefix = []
        for part in reversed(top.relative_to(self.owner).parts):
            if not part.isidentifier():
                break
            prefix.insert(0, part)
        self.prefix = prefix
        self.base = top.parents[len(prefix) - 1] if prefix else top


class Project:
    def __init__(self, settings, hide, announce):
        self.announce = announce
        self.warnings = set()
        self.broken = {}
        self.saw_generated = False
        self.spec_modules = {}  # by the names of their generated modules
        self.hidden = hide
        self.jaunt, self.version = load_package()
        self.sources = Sources(self.jaunt)
        self.root = pathlib.Path(settings["root"]).resolve()
        self.config = self.load_config(settings)
        self.generated_dir = self.config.paths.generated_dir
        self.infer = settings.get("infer_deps") is not False and self.config.build.infer_deps
        self.test_infer = (
            settings.get("test_infer_deps") is not False and self.config.test.infer_deps
        )
        self.source_roots = self.expand("source_roots", self.config.paths.source_roots, True)
        tops = self.expand("test_roots", self.config.paths.test_roots, False)
        self.test_roots = [TestRoot(self.jaunt, self.root, top) for top in tops]

    def load_config(self, settings):
        config = settings.get("config")
        config = pathlib.Path(config).resolve() if config else self.root / "jaunt.toml"
        try:
            loaded = self.jaunt.config.load_config(root=self.root, config_path=config)
        except self.jaunt.JauntConfigError as err:
            raise Refusal("config", str(err), file=self.shown(config))
        if "py" not in loaded.target_languages:
            message = "jaunt.toml has no table [target.py]"
            raise Refusal("config", message, file=self.shown(config))
        given = {
            key: settings[key]
            for key in ("source_roots", "test_roots", "generated_dir")
            if settings.get(key) is not None
        }
        if not given.get("generated_dir", "_").isidentifier():
            raise Refusal("config", "`{generated_dir}` is no name of a package".format(**given))
        return dataclasses.replace(loaded, paths=dataclasses.replace(loaded.paths, **given))

    def expand(self, setting, patterns, require_one):
        try:
            found = self.jaunt.workspace.expand_roots(
                self.root,
                patterns,
                setting="paths." + setting,
                require_one=require_one,
                include_missing_literals=not require_one,
            )
        except self.jaunt.JauntError as err:
            raise Refusal("config", str(err), file="jaunt.toml")
        for path in found:
            if not path.is_relative_to(self.root):
                message = f"`{path}` of paths.{setting} is outside of the project root"
                raise Refusal("config", message, file="jaunt.toml")
        return found

    def prepare_process(self, modules):
        """What the package's own command line does before it imports a project, and more."""
        sys.path[:] = [os.path.abspath(entry) for entry in sys.path]
        os.chdir(self.root)
        try:
            self.jaunt.dotenv.load_dotenv_into_environ(self.root / ".env")
        except ValueError as err:
            self.warnings.add(f"left out `.env`: {say(err)}")
        os.environ["JAUNT_GENERATED_DIR"] = self.generated_dir
        # Nested imports take several frames each.
        sys.setrecursionlimit(max(sys.getrecursionlimit(), 5000))
        self.correct_spec_refs()
        if self.hidden:
            generated = {module.generated_module for module in modules}
            sys.meta_path.insert(0, HideGenerated(self.generated_dir, generated))
        else:
            self.tolerate_broken_generated_modules()

    def correct_spec_refs(self):
        """A class below a generated class inherits its `__jaunt_spec_ref__`, and would take its
        place in the registry. A function that `magic_module` has put in place is called after its
        generated module."""
        jaunt = self.jaunt
        original = jaunt.spec_ref.spec_ref_from_object

        def spec_ref_from_object(obj):
            module = getattr(obj, "__module__", None)
            if isinstance(obj, type) and "__jaunt_spec_ref__" not in vars(obj):
                return jaunt.spec_ref.normalize_spec_ref(f"{module}:{obj.__qualname__}")
            if module in self.spec_modules and hasattr(obj, "__qualname__"):
                name = self.spec_modules[module]
                return jaunt.spec_ref.normalize_spec_ref(f"{name}:{obj.__qualname__}")
            return original(obj)

        for module in (jaunt.spec_ref, jaunt.runtime, jaunt.deps, jaunt.decorator_analysis):
            if hasattr(module, "spec_ref_from_object"):
                module.spec_ref_from_object = spec_ref_from_object

    def tolerate_broken_generated_modules(self):
        """Makes a generated module that cannot be imported look like one that was never built."""
        runtime = self.jaunt.runtime
        load = getattr(runtime, "_import_generated_module", None)
        if load is None:
            return

        def tolerant(spec_module):
            try:
                return load(spec_module)
            except ModuleNotFoundError:
                raise
            except BaseException as err:
                self.broken[spec_module] = say(err)
                raise ModuleNotFoundError(f"generated module of {spec_module}") from err

        runtime._import_generated_module = tolerant

    def relative(self, path):
        text = path.relative_to(self.root).as_posix()
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            shown = os.fsencode(text).decode("utf-8", "backslashreplace")
            raise Refusal("config", f"the path `{shown}` is not UTF-8")
        return text

    def shown(self, path):
        try:
            return self.relative(path)
        except ValueError:
            return str(path)

    # --- Finding spec modules

    def files(self):
        """All Python files of the project that a root holds, by real path, each once."""
        tops = [*self.source_roots, *(test.top for test in self.test_roots)]
        found = set()
        for top in dict.fromkeys(tops):
            for directory, names, files in os.walk(top):
                self.saw_generated |= self.generated_dir in names
                names[:] = [name for name in names if self.is_worth_a_visit(directory, name)]
                for file in files:
                    if file.endswith(".py"):
                        found.add(pathlib.Path(directory, file))
        real = {path.resolve() for path in found if path.is_file()}
        return sorted(path for path in real if path.is_relative_to(self.root))

    def is_worth_a_visit(self, directory, name):
        if name.startswith(".") or name in (self.generated_dir, "__pycache__"):
            return False
        # A virtual environment would bring the specs of its packages, those of `jaunt` among them.
        if name in ("site-packages", "node_modules"):
            return False
        return not os.path.exists(os.path.join(directory, name, "pyvenv.cfg"))

    def modules(self):
        """Spec modules and test spec modules, by name and base. A file belongs to the deepest root
        above it, and to both sides where a source root and a test root are equally deep."""
        products, tests = {}, {}
        tops = {test.top: test for test in self.test_roots}
        for file in self.files():
            source_root = deepest(file, self.source_roots)
            test_root = deepest(file, tops)
            if source_root is None and test_root is None:
                continue
            if self.generated_dir in file.relative_to(source_root or test_root).parts:
                continue
            if not self.has_markers(file):
                continue
            source_depth = len(source_root.parts) if source_root else -1
            test_depth = len(test_root.parts) if test_root else -1
            if source_depth >= test_depth:
                self.add(products, self.product_module(file, source_root))
            if test_depth >= source_depth:
                self.add(tests, self.test_module(file, tops[test_root]))
        return products, self.untangle(tests)

    def has_markers(self, file):
        try:
            raw = file.read_bytes()
        except OSError as err:
            raise Refusal("import", say(err), file=self.shown(file))
        if b"jaunt" not in raw and b"magic_module" not in raw:
            return False
        try:
            text = self.sources.read(file)
        except UnicodeDecodeError as err:
            if not SPEC_HINT.search(raw.decode("latin-1")):
                return False
            raise Refusal(
                "decode",
                f"the file is not UTF-8: {err}",
                file=self.shown(file),
                line=raw.count(b"\n", 0, err.start) + 1,
                hint="save it as UTF-8",
            )
        try:
            self.sources.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as err:
            # The package takes such a file for one without specs.
            if not SPEC_HINT.search(text):
                return False
            message = f"{type(err).__name__}: {getattr(err, 'msg', None) or err}"
            line = getattr(err, "lineno", None)
            if line:
                message += f" ({file.name}, line {line})"
            raise Refusal(
                "import", message, file=self.shown(file), line=line, module=self.guess(file)
            )
        return self.jaunt.discovery._has_jaunt_markers(text)

    def guess(self, file):
        """The name of a module that did not get as far as having one."""
        top = deepest(file, self.source_roots) or deepest(file, [t.base for t in self.test_roots])
        return self.jaunt.workspace._module_name(top, file) if top else None

    def product_module(self, file, top):
        name = self.jaunt.workspace._module_name(top, file)
        return self.module(name, file, top, "magic")

    def test_module(self, file, test):
        name = self.jaunt.workspace._module_name(test.base, file)
        module = self.module(name, file, test.base, "test")
        if module is not None and test.prefix:
            relpath = "/".join(
                [*test.prefix, self.generated_dir, file.relative_to(test.top).as_posix()]
            )
            module.generated_relpath = relpath
            module.generated_module = dotted(relpath)
        return module

    def module(self, name, file, base, kind):
        if name is None:
            return None  # `__init__.py` of a root
        if not all(part.isidentifier() for part in name.split(".")):
            if DECORATOR.search(self.sources.read(file)):
                message = f"`{name}` is no name of a Python module, so its specs have no name"
                raise Refusal("name", message, file=self.shown(file), hint="rename the file")
            return None
        paths = self.jaunt.paths
        generated = paths.spec_module_to_generated_module(name, generated_dir=self.generated_dir)
        relpath = paths.generated_module_to_relpath(generated, generated_dir=self.generated_dir)
        module = Module(name, file, base, generated, relpath.as_posix(), kind)
        module.imports = self.static_imports(name, file)
        return module

    def add(self, modules, module):
        if module is None:
            return
        same = modules.setdefault((module.name, module.base), module)
        if same is not module:
            raise self.duplicate(same, module)

    def duplicate(self, one, other):
        files = " and ".join(sorted([self.shown(one.file), self.shown(other.file)]))
        return Refusal("config", f"two files are the module `{one.name}`: {files}")

    def untangle(self, tests):
        """Gives test modules of different owners that share a name (`tests.test_api` of every
        package of a workspace) their path from the project root as public name."""
        by_name = {}
        for module in tests.values():
            by_name.setdefault(module.name, []).append(module)
        for same in by_name.values():
            for module in same if len(same) > 1 else ():
                base = module.base.relative_to(self.root).parts
                module.public = ".".join([*base, module.name])
                if not all(part.isidentifier() for part in module.public.split(".")):
                    raise self.duplicate(same[0], same[1])
                module.generated_relpath = "/".join([*base, module.generated_relpath])
                module.generated_module = dotted(module.generated_relpath)
                module.base = self.root
        return tests

    # --- Importing them

    def document(self):
        jaunt, registry = self.jaunt, self.jaunt.registry
        keyed_products, keyed_tests = self.modules()
        products = {}
        for module in keyed_products.values():
            same = products.setdefault(module.name, module)
            if same is not module:
                raise self.duplicate(same, module)
            self.spec_modules[module.generated_module] = module.name

        self.prepare_process([*products.values(), *keyed_tests.values()])
        initial_path = list(sys.path)
        jaunt.status_core.prepend_sys_path([*self.source_roots, self.root])
        # This process is new, so names are all there is to forget; with the roots of the project
        # the package would also forget what it has from a virtual environment below them.
        jaunt.discovery.prepare_import_environment(module_names=sorted(products), roots=[])
        self.import_all(products)
        specs = self.registered(registry.get_magic_registry(), products)
        graph = jaunt.deps.build_spec_graph(specs, infer_default=self.infer)
        out = Document(self, specs)
        out.add(specs, graph, graph, products)

        # Where the roots are the same directory, the test modules are imported by now.
        early = {key: module for key, module in keyed_tests.items() if is_loaded(module)}
        early_names = {module.name: module for module in early.values()}
        early_tests = self.registered(registry.get_test_registry(), early_names)
        for ref, entry in registry.get_test_registry().items():
            if entry.module in products and ref not in early_tests:
                self.warnings.add(f"left out `{ref}`: it is a test spec outside of the test roots")
        by_base = {}
        for (_, base), module in keyed_tests.items():
            by_base.setdefault(base, {})[module.name] = module
        for base, tests in sorted(by_base.items()):
            entries = {
                ref: entry for ref, entry in early_tests.items() if (entry.module, base) in early
            }
            pending = {name: it for name, it in tests.items() if (name, base) not in early}
            if pending:
                sys.path[:] = initial_path
                entries.update(self.import_tests(base, pending))
            graph = jaunt.deps.build_spec_graph(entries, infer_default=self.test_infer)
            scope = Scope({**specs, **entries})
            scope.walked = entries
            wide = jaunt.deps.build_spec_graph(scope, infer_default=self.test_infer)
            out.add(entries, graph, wide, tests)
        return out.finish()

    def import_tests(self, base, tests):
        jaunt, registry = self.jaunt, self.jaunt.registry
        jaunt.status_core.prepend_sys_path([*self.source_roots, base, self.root])
        keep = [*self.source_roots, pathlib.Path(sys.prefix).resolve()]
        jaunt.discovery.prepare_import_environment(
            module_names=sorted(tests),
            roots=[
                test.top
                for test in self.test_roots
                if test.base == base and not any(it.is_relative_to(test.top) for it in keep)
            ],
        )
        # An installed package `tests` must not win against a directory without `__init__.py`.
        for package in sorted({name.rpartition(".")[0] for name in tests} - {""}):
            jaunt.discovery.seed_namespace_package(
                module_prefix=package, package_root=base.joinpath(*package.split("."))
            )
        self.import_all(tests)
        for ref, entry in registry.get_magic_registry().items():
            if entry.module in tests:
                self.warnings.add(f"left out `{ref}`: it is a product spec among the tests")
        return self.registered(registry.get_test_registry(), tests)

    def import_all(self, modules):
        routes = {str(module.file): module.name for module in modules.values()}
        for name in self.import_order(modules):
            self.announce(name)
            try:
                importlib.import_module(name)
            except BaseException as err:
                raise self.import_error(err, modules[name], routes)
            loaded = getattr(sys.modules.get(name), "__file__", None)
            if loaded is None or os.path.realpath(loaded) != str(modules[name].file):
                raise Refusal(
                    "shadowed",
                    f"`import {name}` leads Python to `{loaded}`",
                    module=name,
                    file=self.shown(modules[name].file),
                    hint="rename the module, or point source_roots at the parent of its package",
                )
        for name in sorted(self.jaunt.registry.get_module_magic_registry()):
            if name in modules:
                try:
                    self.jaunt.module_magic.finalize_module_magic(name)
                except BaseException as err:
                    raise self.import_error(err, modules[name], routes)

    def import_order(self, modules):
        """By name, as the package imports them. Only where one import would lead to another to a
        depth that Python does not bear, what is imported comes before what imports it."""
        imports = {}
        for name, module in modules.items():
            imports[name] = sorted(module.imports & modules.keys() - {name})
        order, depth = entries_of_components(imports)
        return sorted(modules) if depth <= DEEPEST_IMPORT else order + sorted(modules)

    def static_imports(self, name, file):
        found = set()
        pending = list(self.sources.parse(self.sources.read(file)).body)
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                start = self.jaunt.deps._resolve_import_from_module(
                    module_name=name, source_path=str(file), node=node
                )
                if start:
                    found.add(start)
                    found.update(f"{start}.{alias.name}" for alias in node.names)
            elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.expr)):
                pending.extend(ast.iter_child_nodes(node))
        return found

    def import_error(self, err, module, routes):
        """The error names the innermost spec module on the way to where it was raised."""
        frames, culprit, line = [], str(module.file), None
        for frame in traceback.extract_tb(err.__traceback__):
            file = os.path.realpath(frame.filename)
            if file in routes:
                culprit, line = file, frame.lineno
            if not is_machinery(frame.filename, self.jaunt):
                shown = self.shown(pathlib.Path(file))
                frames.append(f'File "{shown}", line {frame.lineno}, in {frame.name}')
                if frame.line:
                    frames.append("    " + frame.line)
        if isinstance(err, SyntaxError) and err.filename:
            shown = self.shown(pathlib.Path(os.path.realpath(err.filename)))
            frames.append(f'File "{shown}", line {err.lineno}')
        hint = None
        if isinstance(err, self.jaunt.JauntNotBuiltError):
            hint = "a spec is used while modules are imported; use it in a function instead"
        elif isinstance(err, ModuleNotFoundError):
            hint = "install it for this interpreter, or choose another one with `--python`"
        return Refusal(
            "import",
            say(err),
            module=routes[culprit],
            file=self.shown(pathlib.Path(culprit)),
            line=line,
            traceback="\n".join(frames[-24:]) or None,
            hint=hint,
        )

    def registered(self, entries, modules):
        """The specs of these modules. What else was imported along the way is not the project's."""
        specs = {}
        for ref, entry in entries.items():
            module = modules.get(entry.module)
            if module is None:
                if entry.kind == "magic":
                    self.warnings.add(
                        f"left out `{ref}`: `{entry.module}` is no module below the source roots"
                    )
                continue
            # Below another decorator the package looks for it in the file of that decorator.
            if os.path.realpath(entry.source_file) != str(module.file):
                entry = dataclasses.replace(entry, source_file=str(module.file))
            specs[ref] = entry
        return specs


class HideGenerated:
    """A finder that no generated module of the project gets past. Installed packages keep theirs,
    also where they share a package `__generated__` that has no parent."""

    def __init__(self, generated_dir, modules):
        self.modules = modules
        self.component = generated_dir
        self.packages = {package for package in map(self.package_of, modules) if "." in package}

    def package_of(self, name):
        parts = name.split(".")
        return ".".join(parts[: parts.index(self.component) + 1]) if self.component in parts else ""

    def find_spec(self, name, path=None, target=None):
        if name in self.modules or self.package_of(name) in self.packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


class Scope(dict):
    """Specs that may be depended on, of which only `walked` are asked for their dependencies."""

    walked = {}

    def __iter__(self):
        return iter(self.walked)

    def items(self):
        return self.walked.items()


# --- The document --------------------------------------------------------------------------------


class Document:
    def __init__(self, project, product_specs):
        self.project = project
        self.product_specs = product_specs
        self.specs = {}
        self.modules = {}

    def add(self, entries, graph, wide, modules):
        project = self.project
        public = {}
        for ref, entry in entries.items():
            module = modules[entry.module]
            public[ref] = str(ref)
            if module.public != module.name:
                public[ref] = f"{module.public}:{entry.qualname}"
        package = project.jaunt.digest
        digests = {
            DIGEST_SCHEME: module_digests(
                project.jaunt, entries, graph, package.local_digest, self.is_unsettled
            ),
            # The reader computes this one too, and so finds out that a document is older than the
            # sources: then the other one proves nothing.
            "1": module_digests(
                project.jaunt, entries, graph, package.legacy_local_digest, lambda entry: False
            ),
        }
        by_module = {}
        for ref, entry in entries.items():
            by_module.setdefault(entry.module, []).append(ref)
            self.warn_of_unknown_deps(ref, entry, wide)
            module = modules[entry.module]
            text, value = self.arguments(ref, entry, module.file)
            self.specs[public[ref]] = {
                "kind": entry.kind,
                "spec_ref": public[ref],
                "module": module.public,
                "qualname": entry.qualname,
                "source_file": project.relative(module.file),
                "decorator_kwargs": value,
                "decorator_kwargs_json": text,
                "dependencies": sorted(public.get(dep, str(dep)) for dep in wide.get(ref, ())),
                "class_name": entry.class_name,
            }
        for name in by_module:
            module = modules[name]
            if module.public in self.modules:
                raise self.conflict(module)
            self.modules[module.public] = {
                "kind": module.kind,
                "generated_module": module.generated_module,
                "generated_relpath": module.generated_relpath,
                "output_base": project.relative(module.base),
                "digests": {
                    scheme: found[name]
                    for scheme, found in sorted(digests.items())
                    if name in found and name in digests[DIGEST_SCHEME]
                },
            }

    def conflict(self, module):
        message = f"`{module.public}` holds product specs and test specs"
        return Refusal(
            "mixed",
            message,
            module=module.public,
            file=self.project.shown(module.file),
            hint="move the test specs into a module of their own",
        )

    def is_unsettled(self, entry):
        """Whether the digest depends on what is generated: the package takes the signature of a
        class from its bases, and writes down the digest from before any of them was generated."""
        bases = entry.obj.__mro__[1:] if isinstance(entry.obj, type) else ()
        return any("__jaunt_spec_ref__" in vars(base) for base in bases)

    def arguments(self, ref, entry, file):
        """The text that is digested, and its value if that has JSON that every reader takes."""
        try:
            text = self.project.jaunt.digest._stable_decorator_kwargs(entry)
        except Exception as err:
            raise Refusal(
                "kwargs",
                f"the decorator arguments of `{ref}` have no stable text: {say(err)}",
                module=entry.module,
                file=self.project.shown(file),
            )
        if re.search(r" at 0x[0-9a-f]+>", text):
            self.project.warnings.add(
                f"the decorator arguments of `{ref}` hold the address of an object, so its digest "
                "changes with every run"
            )
        return text, strict_json(text)

    def warn_of_unknown_deps(self, ref, entry, wide):
        deps = self.project.jaunt.deps
        for dep in deps._iter_deps_value(entry.decorator_kwargs.get("deps")):
            known = deps._normalize_dep(dep)
            if known is None:
                self.project.warnings.add(f"`{ref}` names a dep that is no spec: {str(dep)!r}")
            elif known != ref and known not in wide.get(ref, ()):
                self.project.warnings.add(f"`{ref}` names a dep that is no spec: `{known}`")

    def finish(self):
        project = self.project
        config = project.config
        for name, why in project.broken.items():
            project.warnings.add(f"the generated module of `{name}` cannot be imported: {why}")
        return {
            "version": 1,
            "producer": {"name": "jaunt", "version": project.version},
            "specs": [self.specs[ref] for ref in sorted(self.specs)],
            "modules": {name: self.modules[name] for name in sorted(self.modules)},
            "settings": {
                "source_roots": [project.relative(top) for top in project.source_roots],
                "test_roots": [project.relative(test.top) for test in project.test_roots],
                "generated_dir": project.generated_dir,
                "build_jobs": config.build.jobs,
                "test_jobs": config.test.jobs,
                "pytest_args": list(config.test.pytest_args),
            },
            "generated_modules": "hidden" if project.hidden else "visible",
            "auto_tests": self.auto_tests(),
            "warnings": sorted(printable(warning) for warning in project.warnings),
        }

    def auto_tests(self):
        """Where the package puts the tests it makes up for classes."""
        project, jaunt = self.project, self.project.jaunt
        by_default = bool(project.config.test.auto_class_tests)
        wanted = {
            ref: entry
            for ref, entry in self.product_specs.items()
            if entry.decorator_kwargs.get("test", by_default)
        }
        if not wanted:
            return []
        contract = importlib.import_module("jaunt.module_contract")
        tester = importlib.import_module("jaunt.tester")
        found = {}
        for ref, entry in wanted.items():
            source = project.root / self.specs[str(ref)]["source_file"]
            owner = jaunt.workspace._owner(source, root=project.root)[1]
            tops = [test.top for test in project.test_roots if test.owner == owner]
            package = jaunt.workspace._test_prefix(tops[0], owner) if tops else "tests"
            try:
                made = contract.synthesize_auto_class_test_entries(
                    {ref: entry},
                    default_on=by_default,
                    tests_package=package,
                    generated_dir=project.generated_dir,
                )
            except ValueError:
                continue  # The test root is not named like a package.
            for name in made:
                path = tester._auto_test_output_path(
                    project_dir=owner,
                    module_name=name,
                    generated_dir=project.generated_dir,
                    tests_package=package,
                    test_roots=tops or None,
                )
                found[project.relative(path)] = name
        return [{"module": found[path], "path": path} for path in sorted(found)]


def module_digests(jaunt, entries, graph, local_digest, is_unsettled):
    """The digest of every module whose specs, and the specs they depend on, have one.

    The package's own `module_digest` begins with nothing for each module and recurses as deep as
    the graph. Here its `graph_digest` gets the specs in order of dependency, and one memory.
    """
    local = {}
    for ref in sorted(entries, key=lambda ref: entries[ref].module):
        if not is_unsettled(entries[ref]):
            try:
                local[ref] = local_digest(entries[ref])
            except Exception:
                pass  # The reader of the document meets the same fault, and can say more about it.
    waiting = {ref: len(deps) for ref, deps in graph.items()}
    dependents = {}
    for ref, deps in graph.items():
        for dep in deps:
            dependents.setdefault(dep, []).append(ref)
    memory = {}
    # What is without a digest, in a cycle, or depends on such, never becomes ready.
    ready = [ref for ref, count in waiting.items() if count == 0 and ref in local]
    while ready:
        ref = ready.pop()
        jaunt.digest.graph_digest(
            ref, entries, graph, cache=memory, local_fn=lambda entry: local[entry.spec_ref]
        )
        for dependent in dependents.get(ref, ()):
            waiting[dependent] -= 1
            if waiting[dependent] == 0 and dependent in local:
                ready.append(dependent)
    by_module = {}
    for ref, entry in entries.items():
        by_module.setdefault(entry.module, []).append(memory.get(ref))
    return {
        name: hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()
        for name, found in by_module.items()
        if None not in found
    }


def strict_json(text):
    def refuse(_):
        raise ValueError

    try:
        value = json.loads(text, parse_constant=refuse)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    deep, level = [value], 0
    while deep:
        level += 1
        if level > DEEPEST_JSON or any(
            isinstance(it, int) and it.bit_length() > 1000 for it in deep
        ):
            return None
        containers = [it for it in deep if isinstance(it, (dict, list))]
        deep = [
            inner for it in containers for inner in (it.values() if isinstance(it, dict) else it)
        ]
    return value


# --- Small things --------------------------------------------------------------------------------


def say(err):
    """The last line of Python's own traceback."""
    kind = type(err)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    try:
        text = str(err)
    except BaseException:
        text = "<exception str() failed>"
    return f"{name}: {text}" if text else name


def printable(value):
    """A text without the lone surrogates that no reader of JSON has to take."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def deepest(path, tops):
    above = [top for top in tops if path.is_relative_to(top)]
    return max(above, key=lambda top: len(top.parts)) if above else None


def dotted(relpath):
    parts = relpath[: -len(".py")].split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_loaded(module):
    loaded = getattr(sys.modules.get(module.name), "__file__", None)
    return loaded is not None and os.path.realpath(loaded) == str(module.file)


def is_machinery(filename, jaunt):
    """Whether a frame says nothing of the project: this script, the import system, the package."""
    if filename.startswith("<frozen ") or filename == main.__code__.co_filename:
        return True
    packages = (os.path.dirname(jaunt.__file__), os.path.dirname(importlib.__file__))
    return filename.startswith(tuple(package + os.sep for package in packages))


def entries_of_components(edges):
    """The strongly connected components of a graph, dependencies first, each by the node through
    which a walk in order of names enters it; and how deep that walk goes. (Tarjan's algorithm.)"""
    index, low, on_stack, stack, order, deepest_walk = {}, {}, set(), [], [], 0
    for start in sorted(edges):
        if start in index:
            continue
        walk = [(start, iter(edges[start]))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while walk:
            deepest_walk = max(deepest_walk, len(walk))
            node, below = walk[-1]
            for dep in below:
                if dep not in index:
                    index[dep] = low[dep] = len(index)
                    stack.append(dep)
                    on_stack.add(dep)
                    walk.append((dep, iter(edges[dep])))
                    break
                if dep in on_stack:
                    low[node] = min(low[node], index[dep])
            else:
                walk.pop()
                if walk:
                    low[walk[-1][0]] = min(low[walk[-1][0]], low[node])
                if low[node] == index[node]:
                    order.append(node)
                    while stack[-1] != node:
                        on_stack.discard(stack.pop())
                    on_stack.discard(stack.pop())
    return order, deepest_walk


if __name__ == "__main__":
    sys.exit(main())
