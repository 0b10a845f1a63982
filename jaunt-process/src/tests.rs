use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use rustix::process::Pid;

use camino::Utf8PathBuf;
use tokio::sync::watch;

use crate::*;

/// A limit that only a broken test reaches.
const LONG: Duration = Duration::from_secs(300);
const SHORT: Duration = Duration::from_millis(100);

/// A shell script in a directory of its own.
struct Script {
    dir: tempfile::TempDir,
    invocation: Invocation,
}

impl Script {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cwd = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let invocation = Invocation {
            args: vec!["-c".into(), text.into()],
            stdout: Redirect::CaptureAll { limit: 1 << 20 },
            stderr: Redirect::CaptureEnd { limit: 1 << 10 },
            limits: Limits { time: Some(LONG), grace: LONG, ladder: Ladder::Terminate },
            ..Invocation::new("sh", cwd)
        };
        Self { dir, invocation }
    }

    fn with(mut self, change: impl FnOnce(&mut Invocation)) -> Self {
        change(&mut self.invocation);
        self
    }

    async fn run(&self) -> Result<Finished, ProcessError> {
        let (_run, stop) = watch::channel(StopLevel::Run);
        run(&self.invocation, &stop).await
    }

    async fn stdout(&self) -> String {
        let finished = self.run().await.unwrap();
        assert!(finished.status.success(), "{finished:?}");
        String::from_utf8(finished.stdout).unwrap()
    }

    /// Waits until the script has written a line to this file.
    async fn line_of(&self, file: &str) -> String {
        let path = self.dir.path().join(file);
        soon(&format!("there is no `{file}`"), || {
            fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n'))
        })
        .await
        .trim()
        .to_owned()
    }

    /// Waits until the process whose number is in this file is no more.
    async fn death_of(&self, file: &str) {
        let number = self.line_of(file).await.parse().unwrap();
        let pid = Pid::from_raw(number).unwrap();
        soon(&format!("`{file}` lives"), || (!is_alive(pid)).then_some(())).await;
    }
}

