"""Prints the registry document of a project that uses the Python package `jaunt` (the 1.7 line).

    python export.py < settings.json > registry.json

The script runs under the project's own interpreter and asks the installed `jaunt` package for the
configuration, the names of modules, the registry, the dependency graph and the digests. It writes
no file, not even byte code, and needs only `jaunt`.

Standard input, read to its end, is one JSON object. Only `root` is required. For a key that is null
or absent, jaunt.toml decides.

    root             the project root
    config           path of jaunt.toml; default `<root>/jaunt.toml`
    infer_deps       false: infer no dependencies of product specs
    test_infer_deps  false: infer no dependencies of test specs
    source_roots     list of strings, used instead of the one in jaunt.toml
    test_roots       list of strings, used instead of the one in jaunt.toml
    generated_dir    string, used instead of the one in jaunt.toml

Standard output is one line with one JSON document. Python's start-up files may print lines before
it, so a reader takes the last line. With exit status 0 it is the registry document, version 1,
which has these keys besides the documented ones:

    generated_modules  "hidden": the spec modules were imported without their generated modules, so
                       the document does not depend on generated code;
                       "visible": that failed, and the import worked with them
    auto_tests         [{"module", "path"}]: the tests that `jaunt` makes up for classes
                       (`test=True`). They have no source, so they are not specs here, and they are
                       not orphans either
    warnings           sorted list of strings

With exit status 1 it is `{"version": 1, "error": {...}}` with the keys `kind`, `message`, `module`,
`file` (relative to the root), `line`, `traceback`, `hint` and `python` (the interpreter). Only
`kind`, `message` and `python` are never null. The kinds:

    usage                the settings are not valid
    python_too_old       the interpreter is older than `jaunt` needs
    missing_package      the interpreter has no `jaunt`
    unsupported_package  its `jaunt` is not of the 1.7 line, or differs from the releases that work
    broken_package       its `jaunt` cannot be imported
    config               jaunt.toml is not valid, or roots or names contradict each other
    decode               a spec module is not UTF-8
    name                 a file with specs has a name that no Python module can have
    import               a spec module cannot be imported; `message` is Python's own
    shadowed             Python imports another file under the name of a spec module
    mixed                a module holds product specs and test specs
    kwargs               decorator arguments cannot be digested
    crash                the process died while it imported `module`
    internal             a bug of this script

With any other exit status there is no document. What user code prints, also from below Python, goes
to standard error. The result depends on the `*.py` files below the roots, the configuration,
`.env`, and the places of `pyproject.toml` files: `jaunt` uses the nearest one to find the owner of
a test root.
"""

import sys

# A file beside this script, or in the working directory, must not shadow a standard module.
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
import inspect
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
DIGEST_SCHEME = "2"

# What a spec module looks like when it cannot be parsed or decoded.
SPEC_HINT = re.compile(r"^\s*(import\s+jaunt\b|from\s+jaunt\b)|^\s*@(jaunt\.)?(magic|test)\b", re.M)
DECORATOR = re.compile(r"^\s*@(\w+\.)?(magic|test)\b|\bmagic_module\s*\(", re.M)

# Above this depth of nested imports, `import_order` sorts the modules.
DEEPEST_IMPORT = 100
# `serde_json` and other parsers stop at a depth of 128.
DEEPEST_JSON = 100


class Refusal(Exception):
    """A failure with the `error` object that reports it."""

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
# project and sends the document through a pipe. So user code cannot print into the document, and
# if a module ends the process, with `os._exit` or by a crash, the error names the module.


def main():
    """Writes the document, and returns the exit status."""
    output = take_standard_output()
    try:
        status, document = export(output)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    text = json.dumps(document, separators=(",", ":"))
    with os.fdopen(output, "wb") as stream:
        # The line break ends what was printed before this script started.
        stream.write(b"\n" + text.encode("ascii") + b"\n")
    return status


def take_standard_output():
    """Returns a new descriptor of standard output, and points descriptor 1 to standard error."""
    output = os.dup(1)
    try:
        os.dup2(2, 1)
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
    return output


def export(output):
    """Returns the exit status and the document, of the first attempt or of the second."""
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
        # A module may need generated code while it is imported.
        first, document = document, attempt(settings, output, hide=False)
        document.pop("retry", None)
        if "error" in document and document["error"]["hint"] is None:
            before, now = first["error"]["message"], document["error"]["message"]
            if before != now:
                hint = f"with the generated modules out of reach it fails too: {before}"
                document["error"]["hint"] = hint
    return int("error" in document), document


def failed(error):
    """Returns the document for an `error` object."""
    error = {key: printable(value) for key, value in error.items()}
    return {"version": 1, "error": dict(error, python=printable(sys.executable))}


def read_settings():
    """Reads and checks the settings. Afterwards user code finds standard input empty."""
    try:
        settings = json.loads(sys.stdin.buffer.read().decode("utf-8"))
    except ValueError as err:
        raise Refusal("usage", f"standard input is not JSON: {err}")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
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
    """Exports in a process of its own.

    The key `retry` of the document says that generated modules may help.
    """
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
    """Exports and exits. It never returns, so the child does not run the parent's code."""
    status = 1
    try:
        document = collect_or_explain(settings, hide, lambda module: send(writer, b"I", module))
        send(writer, b"D", json.dumps(document))
        status = 0
        sys.stdout.flush()
        sys.stderr.flush()
        # This removes temporary files of user modules. It does not wait for their threads.
        atexit._run_exitfuncs()
    except BrokenPipeError:
        pass  # The parent is gone.
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def send(writer, tag, text):
    """Writes a message: its tag, its length and its text."""
    data = text.encode("utf-8", "backslashreplace")
    data = struct.pack(">cI", tag, len(data)) + data
    while data:
        data = data[os.write(writer, data) :]


