"""Tells jaunt what a run of pytest does: one JSON line per event.

jaunt copies this file, under a name made for one run, into a private directory, beside a plugin for
``-p`` that does no more than import it (pytest would parse a plugin for assertions to rewrite, at
twice the time), and reads ``events.jsonl`` there while pytest runs. It works with every Python from 3.8
and every pytest from 7.0 on, and changes nothing that a test can notice.

What has to stay as it is, and why:

* A record is written by opening the file, appending and closing it again. It is on its way before
  the next line of Python runs, so os._exit(), signals and crashes lose nothing; no descriptor is
  kept that a test could close, or could replace by a file of its own.
* Everything a record needs (open, write, the JSON encoder...) is taken at import and kept in
  closures, where neither unittest.mock nor pyfakefs finds it. For that reason records are put
  together here, and not by json.dumps().
* Hooks that record are wrappers around all others and record afterwards: plugins and conftest.py
  files change reports, and raise.
* Only the process that imports this file first writes, and only for its first session: xdist
  workers, forked children, and pytest run within pytest write nothing.
* Its own errors are swallowed: a run must not fail because it is watched. Records are numbered, so
  the reader notices when one is missing.

The reader is src/channel/record.rs; a change of a record is a change there.
"""

import os
import sys

import pytest


def _make_writers(directory, token):
    """Returns what writes: ``emit(event, **fields)``, ``begin(id)``, ``passed(id)`` and ``flush()``.

    That a test passed is noted in the next record, which is mostly that the next test begins: most
    tests pass, and one record for each is half the price of two. It is the only thing that waits, and
    it does not wait where fixtures are torn down. A process that dies between the two has lost a
    pass, never a failure; and it has no record of its end, without which no run has passed. Returns
    None where another process is the one that writes.
    """
    os_open, os_read, os_write, os_close = os.open, os.read, os.write, os.close
    getpid = os.getpid
    cloexec = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    append = os.O_WRONLY | os.O_APPEND | os.O_CREAT | cloexec
    events = os.fsencode(os.path.join(directory, "events.jsonl"))
    owner = os.path.join(directory, "owner")

    # The C function: json.dumps() would go through attributes that tests like to mock.
    from json.encoder import encode_basestring_ascii as quote_ascii

    def quote(text):
        quoted = quote_ascii(text)
        if "\\ud" in quoted:
            # Lone surrogates are no Unicode, and strict readers refuse them. (Pairs survive.)
            quoted = quote_ascii(text.encode("utf-8", "backslashreplace").decode("utf-8"))
        return quoted

    def encode(value):
        if value is None:
            return "null"
        if value is True:
            return "true"
        if value is False:
            return "false"
        if isinstance(value, int):
            return "%d" % value
        if isinstance(value, float):
            # Neither NaN nor infinity exists in JSON, and a duration is neither.
            return "%.6f" % value if abs(value) < 1e12 else "null"
        if isinstance(value, dict):
            return "{%s}" % ",".join([quote(str(k)) + ":" + encode(v) for k, v in value.items()])
        if isinstance(value, (list, tuple)):
            return "[%s]" % ",".join([encode(v) for v in value])
        return quote(str(value))

    # The first process to come here owns the events. A process that replaces itself (os.execv)
    # comes here again under the same number.
    pid = getpid()
    try:
        fd = os_open(owner, os.O_WRONLY | os.O_CREAT | os.O_EXCL | cloexec, 0o600)
        try:
            os_write(fd, b"%d" % pid)
        finally:
            os_close(fd)
    except OSError:
        try:
            fd = os_open(owner, os.O_RDONLY | cloexec)
            try:
                if os_read(fd, 32) != b"%d" % pid:
                    return None
            finally:
                os_close(fd)
        except OSError:
            return None

    number = iter(range(sys.maxsize)).__next__
    head = '{"token":%s,"seq":%%d,"event":' % quote(token).replace("%", "%%")
    head_of_begin = head + '"begin","id":%s'
    # The ids of tests that passed since the last record.
    passed = []

    def write(record):
        if passed:
            record += ',"passed":[%s]' % ",".join([quote(nodeid) for nodeid in passed])
            passed.clear()
        data = (record + "}\n").encode("ascii")
        fd = os_open(events, append, 0o600)
        try:
            n_written = os_write(fd, data)
            while n_written < len(data):
                data = data[n_written:]
                n_written = os_write(fd, data)
        finally:
            os_close(fd)

    def emit(event, **fields):
        try:
            if getpid() == pid:
                record = head % number() + quote(event)
                for key, value in fields.items():
                    record += ',"%s":%s' % (key, encode(value))
                write(record)
        except Exception:
            pass

    def begin(nodeid):
        # The same as emit("begin", id=nodeid), for the one record that every test makes.
        try:
            if getpid() == pid:
                write(head_of_begin % (number(), quote(nodeid)))
        except Exception:
            pass

    def flush():
        if passed:
            emit("passed")

    return emit, begin, passed.append, flush