async fn soon<T>(complaint: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let answer = async {
        loop {
            match ask() {
                Some(answer) => return answer,
                None => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(LONG, answer).await.expect(complaint)
}

/// A zombie is dead: it has no memory and runs nothing.
fn is_alive(pid: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()));
    status.is_ok_and(|it| !it.contains("State:\tZ") && !it.contains("State:\tX"))
}

#[tokio::test]
async fn a_child_gets_its_input_and_its_environment_and_gives_its_output() {
    let script = Script::new("cat; echo $SIDE; pwd; echo oops >&2; exit 3").with(|it| {
        it.stdin = b"in\n".to_vec();
        it.env.insert("SIDE".into(), "left".into());
    });
    let finished = script.run().await.unwrap();
    let cwd = script.dir.path().canonicalize().unwrap();
    assert_eq!(
        String::from_utf8(finished.stdout).unwrap(),
        format!("in\nleft\n{}\n", cwd.display())
    );
    assert_eq!(finished.stderr, b"oops\n");
    assert_eq!(finished.status.code(), Some(3));
}

#[tokio::test]
async fn megabytes_go_in_and_out_at_once() {
    let script = Script::new("exec cat").with(|it| {
        it.stdin = b"0123456789abcdef".repeat(1 << 16);
        it.stdout = Redirect::CaptureAll { limit: 1 << 20 };
    });
    assert_eq!(script.run().await.unwrap().stdout, script.invocation.stdin);
}

#[tokio::test]
async fn a_child_that_does_not_read_is_no_error() {
    let closes = Script::new("exec 0<&-; echo done").with(|it| it.stdin = vec![b'x'; 1 << 20]);
    assert_eq!(closes.stdout().await, "done\n");
    let ignores = Script::new("echo done").with(|it| it.stdin = vec![b'x'; 1 << 20]);
    assert_eq!(ignores.stdout().await, "done\n");
}

#[tokio::test]
async fn without_input_there_is_the_end_of_file() {
    assert_eq!(Script::new("cat; echo done").stdout().await, "done\n");
}

#[tokio::test]
async fn the_last_bytes_are_read_however_fast_the_child_ends() {
    for _ in 0..50 {
        let text = Script::new("head -c 65536 /dev/zero; echo end >&2").run().await.unwrap();
        assert_eq!((text.stdout.len(), &*text.stderr), (65536, &b"end\n"[..]));
    }
}

#[tokio::test]
async fn exactly_the_limit_is_allowed() {
    let script = |bytes| {
        Script::new(&format!("head -c {bytes} /dev/zero"))
            .with(|it| it.stdout = Redirect::CaptureAll { limit: 100_000 })
    };
    assert_eq!(script(100_000).run().await.unwrap().stdout.len(), 100_000);
    let err = script(100_001).run().await.unwrap_err();
    assert_eq!(err.to_string(), "`sh` wrote more than 100000 bytes to its standard output");
}

#[tokio::test]
async fn a_flood_of_output_ends_the_child_and_all_it_started() {
    let script = Script::new("yes & echo $! >pid; echo why >&2; exec yes");
    let err = script.run().await.unwrap_err();
    let ProcessError::Flooded { stderr, .. } = err else { panic!("{err}") };
    assert_eq!(stderr, b"why\n");
    script.death_of("pid").await;
}

#[tokio::test]
async fn of_a_flood_of_errors_the_end_is_kept() {
    let script = Script::new("head -c 5000000 /dev/zero >&2; echo the end >&2; echo done");
    let finished = script.run().await.unwrap();
    assert_eq!(finished.stdout, b"done\n");
    assert_eq!(finished.stderr.len(), 1 << 10);
    assert!(finished.stderr.ends_with(b"\0the end\n"));
}

#[tokio::test]
async fn a_limit_of_standard_error_is_named() {
    let script =
        Script::new("echo too much >&2").with(|it| it.stderr = Redirect::CaptureAll { limit: 3 });
    let err = script.run().await.unwrap_err();
    assert_eq!(err.to_string(), "`sh` wrote more than 3 bytes to its standard error");
}

/// Runs the script and returns its end, with what happened: each signal, and the output as text.
async fn watch_it(script: &Script, stop: impl Future<Output = ()>) -> (Ended, Vec<String>) {
    let mut events = vec![String::new()];
    let ended = run_watched(&script.invocation, stop, |event| match event {
        ProcessEvent::Tick => {}
        ProcessEvent::Output(_, bytes) => events[0].push_str(std::str::from_utf8(bytes).unwrap()),
        ProcessEvent::Signal(name) => events.push(name.to_owned()),
    })
    .await
    .unwrap();
    (ended, events)
}

#[tokio::test]
async fn a_watched_run_passes_its_output_on() {
    let script =
        Script::new("head -c 200000 /dev/zero | tr '\\0' x; echo end >&2; exit 3").with(|it| {
            it.stdout = Redirect::Stream;
            it.stderr = Redirect::Stream;
        });
    let (ended, events) = watch_it(&script, std::future::pending()).await;
    assert_eq!(ended.status.unwrap().code(), Some(3));
    assert_eq!(ended.ended_by, EndedBy::Itself);
    assert!(ended.stdout.is_empty());
    assert_eq!(events[0].bytes().filter(|byte| *byte == b'x').count(), 200_000);
    assert!(events[0].contains("end\n") && events.len() == 1);
}

#[tokio::test]
async fn the_longer_ladder_begins_with_an_interrupt() {
    let script = Script::new("trap '' INT TERM; echo $$ >leader; while :; do sleep 1000; done")
        .with(|it| (it.limits.grace, it.limits.ladder) = (SHORT, Ladder::Interrupt));
    let stop = async {
        script.line_of("leader").await;
    };
    let (ended, events) = watch_it(&script, stop).await;
    assert_eq!(ended.status.unwrap().signal(), Some(9));
    assert_eq!(ended.ended_by, EndedBy::Stop);
    assert_eq!(events[1..], ["SIGINT", "SIGTERM", "SIGKILL"]);
}

#[tokio::test]
async fn leftovers_may_be_left_alone_if_the_child_exited() {
    let background = "sleep 1000 >&- 2>&- & echo $! >pid; test -z \"$JAUNT_PROCESS\"";
    let script = Script::new(background).with(|it| it.leftovers = Leftovers::Leave);
    assert_eq!(script.stdout().await, "");
    let pid = Pid::from_raw(script.line_of("pid").await.parse().unwrap()).unwrap();
    assert!(is_alive(pid));
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();

    let script = Script::new(&format!("{background}; kill -SEGV $$"))
        .with(|it| it.leftovers = Leftovers::Leave);
    script.run().await.unwrap();
    script.death_of("pid").await;
}

#[test]
fn a_program_is_looked_for_where_it_would_be_started() {
    let dir = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
    fs::create_dir_all(root.join("bin/dir")).unwrap();
    std::os::unix::fs::symlink("/bin/sh", root.join("bin/tool")).unwrap();
    let is_there = |program, path: &str| is_program(program, &root, path.as_ref());
    assert!(
        is_there("tool", "/nowhere:bin") && is_there("bin/tool", "") && is_there("/bin/sh", "")
    );
    assert!(
        !is_there("tool", "/nowhere") && !is_there("dir", "bin") && !is_there("bin/none", "bin")
    );
}

/// Runs a script into a time limit, one that is long enough for it to write `leader`.
async fn time_out(text: &str) -> (Script, ProcessError) {
    let mut limit = SHORT;
    loop {
        let script =
            Script::new(text).with(|it| (it.limits.time, it.limits.grace) = (Some(limit), SHORT));
        let err = script.run().await.unwrap_err();
        let leader = fs::read_to_string(script.dir.path().join("leader"));
        if leader.is_ok_and(|it| it.ends_with('\n')) {
            return (script, err);
        }
        limit *= 2;
    }
}

#[tokio::test]
async fn a_time_limit_ends_the_child_and_all_it_started() {
    let text = "echo why >&2; sleep 1000 & echo $! >pid; echo $$ >leader; wait";
    let (script, err) = time_out(text).await;
    let shown = err.to_string();
    let ProcessError::TimedOut { limit, stderr, .. } = err else { panic!("{err}") };
    assert_eq!(shown, format!("`sh` did not finish within {} s", limit.as_secs_f64()));
    assert_eq!(stderr, b"why\n");
    script.death_of("leader").await;
    script.death_of("pid").await;
}

#[tokio::test]
async fn who_ignores_the_first_signal_gets_the_second() {
    let text = "trap '' TERM; echo $$ >leader; while :; do sleep 1000; done";
    let (script, err) = time_out(text).await;
    assert!(matches!(err, ProcessError::TimedOut { .. }), "{err}");
    script.death_of("leader").await;
}

#[tokio::test]
async fn a_stopped_child_is_killed_all_the_same() {
    let (script, err) = time_out("echo $$ >leader; kill -STOP $$").await;
    assert!(matches!(err, ProcessError::TimedOut { .. }), "{err}");
    script.death_of("leader").await;
}

#[tokio::test]
async fn what_runs_on_in_the_background_is_ended_and_not_waited_for() {
    let script = Script::new("sleep 1000 & echo $! >pid; echo done");
    assert_eq!(script.stdout().await, "done\n");
    script.death_of("pid").await;
}

/// A child of a child, in a session of its own, that holds the pipes open.
const DAEMON: &str = "
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open('pid.new', 'w') as file:
            print(os.getpid(), file=file)
        os.rename('pid.new', 'pid')
        while True:
            time.sleep(1000)
    os._exit(0)
os.wait()
while not os.path.exists('pid'):
    pass
";

#[tokio::test]
async fn what_has_left_the_group_and_the_session_is_found_and_ended() {
    adopt_orphans();
    let daemon = |then| {
        Script::new("").with(|it| {
            it.program = "python3".to_owned();
            it.args = vec!["-c".into(), format!("{DAEMON}{then}").into()];
        })
    };
    let script = daemon("print('done')");
    assert_eq!(script.stdout().await, "done\n");
    script.death_of("pid").await;

    let script = daemon("print(file=open('leader', 'w')); time.sleep(1000)");
    let ended = stop_once_it_runs(&script, &[StopLevel::Kill]).await;
    assert!(matches!(ended, Err(ProcessError::Stopped)), "{ended:?}");
    script.death_of("pid").await;
}

#[tokio::test]
async fn at_the_end_of_the_program_nothing_is_left_below_it() {
    // In a process of its own, in which nothing else is killed.
    if std::env::var_os("ALONE").is_none() {
        let exe = std::env::current_exe().unwrap();
        let name = "tests::at_the_end_of_the_program_nothing_is_left_below_it";
        let alone = Script::new("").with(|it| {
            it.program = exe.into_os_string().into_string().unwrap();
            it.args = vec!["--exact".into(), name.into()];
            it.env.insert("ALONE".into(), "1".into());
        });
        assert!(alone.stdout().await.contains("1 passed"));
        return;
    }
    adopt_orphans();
    // Without its environment, nothing but its place tells whose it is.
    let script = Script::new(
        "python3 -c 'import os; os.setsid(); os.execve(\"/bin/sh\", [\"sh\", \"-c\", \"echo $$ >pid; sleep 1000\"], {})' &
         until test -s pid; do :; done",
    );
    script.run().await.unwrap();
    let pid = Pid::from_raw(script.line_of("pid").await.parse().unwrap()).unwrap();
    assert!(is_alive(pid));
    kill_descendants();
    script.death_of("pid").await;
}

#[tokio::test]
async fn a_dropped_run_leaves_nothing_behind() {
    let script = Script::new("sleep 1000 & echo $! >pid; echo $$ >leader; wait");
    let child = script.run();
    tokio::select! {
        ended = child => panic!("{ended:?}"),
        _ = script.line_of("leader") => {}
    }
    script.death_of("leader").await;
    script.death_of("pid").await;
}

#[tokio::test]
async fn a_run_that_is_stopped_starts_nothing() {
    let script = Script::new("echo $$ >leader");
    let (_stop, stopped) = watch::channel(StopLevel::Terminate);
    let err = run(&script.invocation, &stopped).await.unwrap_err();
    assert!(matches!(err, ProcessError::Stopped), "{err}");
    assert!(!script.dir.path().join("leader").exists());
}

/// Runs the script, and tells it to stop once it has written `leader`.
async fn stop_once_it_runs(
    script: &Script,
    levels: &[StopLevel],
) -> Result<Finished, ProcessError> {
    let (stop, stopped) = watch::channel(StopLevel::Run);
    let stopping = async {
        script.line_of("leader").await;
        for level in levels {
            stop.send_replace(*level);
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(run(&script.invocation, &stopped), stopping).0
}

#[tokio::test]
async fn a_stop_asks_politely_and_then_kills() {
    let polite =
        Script::new("trap 'echo bye >said; exit 1' TERM; echo $$ >leader; sleep 1000 & wait");
    let ended = stop_once_it_runs(&polite, &[StopLevel::Terminate]).await;
    assert!(matches!(ended, Err(ProcessError::Stopped)), "{ended:?}");
    assert_eq!(polite.line_of("said").await, "bye");

    let stubborn = "trap '' TERM; echo $$ >leader; while :; do sleep 1000; done";
    let script = Script::new(stubborn).with(|it| it.limits.grace = SHORT);
    let ended = stop_once_it_runs(&script, &[StopLevel::Terminate]).await;
    assert!(matches!(ended, Err(ProcessError::Stopped)), "{ended:?}");
    script.death_of("leader").await;

    let script = Script::new(stubborn);
    let ended = stop_once_it_runs(&script, &[StopLevel::Terminate, StopLevel::Kill]).await;
    assert!(matches!(ended, Err(ProcessError::Stopped)), "{ended:?}");
    script.death_of("leader").await;
}

#[tokio::test]
async fn who_finishes_within_the_grace_period_has_finished() {
    let script = Script::new("trap 'echo done; exit 0' TERM; echo $$ >leader; sleep 1000 & wait");
    let finished = stop_once_it_runs(&script, &[StopLevel::Terminate]).await.unwrap();
    assert_eq!(finished.stdout, b"done\n");
}

#[tokio::test]
async fn nobody_left_to_stop_a_run_does_not_stop_it() {
    let (stop, stopped) = watch::channel(StopLevel::Run);
    drop(stop);
    let script = Script::new("echo done");
    assert_eq!(run(&script.invocation, &stopped).await.unwrap().stdout, b"done\n");
}

#[tokio::test]
async fn a_signal_is_seen_in_the_status() {
    let finished = Script::new("kill -SEGV $$").run().await.unwrap();
    assert_eq!(finished.status.signal(), Some(11));
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let why = async |name: &str, content: Option<&str>, mode: u32| {
        use std::os::unix::fs::OpenOptionsExt as _;
        let script = Script::new("").with(|it| it.program = name.to_owned());
        if let Some(content) = content {
            let mut options = fs::OpenOptions::new();
            let file = options.create_new(true).write(true).mode(mode);
            let mut file = file.open(script.dir.path().join(name)).unwrap();
            std::io::Write::write_all(&mut file, content.as_bytes()).unwrap();
        }
        match script.run().await.unwrap_err() {
            ProcessError::Start { program, source } => format!("{program}: {source}"),
            other => panic!("{other}"),
        }
    };
    insta::assert_snapshot!(
        [
            why("no-such-program", None, 0).await,
            why("./none", None, 0).await,
            why("./text", Some("hello"), 0o600).await,
            why("./script", Some("#!/no/such/interpreter\n"), 0o700).await,
        ]
        .join("\n"),
        @"
    no-such-program: No such file or directory (os error 2)
    ./none: No such file or directory (os error 2)
    ./text: it is not executable
    ./script: the interpreter that its first line names does not exist
    "
    );
}

#[tokio::test]
async fn a_missing_directory_is_not_called_a_missing_program() {
    let script = Script::new("").with(|it| it.cwd = "/no/such/directory".into());
    let ProcessError::Start { source, .. } = script.run().await.unwrap_err() else { panic!() };
    assert_eq!(source.to_string(), "there is no directory `/no/such/directory`");
}