def receive(child, reader):
    """Reads messages until the document comes, or the child ends without one."""
    received, importing, alive = bytearray(), None, True
    while True:
        # A process forked by user code may hold the pipe open, so the end of the child counts too.
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
    """Waits for the child, and kills it after two seconds."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def collect_or_explain(settings, hide, announce):
    """Returns the registry document, or the document of the error that prevents it."""
    package = project = None
    try:
        package = Package()
        project = Project(settings, package, hide, announce)
        return project.document()
    except Refusal as refusal:
        error = refusal.document
    except Exception as err:
        where = traceback.format_exc()
        if package is not None and package.is_cause_of(err):
            error = package.unsupported([say(err)], traceback=where).document
        else:
            hint = "this is a bug; please report it with the traceback"
            error = Refusal("internal", "the exporter failed", traceback=where, hint=hint).document
    retry = error["kind"] == "import" and project is not None and project.saw_generated
    return dict(failed(error), retry=retry and hide)


# --- The package ---------------------------------------------------------------------------------


class Package:
    """The installed `jaunt` package. Only this class names anything in it.

    Most of what the script uses is private to the package and may change with any release. The
    tables list all of it. `__init__` checks every entry before a module of the project is imported,
    so a release that differs is an `unsupported_package`, not a failure halfway.
    """

    LINE = "1.7."
    # The first and the last release that pass the tests of this script; so do all between them.
    OLDEST, NEWEST = "1.7.1", "1.7.14"
    MISSING_HINT = "install it for this interpreter: `%s -m pip install 'jaunt>=1.7,<1.8'`"
    UNSUPPORTED_HINT = "install a release that works: `%s -m pip install 'jaunt>=%s,<=%s'`"

    # Functions, and how they are called: `name=` is a keyword argument, other words are positional.
    FUNCTIONS = {
        "config.load_config": "root= config_path=",
        "decorator_analysis.spec_ref_from_object": "obj",
        "deps._iter_deps_value": "value",
        "deps._normalize_dep": "dep",
        "deps._resolve_import_from_module": "module_name= source_path= node=",
        "deps.build_spec_graph": "specs infer_default=",
        "deps.spec_ref_from_object": "obj",
        "digest._stable_decorator_kwargs": "entry",
        "digest.graph_digest": "spec_ref specs graph cache= local_fn=",
        "digest.legacy_local_digest": "entry",
        "digest.local_digest": "entry",
        "discovery._has_jaunt_markers": "source",
        "discovery.prepare_import_environment": "module_names= roots=",
        "discovery.seed_namespace_package": "module_prefix= package_root=",
        "dotenv.load_dotenv_into_environ": "path",
        "module_magic.finalize_module_magic": "module_name",
        "paths.generated_module_to_relpath": "module generated_dir=",
        "paths.spec_module_to_generated_module": "module generated_dir=",
        "registry.get_magic_registry": "",
        "registry.get_module_magic_registry": "",
        "registry.get_test_registry": "",
        "runtime._import_generated_module": "spec_module",
        "runtime.spec_ref_from_object": "obj",
        "spec_ref.normalize_spec_ref": "text",
        "spec_ref.spec_ref_from_object": "obj",
        "status_core.prepend_sys_path": "dirs",
        "workspace._module_name": "root file",
        "workspace._owner": "path root=",
        "workspace._test_prefix": "test_root owner",
        "workspace.expand_roots": "root patterns setting= require_one= include_missing_literals=",
    }
    # Importing these two modules takes about a third as long as importing all the others, and few
    # projects need them. So only `load_auto_tests` imports and checks them.
    AUTO_TEST_FUNCTIONS = {
        "module_contract.synthesize_auto_class_test_entries": (
            "specs default_on= tests_package= generated_dir="
        ),
        "tester._auto_test_output_path": (
            "project_dir= module_name= generated_dir= tests_package= test_roots="
        ),
    }
    # Exceptions.
    ERRORS = ("errors.JauntConfigError", "errors.JauntError", "errors.JauntNotBuiltError")
    # Data classes, and the attributes that are read.
    RECORDS = {
        "config.BuildConfig": "infer_deps jobs",
        "config.JauntConfig": "build paths target_languages test",
        "config.PathsConfig": "generated_dir source_roots test_roots",
        "config.TestConfig": "auto_class_tests infer_deps jobs pytest_args",
        "registry.SpecEntry": (
            "class_name decorator_kwargs kind module obj qualname source_file spec_ref"
        ),
    }
    # Imported names that `read_through` replaces, and the attributes that the replacements have.
    REPLACED = {
        "decorator_analysis.Path": "read_text",
        "decorator_analysis.ast": "parse get_source_segment",
        "decorator_analysis.copy": "deepcopy",
        "deps.Path": "read_text",
        "deps.ast": "parse get_source_segment",
        "digest.Path": "read_text",
        "digest.ast": "parse get_source_segment",
        "discovery.Path": "read_text",
        "discovery.ast": "parse get_source_segment",
        "module_magic.Path": "read_text",
        "module_magic.ast": "parse get_source_segment",
    }
    # The attribute of a generated object that holds its spec ref.
    SPEC_REF = "__jaunt_spec_ref__"

    def __init__(self):
        """Imports the package and checks it."""
        self.modules = {}
        self.functions = {}
        self.top, self.version = self.import_top()
        self.directory = os.path.dirname(getattr(self.top, "__file__", None) or "")
        names = [*self.FUNCTIONS, *self.ERRORS, *self.RECORDS, *self.REPLACED]
        faults = self.import_modules(names)
        faults += self.bind(self.FUNCTIONS)
        faults += [fault for name in self.ERRORS for fault in self.error_faults(name)]
        for name, attributes in [*self.RECORDS.items(), *self.REPLACED.items()]:
            faults += self.attribute_faults(name, attributes)
        faults = faults or self.override_faults()
        if faults:
            raise self.unsupported(faults)
        self.ConfigError, self.Error, self.NotBuiltError = map(self.find, self.ERRORS)

    # --- Importing and checking it

    def import_top(self):
        """Imports `jaunt` itself, and returns it with its version."""
        import importlib.metadata

        try:
            found = importlib.metadata.version("jaunt")
        except importlib.metadata.PackageNotFoundError:
            found = None
        try:
            import jaunt
        except ModuleNotFoundError as err:
            if err.name != "jaunt":
                raise self.broken(err)
            message = "the Python package `jaunt` is not installed for this interpreter"
            raise Refusal("missing_package", message, hint=self.MISSING_HINT % python_name())
        except Exception as err:
            raise self.broken(err)
        version = found or str(getattr(jaunt, "__version__", "0.0.0"))
        # A source tree on the path has no version to go by.
        if version != "0.0.0" and not version.startswith(self.LINE):
            message = f"the Python package `jaunt` is {version}, and this needs the 1.7 line"
            message += f" ({self.OLDEST} to {self.NEWEST} are known to work)"
            raise Refusal("unsupported_package", message, hint=self.unsupported_hint())
        return jaunt, version

    def import_modules(self, names):
        """Imports the modules of these names. Returns a fault for each that does not exist."""
        faults = []
        for name in sorted({name.partition(".")[0] for name in names}):
            try:
                self.modules[name] = importlib.import_module("jaunt." + name)
            except Exception as err:
                if not (isinstance(err, ModuleNotFoundError) and err.name == "jaunt." + name):
                    raise self.broken(err)
                faults.append(f"no module `jaunt.{name}`")
        return faults

    def broken(self, err):
        """Returns the refusal for an error while the package was imported."""
        message = f"the Python package `jaunt` is installed, but cannot be imported: {say(err)}"
        return Refusal("broken_package", message, traceback=traceback.format_exc())

    def unsupported(self, faults, **more):
        """Returns the refusal for a package with these differences."""
        shown = "; ".join(faults[:4])
        if len(faults) > 4:
            shown += f"; and {len(faults) - 4} more"
        message = (
            f"the Python package `jaunt` {self.version} differs from the releases that are known "
            f"to work ({self.OLDEST} to {self.NEWEST}): {shown}"
        )
        return Refusal("unsupported_package", message, hint=self.unsupported_hint(), **more)

    def unsupported_hint(self):
        return self.UNSUPPORTED_HINT % (python_name(), self.OLDEST, self.NEWEST)

    def find(self, name):
        """Returns what the package calls `module.name`, or `None`."""
        module, _, attribute = name.partition(".")
        return getattr(self.modules.get(module), attribute, None)

    def missing(self, name):
        """Returns the fault of a name that is not there, unless its whole module is not."""
        return [f"no `jaunt.{name}`"] if name.partition(".")[0] in self.modules else []

    def bind(self, functions):
        """Makes these functions available to `call`. Returns a fault for each that does not fit."""
        faults = []
        for name, call in functions.items():
            function = self.functions[name] = self.find(name)
            if function is None:
                faults += self.missing(name)
                continue
            words = call.split()
            keywords = {word[:-1]: None for word in words if word.endswith("=")}
            try:
                signature = inspect.signature(function)
            except (TypeError, ValueError):
                faults.append(f"`jaunt.{name}` is no function")
                continue
            try:
                signature.bind(*words[: len(words) - len(keywords)], **keywords)
            except TypeError:
                found, needed = ", ".join(signature.parameters), ", ".join(words)
                faults.append(f"`jaunt.{name}` takes `({found})`, not `({needed})`")
        return faults

    def error_faults(self, name):
        """Returns the fault of a name that is no exception, in a list."""
        error = self.find(name)
        if error is None:
            return self.missing(name)
        if isinstance(error, type) and issubclass(error, Exception):
            return []
        return [f"`jaunt.{name}` is no exception"]

    def attribute_faults(self, name, attributes):
        """Returns the faults of a record or a module that must have these attributes."""
        owner = self.find(name)
        if owner is None:
            return self.missing(name)
        if name in self.RECORDS and not (
            isinstance(owner, type) and dataclasses.is_dataclass(owner)
        ):
            return [f"`jaunt.{name}` is no data class"]
        fields = getattr(owner, "__dataclass_fields__", ())
        return [
            f"no `jaunt.{name}.{attribute}`"
            for attribute in attributes.split()
            if attribute not in fields and not hasattr(owner, attribute)
        ]

    def override_faults(self):
        """Returns a fault if the package has another name for the attribute `SPEC_REF`."""
        probe = type("probe", (), {self.SPEC_REF: "module:name"})
        try:
            found = self.call("spec_ref.spec_ref_from_object", probe)
        except Exception as err:
            found = say(err)
        function = "`jaunt.spec_ref.spec_ref_from_object`"
        return [] if found == "module:name" else [f"{function} ignores `{self.SPEC_REF}`"]

    def is_cause_of(self, err):
        """Checks whether an unexpected error comes from something that the package lacks."""
        if not isinstance(err, (AttributeError, ImportError)):
            return False
        if isinstance(err, ImportError):
            name = err.name
        elif isinstance(err.obj, type(sys)):
            name = err.obj.__name__
        else:
            name = (err.obj if isinstance(err.obj, type) else type(err.obj)).__module__
        if str(name).partition(".")[0] == "jaunt":
            return True
        frames = traceback.extract_tb(err.__traceback__)
        return any(self.holds(frame.filename) for frame in frames)

    def holds(self, filename):
        """Checks whether a file belongs to the package."""
        return bool(self.directory) and filename.startswith(self.directory + os.sep)

    def call(self, name, *args, **kwargs):
        """Calls a function of the tables, as they say."""
        return self.functions[name](*args, **kwargs)

    # --- Changing it

    def read_through(self, sources):
        """Makes the package read and parse files through `sources`."""
        replacements = {"Path": sources.path_class(), "ast": SourceAst(sources)}
        replacements["copy"] = ShallowCopy()
        for name in self.REPLACED:
            module, _, attribute = name.partition(".")
            setattr(self.modules[module], attribute, replacements[attribute])

    def correct_spec_refs(self, spec_modules):
        """Corrects the spec refs of two kinds of objects.

        A subclass of a generated class inherits its `__jaunt_spec_ref__`, and would replace it in
        the registry. A function that `magic_module` has defined names the generated module;
        `spec_modules` maps names of generated modules to those of their spec modules.
        """
        original = self.functions["spec_ref.spec_ref_from_object"]

        def spec_ref_from_object(obj):
            module = getattr(obj, "__module__", None)
            if isinstance(obj, type) and self.SPEC_REF not in vars(obj):
                return self.spec_ref(f"{module}:{obj.__qualname__}")
            if module in spec_modules and hasattr(obj, "__qualname__"):
                return self.spec_ref(f"{spec_modules[module]}:{obj.__qualname__}")
            return original(obj)

        for name in self.FUNCTIONS:
            module, _, attribute = name.partition(".")
            if attribute == "spec_ref_from_object":
                setattr(self.modules[module], attribute, spec_ref_from_object)

    def tolerate_broken_generated_modules(self, broken):
        """Makes a generated module that cannot be imported look as if it were never built.

        The reason is added to `broken`, by the name of the spec module.
        """
        load = self.functions["runtime._import_generated_module"]

        def tolerant(spec_module):
            try:
                return load(spec_module)
            except ModuleNotFoundError:
                raise
            except BaseException as err:
                broken[spec_module] = say(err)
                raise ModuleNotFoundError(f"generated module of {spec_module}") from err

        self.modules["runtime"]._import_generated_module = tolerant

    # --- Configuration and names

    def load_config(self, root, path):
        return self.call("config.load_config", root=root, config_path=path)

    def load_dotenv(self, path):
        self.call("dotenv.load_dotenv_into_environ", path)

    def set_generated_dir(self, name):
        os.environ["JAUNT_GENERATED_DIR"] = name

    def expand_roots(self, root, patterns, setting, require_one):
        return self.call(
            "workspace.expand_roots",
            root,
            patterns,
            setting=setting,
            require_one=require_one,
            include_missing_literals=not require_one,
        )

    def owner(self, path, root):
        """Returns the directory of the nearest pyproject.toml, or the project root."""
        return self.call("workspace._owner", path, root=root)[1]

    def module_name(self, top, file):
        return self.call("workspace._module_name", top, file)

    def generated_place(self, name, generated_dir):
        """Returns the name and the relative path of the generated module of a spec module."""
        module = self.call(
            "paths.spec_module_to_generated_module", name, generated_dir=generated_dir
        )
        path = self.call("paths.generated_module_to_relpath", module, generated_dir=generated_dir)
        return module, path.as_posix()

    def has_markers(self, text):
        return self.call("discovery._has_jaunt_markers", text)

    def imported_from(self, name, file, node):
        """Returns the name of the module that a `from` statement imports from, or `None`."""
        return self.call(
            "deps._resolve_import_from_module", module_name=name, source_path=str(file), node=node
        )

    # --- Importing the project

    def prepend_sys_path(self, directories):
        self.call("status_core.prepend_sys_path", directories)

    def forget_modules(self, names, roots):
        """Clears the registry, and forgets the imported modules of these names or below `roots`."""
        self.call("discovery.prepare_import_environment", module_names=names, roots=roots)

    def seed_namespace_package(self, name, directory):
        """Makes a directory importable under this name, with or without `__init__.py`."""
        self.call("discovery.seed_namespace_package", module_prefix=name, package_root=directory)

    def product_specs(self):
        return self.call("registry.get_magic_registry")

    def test_specs(self):
        return self.call("registry.get_test_registry")

    def governed_modules(self):
        """Returns the modules that have called `magic_module`."""
        return self.call("registry.get_module_magic_registry")

    def finalize(self, name):
        """Completes the specs of a module that has called `magic_module`."""
        self.call("module_magic.finalize_module_magic", name)

    # --- Specs

    def spec_ref(self, text):
        return self.call("spec_ref.normalize_spec_ref", text)

    def inherits_from_spec(self, obj):
        """Checks whether a class has a base class that is a spec."""
        bases = obj.__mro__[1:] if isinstance(obj, type) else ()
        return any(self.SPEC_REF in vars(base) for base in bases)

    def graph(self, specs, infer, walked=None):
        """Returns the dependencies of each spec, or of those in `walked` if that is given."""
        if walked is not None:
            specs = Scope(specs)
            specs.walked = walked
        return self.call("deps.build_spec_graph", specs, infer_default=infer)

    def named_deps(self, entry):
        """Yields each value in the argument `deps`, with its spec ref, or `None` if it has none."""
        for dep in self.call("deps._iter_deps_value", entry.decorator_kwargs.get("deps")):
            yield dep, self.call("deps._normalize_dep", dep)

    def arguments_text(self, entry):
        """Returns the text of the decorator arguments that is digested."""
        return self.call("digest._stable_decorator_kwargs", entry)

    def local_digest(self, entry):
        return self.call("digest.local_digest", entry)

    def legacy_local_digest(self, entry):
        return self.call("digest.legacy_local_digest", entry)

    def graph_digest(self, ref, entries, graph, cache, local):
        """Computes the digest of a spec and its dependencies, and adds it to `cache`."""
        self.call(
            "digest.graph_digest",
            ref,
            entries,
            graph,
            cache=cache,
            local_fn=lambda entry: local[entry.spec_ref],
        )

    def load_auto_tests(self):
        """Imports and checks what `place_auto_tests` calls."""
        faults = self.import_modules(self.AUTO_TEST_FUNCTIONS)
        faults += self.bind(self.AUTO_TEST_FUNCTIONS)
        if faults:
            raise self.unsupported(faults)

    def place_auto_tests(self, ref, entry, owner, tops, default_on, generated_dir):
        """Yields the name and the path of each test module that is made up for a class."""
        package = self.call("workspace._test_prefix", tops[0], owner) if tops else "tests"
        try:
            made = self.call(
                "module_contract.synthesize_auto_class_test_entries",
                {ref: entry},
                default_on=default_on,
                tests_package=package,
                generated_dir=generated_dir,
            )
        except ValueError:
            return  # The test root is not named like a package.
        for name in made:
            path = self.call(
                "tester._auto_test_output_path",
                project_dir=owner,
                module_name=name,
                generated_dir=generated_dir,
                tests_package=package,
                test_roots=tops or None,
            )
            yield name, path


class Scope(dict):
    """Specs that others may depend on. The package asks only `walked` for their dependencies.

    Its `build_spec_graph` iterates over the specs, and looks up dependencies by key.
    """

    walked = {}

    def __iter__(self):
        return iter(self.walked)

    def items(self):
        return self.walked.items()


# --- Source texts --------------------------------------------------------------------------------


class Sources:
    """A cache of source texts and their syntax trees, which the package uses too.

    By itself the package reads and parses a file for every spec and every digest, which takes most
    of its time, and it fails on a byte order mark. `Package.read_through` therefore gives it a
    `Path` and an `ast` that look here first.
    """

    def __init__(self):
        self.texts = {}
        self.whole = set()
        # The package makes several passes over all modules, and would parse them in each.
        self.parse = functools.lru_cache(maxsize=2048)(ast.parse)
        self.split = functools.lru_cache(maxsize=16)(lambda text: text.split("\n"))

    def read(self, path):
        """Returns the text of a file without byte order mark, with `\\n` as line break."""
        path = str(path)
        if path not in self.texts:
            with open(path, "rb") as stream:
                text = stream.read().decode("utf-8-sig")
            self.texts[path] = text.replace("\r\n", "\n").replace("\r", "\n")
            self.whole.add(self.texts[path])
        return self.texts[path]

    def segment(self, text, node):
        """Does what `ast.get_source_segment` does, but skips the lines before the node."""
        first, last = node.lineno - 1, node.end_lineno - 1
        cut = self.split(text)[first : last + 1]
        cut[-1] = cut[-1].encode()[: node.end_col_offset].decode()
        cut[0] = cut[0].encode()[node.col_offset :].decode()
        return "\n".join(cut)

    def path_class(self):
        """Returns a class like `Path` whose `read_text` uses this cache."""
        sources = self

        class SourcePath(type(pathlib.Path())):
            def read_text(self, encoding=None, errors=None, newline=None):
                if encoding == "utf-8" and errors is None and newline is None:
                    return sources.read(self)
                return super().read_text(encoding, errors, newline)

        return SourcePath


class SourceAst:
    """The module `ast`, but with the cached trees of whole files."""

    def __init__(self, sources):
        self._sources = sources

    def __getattr__(self, name):
        return getattr(ast, name)

    def parse(self, source, filename="<unknown>", *args, **kwargs):
        if args or kwargs or source not in self._sources.whole:
            return ast.parse(source, filename, *args, **kwargs)
        return self._sources.parse(source)

    def get_source_segment(self, source, node, *, padded=False):
        if padded or source not in self._sources.whole:
            return ast.get_source_segment(source, node, padded=padded)
        return self._sources.segment(source, node)


class ShallowCopy:
    """The module `copy`. The package copies a whole function only to drop its body."""

    def __getattr__(self, name):
        return getattr(copy, name)

    @staticmethod
    def deepcopy(node):
        return copy.copy(node)


# --- The project ---------------------------------------------------------------------------------


class Module:
    """A file with specs, and the place of its generated module."""

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
    """A directory of tests, and the prefix of the names of its modules.

    The package takes the path from the owner (the directory of the nearest pyproject.toml, or the
    project root) as prefix, or `tests` if that path is empty. Python cannot import by the prefix
    `tests` then, so it is empty here. The prefix begins below the last directory that cannot be
    part of a name.
    """

    def __init__(self, package, root, top):
        self.top = top
        self.owner = package.owner(top, root)
        prefix = []
        for part in reversed(top.relative_to(self.owner).parts):
            if not part.isidentifier():
                break
            prefix.insert(0, part)
        self.prefix = prefix
        self.base = top.parents[len(prefix) - 1] if prefix else top


class Project:
    """A project with its configuration, which `document` imports."""

    def __init__(self, settings, package, hide, announce):
        self.package = package
        self.announce = announce
        self.warnings = set()
        self.broken = {}
        self.saw_generated = False
        self.spec_modules = {}  # names, by the names of their generated modules
        self.hidden = hide
        self.sources = Sources()
        package.read_through(self.sources)
        self.root = pathlib.Path(settings["root"]).resolve()
        self.config = self.load_config(settings)
        self.generated_dir = self.config.paths.generated_dir
        self.infer = settings.get("infer_deps") is not False and self.config.build.infer_deps
        self.test_infer = (
            settings.get("test_infer_deps") is not False and self.config.test.infer_deps
        )
        self.source_roots = self.expand("source_roots", self.config.paths.source_roots, True)
        tops = self.expand("test_roots", self.config.paths.test_roots, False)
        self.test_roots = [TestRoot(package, self.root, top) for top in tops]

    def load_config(self, settings):
        """Reads jaunt.toml, and replaces what the settings give."""
        config = settings.get("config")
        config = pathlib.Path(config).resolve() if config else self.root / "jaunt.toml"
        try:
            loaded = self.package.load_config(self.root, config)
        except self.package.ConfigError as err:
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
        """Returns the directories of a setting, which must be inside of the project root."""
        try:
            found = self.package.expand_roots(self.root, patterns, "paths." + setting, require_one)
        except self.package.Error as err:
            raise Refusal("config", str(err), file="jaunt.toml")
        for path in found:
            if not path.is_relative_to(self.root):
                message = f"`{path}` of paths.{setting} is outside of the project root"
                raise Refusal("config", message, file="jaunt.toml")
        return found

    def prepare_process(self, modules):
        """Prepares this process as the package's command line does, and for deeper imports."""
        sys.path[:] = [os.path.abspath(entry) for entry in sys.path]
        os.chdir(self.root)
        try:
            self.package.load_dotenv(self.root / ".env")
        except ValueError as err:
            self.warnings.add(f"left out `.env`: {say(err)}")
        self.package.set_generated_dir(self.generated_dir)
        # Each nested import takes several frames.
        sys.setrecursionlimit(max(sys.getrecursionlimit(), 5000))
        self.package.correct_spec_refs(self.spec_modules)
        if self.hidden:
            generated = {module.generated_module for module in modules}
            sys.meta_path.insert(0, HideGenerated(self.generated_dir, generated))
        else:
            self.package.tolerate_broken_generated_modules(self.broken)

    def relative(self, path):
        """Returns a path inside of the project root, relative to it, as the document has it."""
        text = path.relative_to(self.root).as_posix()
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            shown = os.fsencode(text).decode("utf-8", "backslashreplace")
            raise Refusal("config", f"the path `{shown}` is not UTF-8")
        return text

    def shown(self, path):
        """Returns a path for a message: relative to the root if it is inside."""
        try:
            return self.relative(path)
        except ValueError:
            return str(path)

    # --- Finding spec modules

    def files(self):
        """Returns the real paths of the Python files below all roots, sorted, each once."""
        tops = [*self.source_roots, *(test.top for test in self.test_roots)]
        found = set()
        for top in dict.fromkeys(tops):
            for directory, names, files in os.walk(top):
                self.saw_generated |= self.generated_dir in names
                names[:] = [name for name in names if self.is_searched(directory, name)]
                for file in files:
                    if file.endswith(".py"):
                        found.add(pathlib.Path(directory, file))
        real = {path.resolve() for path in found if path.is_file()}
        return sorted(path for path in real if path.is_relative_to(self.root))

    def is_searched(self, directory, name):
        """Checks whether a directory may hold spec modules."""
        if name.startswith(".") or name in (self.generated_dir, "__pycache__"):
            return False
        # The packages in a virtual environment have specs of their own; `jaunt` itself has some.
        if name in ("site-packages", "node_modules"):
            return False
        return not os.path.exists(os.path.join(directory, name, "pyvenv.cfg"))

    def modules(self):
        """Returns the product modules and the test modules, by name and base.

        A file belongs to the deepest root above it. If a source root and a test root are the same
        directory, it belongs to both.
        """
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
        return products, self.make_names_unique(tests)

    def has_markers(self, file):
        """Checks whether a file looks like a spec module, and can be read if it does."""
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
            # The package treats such a file as one without specs.
            if not SPEC_HINT.search(text):
                return False
            message = f"{type(err).__name__}: {getattr(err, 'msg', None) or err}"
            line = getattr(err, "lineno", None)
            if line:
                message += f" ({file.name}, line {line})"
            raise Refusal(
                "import", message, file=self.shown(file), line=line, module=self.guess(file)
            )
        return self.package.has_markers(text)

    def guess(self, file):
        """Returns the likely name of a module that cannot be parsed."""
        top = deepest(file, self.source_roots) or deepest(file, [t.base for t in self.test_roots])
        return self.package.module_name(top, file) if top else None

    def product_module(self, file, top):
        """Returns the product module in a file below a source root."""
        name = self.package.module_name(top, file)
        return self.module(name, file, top, "magic")

    def test_module(self, file, test):
        """Returns the test module in a file below a test root."""
        name = self.package.module_name(test.base, file)
        module = self.module(name, file, test.base, "test")
        if module is not None and test.prefix:
            relpath = "/".join(
                [*test.prefix, self.generated_dir, file.relative_to(test.top).as_posix()]
            )
            module.generated_relpath = relpath
            module.generated_module = dotted(relpath)
        return module

    def module(self, name, file, base, kind):
        """Returns a module, or `None` if the file cannot be one and has no specs."""
        if name is None:
            return None  # the `__init__.py` of a root
        if not all(part.isidentifier() for part in name.split(".")):
            if DECORATOR.search(self.sources.read(file)):
                message = f"`{name}` is no name of a Python module, so its specs have no name"
                raise Refusal("name", message, file=self.shown(file), hint="rename the file")
            return None
        generated, relpath = self.package.generated_place(name, self.generated_dir)
        module = Module(name, file, base, generated, relpath, kind)
        module.imports = self.static_imports(name, file)
        return module

    def add(self, modules, module):
        """Adds a module, which may be `None`, and refuses a second file of the same name."""
        if module is None:
            return
        same = modules.setdefault((module.name, module.base), module)
        if same is not module:
            raise self.duplicate(same, module)

    def duplicate(self, one, other):
        """Returns the refusal for two files of the same module."""
        files = " and ".join(sorted([self.shown(one.file), self.shown(other.file)]))
        return Refusal("config", f"two files are the module `{one.name}`: {files}")

    def make_names_unique(self, tests):
        """Makes the public names of test modules unique.

        In a workspace every package may have its `tests.test_api`. Modules that share a name get
        their path from the project root as public name.
        """
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
        """Imports all modules, and returns the registry document."""
        package = self.package
        keyed_products, keyed_tests = self.modules()
        products = {}
        for module in keyed_products.values():
            same = products.setdefault(module.name, module)
            if same is not module:
                raise self.duplicate(same, module)
            self.spec_modules[module.generated_module] = module.name

        self.prepare_process([*products.values(), *keyed_tests.values()])
        initial_path = list(sys.path)
        package.prepend_sys_path([*self.source_roots, self.root])
        # This process is new, so only modules of these names may have to be forgotten. Given the
        # roots, the package would also forget what it imported from a virtual environment there.
        package.forget_modules(sorted(products), roots=[])
        self.import_all(products)
        specs = self.registered(package.product_specs(), products)
        graph = package.graph(specs, self.infer)
        out = Document(self, specs)
        out.add(specs, graph, graph, products)

        # If a source root is also a test root, its test modules are imported by now.
        early = {key: module for key, module in keyed_tests.items() if is_loaded(module)}
        early_names = {module.name: module for module in early.values()}
        early_tests = self.registered(package.test_specs(), early_names)
        for ref, entry in package.test_specs().items():
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
            graph = package.graph(entries, self.test_infer)
            listed = package.graph({**specs, **entries}, self.test_infer, walked=entries)
            out.add(entries, graph, listed, tests)
        return out.finish()

    def import_tests(self, base, tests):
        """Imports the test modules of one base, and returns their specs."""
        package = self.package
        package.prepend_sys_path([*self.source_roots, base, self.root])
        keep = [*self.source_roots, pathlib.Path(sys.prefix).resolve()]
        package.forget_modules(
            sorted(tests),
            roots=[
                test.top
                for test in self.test_roots
                if test.base == base and not any(it.is_relative_to(test.top) for it in keep)
            ],
        )
        # A directory `tests` without `__init__.py` comes before an installed package `tests`.
        for parent in sorted({name.rpartition(".")[0] for name in tests} - {""}):
            package.seed_namespace_package(parent, base.joinpath(*parent.split(".")))
        self.import_all(tests)
        for ref, entry in package.product_specs().items():
            if entry.module in tests:
                self.warnings.add(f"left out `{ref}`: it is a product spec among the tests")
        return self.registered(package.test_specs(), tests)

    def import_all(self, modules):
        """Imports modules, and checks that each comes from its own file."""
        spec_files = {str(module.file): module.name for module in modules.values()}
        for name in self.import_order(modules):
            self.announce(name)
            try:
                importlib.import_module(name)
            except BaseException as err:
                raise self.import_error(err, modules[name], spec_files)
            loaded = getattr(sys.modules.get(name), "__file__", None)
            if loaded is None or os.path.realpath(loaded) != str(modules[name].file):
                raise Refusal(
                    "shadowed",
                    f"`import {name}` leads Python to `{loaded}`",
                    module=name,
                    file=self.shown(modules[name].file),
                    hint="rename the module, or point source_roots at the parent of its package",
                )
        for name in sorted(self.package.governed_modules()):
            if name in modules:
                try:
                    self.package.finalize(name)
                except BaseException as err:
                    raise self.import_error(err, modules[name], spec_files)

    def import_order(self, modules):
        """Returns the names of the modules in the order of their import.

        It is by name, as in the package. But if imports are nested more deeply than Python allows,
        a module comes after the modules that it imports.
        """
        imports = {}
        for name, module in modules.items():
            imports[name] = sorted(module.imports & modules.keys() - {name})
        order, depth = entries_of_components(imports)
        return sorted(modules) if depth <= DEEPEST_IMPORT else order + sorted(modules)

    def static_imports(self, name, file):
        """Returns the names that a module imports outside of functions."""
        found = set()
        pending = list(self.sources.parse(self.sources.read(file)).body)
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                start = self.package.imported_from(name, file, node)
                if start:
                    found.add(start)
                    found.update(f"{start}.{alias.name}" for alias in node.names)
            elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.expr)):
                pending.extend(ast.iter_child_nodes(node))
        return found

    def import_error(self, err, module, spec_files):
        """Returns the refusal for an error in an import.

        It names the innermost spec module in the traceback. `spec_files` maps paths to names.
        """
        frames, culprit, line = [], str(module.file), None
        for frame in traceback.extract_tb(err.__traceback__):
            file = os.path.realpath(frame.filename)
            if file in spec_files:
                culprit, line = file, frame.lineno
            if not is_machinery(frame.filename, self.package):
                shown = self.shown(pathlib.Path(file))
                frames.append(f'File "{shown}", line {frame.lineno}, in {frame.name}')
                if frame.line:
                    frames.append("    " + frame.line)
        if isinstance(err, SyntaxError) and err.filename:
            shown = self.shown(pathlib.Path(os.path.realpath(err.filename)))
            frames.append(f'File "{shown}", line {err.lineno}')
        hint = None
        if isinstance(err, self.package.NotBuiltError):
            hint = "a spec is used while modules are imported; use it in a function instead"
        elif isinstance(err, ModuleNotFoundError):
            hint = "install it for this interpreter, or choose another one with `--python`"
        return Refusal(
            "import",
            say(err),
            module=spec_files[culprit],
            file=self.shown(pathlib.Path(culprit)),
            line=line,
            traceback="\n".join(frames[-24:]) or None,
            hint=hint,
        )

    def registered(self, entries, modules):
        """Returns the specs of these modules, without those of other imported modules."""
        specs = {}
        for ref, entry in entries.items():
            module = modules.get(entry.module)
            if module is None:
                if entry.kind == "magic":
                    self.warnings.add(
                        f"left out `{ref}`: `{entry.module}` is no module below the source roots"
                    )
                continue
            # If another decorator wraps a spec, the package takes the file of that decorator.
            if os.path.realpath(entry.source_file) != str(module.file):
                entry = dataclasses.replace(entry, source_file=str(module.file))
            specs[ref] = entry
        return specs