# How much of a text goes into a record: enough for people, and bounded for a test that prints
# without end. Messages are kept whole up to a length that only a runaway reaches.
_MESSAGE = 1 << 20
_TRACEBACK = 1 << 20
_CAPTURED = 1 << 16


def _cut(text, limit):
    """The beginning and the end of a text that is too long."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return "%s\n[... %d characters left out ...]\n%s" % (
        text[:half],
        len(text) - 2 * half,
        text[-half:],
    )


def _text(report):
    """The failure as pytest would print it."""
    try:
        return report.longreprtext
    except Exception:
        return str(report.longrepr)


def _message(report, text):
    """The crash message: whole, and without the traceback where the two can be told apart."""
    longrepr = report.longrepr
    crash = getattr(longrepr, "reprcrash", None)
    message = getattr(crash, "message", None)
    if message:
        return str(message)
    # A fixture that does not exist.
    message = getattr(longrepr, "errorstring", None)
    if message:
        return str(message)
    if isinstance(longrepr, str):
        return longrepr
    # An import that failed, and what other plugins make up: the error is at the end.
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return ""
    last = lines[-1]
    return last[1:].strip() if last.startswith("E ") else last


def _make_paths(start, root):
    """Returns ``absolute(path)`` for paths relative to pytest's root or where it was started."""
    join, normpath = os.path.join, os.path.normpath

    def from_root(path):
        return normpath(join(root, path))

    def from_start(path):
        return normpath(join(start, path))

    return from_root, from_start


def _around_all_others(hook):
    """Marks a hook that runs around all others, and yields to them.

    Where another hook raises, a wrapper of pluggy 1.2 or newer gets the exception at its ``yield``,
    and one of the older kind, at twice the time, never sees it: ``try`` and ``finally`` do for both.
    """
    try:
        return pytest.hookimpl(wrapper=True, tryfirst=True)(hook)
    except TypeError:
        return pytest.hookimpl(hookwrapper=True, tryfirst=True)(hook)


class Reporter:
    """The hooks of the process that runs (or, with xdist, distributes) the tests."""

    def __init__(self, emit, begin, passed, flush, config):
        self.emit = emit
        self.begin = begin
        self.passed = passed
        self.flush = flush
        self.config = config
        self.from_root, self.from_start = _make_paths(
            str(config.invocation_params.dir), str(config.rootpath)
        )
        self.xdist = config.pluginmanager.hasplugin("dsession")
        self.terminal = config.pluginmanager.hasplugin("terminalreporter")
        self.warnings = 0
        self.deselected = 0
        self.files = {}  # Absolute path: how many of its tests were collected.
        self.pending = set()  # Ids of tests that were collected and have no outcome yet.
        self.collected_from = (None, None)  # The report made last, and the path it is about.

    # The session.

    def pytest_sessionstart(self):
        self.emit(
            "session",
            pytest=pytest.__version__,
            python=sys.version.split()[0],
            parallel=self.xdist,
        )

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session, exitstatus):
        outcome = yield
        error = getattr(outcome, "excinfo", None)
        status = getattr(session, "exitstatus", exitstatus)
        self.emit(
            "finish",
            exit=int(status),
            stop=str(session.shouldstop or session.shouldfail or ""),
            error=None if error is None else "%s: %s" % (error[0].__name__, error[1]),
            warnings=self.warnings,
            pending=len(self.pending),
            examples=sorted(self.pending)[:5],
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr):
        self.emit("internal", text=_cut(str(excrepr), _TRACEBACK))

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo):
        value = excinfo.value
        self.emit("interrupt", kind=type(value).__name__, reason=str(value))

    def pytest_warning_recorded(self):
        self.warnings += 1

    # Collection.

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector):
        outcome = yield
        if getattr(outcome, "excinfo", None) is None:
            report = outcome.get_result()
            if report.outcome != "passed":
                self.collected_from = (report, _path_of(collector))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collectreport(self, report):
        yield
        if report.outcome == "passed":
            return
        made, path = self.collected_from
        if made is not report or path is None:
            # A report from an xdist worker: the id is all there is, and begins with the path.
            path = report.nodeid.split("::")[0]
            path = self.from_root(path) if path else None
        if report.outcome == "failed":
            self._failure(report, path, "collect")
        else:
            self.emit("report", id=report.nodeid, phase="collect", outcome="skipped", file=path)

    def pytest_deselected(self, items):
        self.deselected += len(items)
        self._count(items)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_finish(self, session):
        yield
        self._count(session.items)
        self.pending.update([item.nodeid for item in session.items])
        self._collected(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids):
        # Every worker collects everything; the first one speaks for all.
        if not self.pending:
            self.pending.update(ids)
            for nodeid in ids:
                path = nodeid.split("::")[0]
                if path:
                    path = self.from_root(path)
                    self.files[path] = self.files.get(path, 0) + 1
            self._collected(len(ids))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        told = getattr(node, "workeroutput", {}).get("jaunt")
        if told:
            self.emit("worker", files=told["files"], deselected=told["deselected"])

    def _count(self, items):
        for item in items:
            path = _path_of(item)
            self.files[path] = self.files.get(path, 0) + 1

    def _collected(self, tests):
        self.emit("collected", tests=tests, deselected=self.deselected, files=self.files)

    # The tests.

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid):
        self.begin(nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item, nextitem):
        # What is torn down may end the process.
        if nextitem is None or getattr(item, "fixturenames", True):
            self.flush()

    @_around_all_others
    def pytest_runtest_logreport(self, report):
        try:
            return (yield)
        finally:
            # Two of the three reports of most tests say nothing.
            if report.when == "call" or report.outcome != "passed":
                try:
                    self._reported(report)
                except Exception:
                    pass

    def _reported(self, report):
        when = report.when
        if not self.terminal and when == "call":
            # pytest 9 makes a test with failing sub-tests fail when its terminal plugin asks for
            # the status, so without that plugin somebody else has to ask.
            try:
                self.config.hook.pytest_report_teststatus(report=report, config=self.config)
            except Exception:
                pass
        outcome = report.outcome
        has_xfail = hasattr(report, "wasxfail")
        sub = getattr(report, "context", None) is not None
        if sub and outcome != "failed":
            return
        # xdist reports the test that took a worker down with "???".
        phase = when if when in ("setup", "teardown") else "call"
        nodeid = report.nodeid
        if outcome not in ("passed", "failed", "skipped"):
            # "rerun" of rerunfailures, and the words of its relatives.
            self.emit("report", id=nodeid, phase=phase, outcome="rerun")
            return
        if not sub and phase != "teardown":
            self.pending.discard(nodeid)
        if outcome == "failed":
            self._failure(report, self.from_root(report.location[0]), phase)
        elif outcome == "skipped":
            outcome = "xfailed" if has_xfail else "skipped"
            self.emit("report", id=nodeid, phase=phase, outcome=outcome)
        elif has_xfail:
            self.emit("report", id=nodeid, phase=phase, outcome="xpassed")
        else:
            self.passed(nodeid)

    def _failure(self, report, path, phase):
        text = _text(report)
        self.emit(
            "report",
            id=report.nodeid,
            phase=phase,
            outcome="failed",
            file=path,
            line=self._line(report, path),
            sub=_description(report),
            message=_cut(_message(report, text), _MESSAGE),
            text=_cut(text, _TRACEBACK),
            out=_captured(report, "capstdout"),
            err=_captured(report, "capstderr"),
            log=_captured(report, "caplog"),
        )

    def _line(self, report, path):
        """The line of the test's own file where it failed, or else where it begins."""
        try:
            longrepr = report.longrepr
            entries = getattr(getattr(longrepr, "reprtraceback", None), "reprentries", ())
            for entry in reversed(entries):
                place = getattr(entry, "reprfileloc", None)
                if place is not None and self.from_start(str(place.path)) == path:
                    return int(place.lineno)
            crash = getattr(longrepr, "reprcrash", None)
            if crash is not None and self.from_start(str(crash.path)) == path:
                return int(crash.lineno)
            line = report.location[1]
            return None if line is None else int(line) + 1
        except Exception:
            return None


class Distributor:
    """One more hook, for a process in which several tests run at once."""

    def __init__(self, emit):
        self.emit = emit

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid):
        # Without xdist the next test to begin says as much.
        self.emit("end", id=nodeid)


class Worker:
    """The hooks of an xdist worker: it tells the controller what only a worker sees."""

    def __init__(self, config):
        self.told = {"files": {}, "deselected": 0}
        config.workeroutput["jaunt"] = self.told

    def pytest_deselected(self, items):
        self.told["deselected"] += len(items)
        self._count(items)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_finish(self, session):
        yield
        self._count(session.items)

    def _count(self, items):
        files = self.told["files"]
        for item in items:
            path = _path_of(item)
            files[path] = files.get(path, 0) + 1


def _path_of(node):
    """The file of a test or collector, absolute."""
    return str(getattr(node, "path", None) or getattr(node, "fspath", ""))


def _captured(report, section):
    try:
        return _cut(getattr(report, section), _CAPTURED)
    except Exception:
        return ""


def _description(report):
    """What tells one sub-test from the next, as pytest prints it; None for a test."""
    context = getattr(report, "context", None)
    if context is None:
        return None
    for name in ("_sub_test_description", "sub_test_description"):
        try:
            return getattr(report, name)()
        except Exception:
            continue
    return str(context)


# Imported by any other name than that of a run, this file writes nothing beside itself.
_name, _, _token = __name__.rpartition("_")
_writers = None
if _name == "jaunt_reporter":
    _writers = _make_writers(os.path.dirname(os.path.abspath(__file__)), _token)
if _writers is not None:
    _writers[0]("loaded")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    global _writers
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Worker(config))
    elif _writers is not None:
        reporter = Reporter(*_writers, config)
        config.pluginmanager.register(reporter)
        if reporter.xdist:
            config.pluginmanager.register(Distributor(reporter.emit))
        # A session within the session is somebody else's business.
        _writers = None