class HideGenerated:
    """A finder that hides the generated modules of the project.

    Installed packages keep theirs, even in a top-level package `__generated__` that they share with
    the project.
    """

    def __init__(self, generated_dir, modules):
        self.modules = modules
        self.component = generated_dir
        self.packages = {package for package in map(self.package_of, modules) if "." in package}

    def package_of(self, name):
        """Returns the package of generated modules that a module is in, or an empty string."""
        parts = name.split(".")
        return ".".join(parts[: parts.index(self.component) + 1]) if self.component in parts else ""

    def find_spec(self, name, path=None, target=None):
        if name in self.modules or self.package_of(name) in self.packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


# --- The document --------------------------------------------------------------------------------


class Document:
    """The registry document while it is put together."""

    def __init__(self, project, product_specs):
        self.project = project
        self.product_specs = product_specs
        self.specs = {}
        self.modules = {}

    def add(self, entries, graph, listed, modules):
        """Adds the specs of these modules.

        The digests come from `graph`. The listed dependencies come from `listed`, which for tests
        includes product specs.
        """
        project = self.project
        public = {}
        for ref, entry in entries.items():
            module = modules[entry.module]
            public[ref] = str(ref)
            if module.public != module.name:
                public[ref] = f"{module.public}:{entry.qualname}"
        package = project.package
        digests = {
            DIGEST_SCHEME: module_digests(
                package, entries, graph, package.local_digest, self.is_unsettled
            ),
            # The reader computes this one too. If they differ, the sources have changed since the
            # export, and the other digest proves nothing.
            "1": module_digests(
                package, entries, graph, package.legacy_local_digest, lambda entry: False
            ),
        }
        by_module = {}
        for ref, entry in entries.items():
            by_module.setdefault(entry.module, []).append(ref)
            self.warn_of_unknown_deps(ref, entry, listed)
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
                "dependencies": sorted(public.get(dep, str(dep)) for dep in listed.get(ref, ())),
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
        """Returns the refusal for a module with specs of both kinds."""
        message = f"`{module.public}` holds product specs and test specs"
        return Refusal(
            "mixed",
            message,
            module=module.public,
            file=self.project.shown(module.file),
            hint="move the test specs into a module of their own",
        )

    def is_unsettled(self, entry):
        """Checks whether the digest of a spec depends on generated code.

        The package takes the signature of a class from its bases, but records the digest that it
        has before any of them is generated.
        """
        return self.project.package.inherits_from_spec(entry.obj)

    def arguments(self, ref, entry, file):
        """Returns the decorator arguments as the text that is digested, and as a JSON value.

        The value is `None` if not every reader of JSON can take it.
        """
        try:
            text = self.project.package.arguments_text(entry)
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

    def warn_of_unknown_deps(self, ref, entry, listed):
        """Warns of values in the argument `deps` that are no specs."""
        for dep, known in self.project.package.named_deps(entry):
            if known is None:
                self.project.warnings.add(f"`{ref}` names a dep that is no spec: {str(dep)!r}")
            elif known != ref and known not in listed.get(ref, ()):
                self.project.warnings.add(f"`{ref}` names a dep that is no spec: `{known}`")

    def finish(self):
        """Returns the whole document."""
        project = self.project
        config = project.config
        for name, why in project.broken.items():
            project.warnings.add(f"the generated module of `{name}` cannot be imported: {why}")
        return {
            "version": 1,
            "producer": {"name": "jaunt", "version": project.package.version},
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
        """Returns where the package puts the tests that it makes up for classes."""
        project = self.project
        by_default = bool(project.config.test.auto_class_tests)
        wanted = {
            ref: entry
            for ref, entry in self.product_specs.items()
            if entry.decorator_kwargs.get("test", by_default)
        }
        if not wanted:
            return []
        project.package.load_auto_tests()
        found = {}
        for ref, entry in wanted.items():
            source = project.root / self.specs[str(ref)]["source_file"]
            owner = project.package.owner(source, project.root)
            tops = [test.top for test in project.test_roots if test.owner == owner]
            for name, path in project.package.place_auto_tests(
                ref, entry, owner, tops, by_default, project.generated_dir
            ):
                found[project.relative(path)] = name
        return [{"module": found[path], "path": path} for path in sorted(found)]


def module_digests(package, entries, graph, local_digest, is_unsettled):
    """Returns the digests of the modules, without those that depend on a spec without a digest.

    The package's own `module_digest` starts from scratch for each module and recurses as deep as
    the graph. Here its `graph_digest` gets the specs in order of dependency, with one cache.
    """
    local = {}
    for ref in sorted(entries, key=lambda ref: entries[ref].module):
        if not is_unsettled(entries[ref]):
            try:
                local[ref] = local_digest(entries[ref])
            except Exception:
                pass  # The reader of the document finds the same fault, and has a better message.
    waiting = {ref: len(deps) for ref, deps in graph.items()}
    dependents = {}
    for ref, deps in graph.items():
        for dep in deps:
            dependents.setdefault(dep, []).append(ref)
    cache = {}
    # A spec without a digest or in a cycle never becomes ready, nor do its dependents.
    ready = [ref for ref, count in waiting.items() if count == 0 and ref in local]
    while ready:
        ref = ready.pop()
        package.graph_digest(ref, entries, graph, cache, local)
        for dependent in dependents.get(ref, ()):
            waiting[dependent] -= 1
            if waiting[dependent] == 0 and dependent in local:
                ready.append(dependent)
    by_module = {}
    for ref, entry in entries.items():
        by_module.setdefault(entry.module, []).append(cache.get(ref))
    return {
        name: hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()
        for name, found in by_module.items()
        if None not in found
    }


def strict_json(text):
    """Returns the value of a JSON text, or `None` if some readers of JSON would refuse it."""
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


# --- Helpers -------------------------------------------------------------------------------------


def say(err):
    """Returns an error as the last line of Python's own traceback has it."""
    kind = type(err)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    try:
        text = str(err)
    except BaseException:
        text = "<exception str() failed>"
    return f"{name}: {text}" if text else name


def python_name():
    """Returns the name of this interpreter, for a command that the user can type."""
    return os.path.basename(sys.executable) or "python"


def printable(value):
    """Returns a string without lone surrogates, which readers of JSON may refuse."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def deepest(path, tops):
    """Returns the deepest of the directories above a path, or `None`."""
    above = [top for top in tops if path.is_relative_to(top)]
    return max(above, key=lambda top: len(top.parts)) if above else None


def dotted(relpath):
    """Returns the module name of a relative path."""
    parts = relpath[: -len(".py")].split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_loaded(module):
    """Checks whether Python has imported a module from its own file."""
    loaded = getattr(sys.modules.get(module.name), "__file__", None)
    return loaded is not None and os.path.realpath(loaded) == str(module.file)


def is_machinery(filename, package):
    """Checks whether a file belongs to this script, the import system or the package."""
    if filename.startswith("<frozen ") or filename == main.__code__.co_filename:
        return True
    importing = os.path.dirname(importlib.__file__) + os.sep
    return package.holds(filename) or filename.startswith(importing)


def entries_of_components(edges):
    """Returns the strongly connected components of a graph, dependencies first.

    This is Tarjan's algorithm. Each component is given by the node through which a depth-first
    walk, in order of names, enters it. Also returns the depth of that walk.
    """
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
