//! Backends that leave processes behind.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::faults::lab::{Lab, Project};
use crate::faults::size::Size;
use crate::faults::trace::wait_until;

/// Starts processes that are hard to find, each of which writes its number to a file, and never answers
/// (with `exit` as its argument: answers and ends).
const SPAWNER: &str = r#"
import os, signal, subprocess, sys, time

def stay(name):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with open(f"pids/{name}.new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(f"pids/{name}.new", f"pids/{name}")
    while True:
        time.sleep(60)

def daemon(name):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 3)
            stay(name)
        os._exit(0)

os.makedirs("pids", exist_ok=True)
me = os.getpid()
daemon(f"{me}-daemon")
if os.fork() == 0:
    stay(f"{me}-child")
if os.fork() == 0:
    os.setsid()
    # Without anything in the environment that could give it away.
    os.execve(sys.executable, [sys.executable, "-c", f"""
import os, time
open("pids/{me}-bare.new", "w").write(str(os.getpid()))
os.rename("pids/{me}-bare.new", "pids/{me}-bare")
time.sleep(600)
"""], {})
with open(f"pids/{me}-self.new", "w") as file:
    file.write(str(me))
os.rename(f"pids/{me}-self.new", f"pids/{me}-self")
if "exit" in sys.argv:
    while len([it for it in os.listdir("pids") if it.startswith(f"{me}-") and not it.endswith(".new")]) < 4:
        time.sleep(0.005)
    print("def f0(): pass\ndef f1(): pass\ndef f2(): pass")
    sys.exit()
stay(f"{me}-self")
"#;

/// The number of processes of one backend, itself included.
const PER_BACKEND: usize = 4;

/// Ends builds whose backends have left processes: by signals, by the time limit, and by their own end.
pub(crate) fn run(lab: &Lab, size: Size) -> anyhow::Result<String> {
    let mut processes = 0;
    let mut builds = 0;
    for round in 0..size.pick(10, 1) {
        // A second signal kills what the first one asks to end. One signal alone takes a while, so the
        // short form has only pairs.
        let cases = [
            (&["INT", "INT"][..], 130),
            (&["TERM", "INT"], 143),
            (&["INT"], 130),
            (&["TERM"], 143),
        ];
        for (signals, exit) in cases.into_iter().take(size.pick(4, 2)) {
            let project = project(lab, "wait")?;
            let mut child = project.jaunt(&["build", "--jobs", "3"]).spawn()?;
            wait_until("the backends have started their processes", || {
                ensure!(child.try_wait()?.is_none(), "the build has ended");
                Ok(pids(&project)?.len() == 3 * PER_BACKEND)
            })?;
            let started = Instant::now();
            for signal in signals {
                let id = child.id().to_string();
                let sent = Command::new("kill").args(["-s", signal, &id]).status()?;
                ensure!(sent.success(), "cannot send SIG{signal}");
                // Signals of one kind that follow each other too fast are merged.
                std::thread::sleep(Duration::from_millis(100));
            }
            let output = child.wait_with_output()?;
            let what = format!("round {round}, {signals:?}");
            check_exit(&output, exit).with_context(|| what.clone())?;
            ensure!(started.elapsed() < Duration::from_secs(20), "{what}: it took too long");
            processes += check_none_left(&project).context(what)?;
            builds += 1;
        }
        let cases = [("exit", &[][..], 0), ("wait", &["--timeout", "2"], 3)];
        for (mode, args, exit) in cases.into_iter().take(size.pick(2, 1)) {
            let project = project(lab, mode)?;
            let args = [&["build", "--jobs", "3"], args].concat();
            let output = project.jaunt(&args).output()?;
            let what = format!("round {round}, {args:?}");
            check_exit(&output, exit).with_context(|| what.clone())?;
            processes += check_none_left(&project).context(what)?;
            builds += 1;
        }
    }
    Ok(format!(
        "{builds} builds ended by signals, time limits and themselves; none of {processes} processes was left"
    ))
}

fn check_exit(output: &Output, code: i32) -> anyhow::Result<()> {
    ensure!(
        output.status.code() == Some(code),
        "{} instead of exit {code}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Makes a project whose backends leave processes.
fn project(lab: &Lab, mode: &str) -> anyhow::Result<Project> {
    let project = lab.project("orphans", &[vec![], vec![], vec![]])?;
    fs::write(project.root().join("spawner.py"), SPAWNER)?;
    project.use_backend(&["python3", "spawner.py", mode].map(str::to_owned))?;
    Ok(project)
}

/// Returns the numbers of the processes that have been started and have written theirs.
fn pids(project: &Project) -> anyhow::Result<Vec<String>> {
    let dir = project.root().join("pids");
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut pids = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_none() {
            pids.push(fs::read_to_string(path)?);
        }
    }
    Ok(pids)
}

/// Checks that none of the processes is left, and returns how many there were.
fn check_none_left(project: &Project) -> anyhow::Result<usize> {
    let pids = pids(project)?;
    ensure!(pids.len() >= PER_BACKEND, "the backend did not start its processes: {pids:?}");
    // A process that was killed takes a moment to die.
    let deadline = Instant::now() + Duration::from_secs(2);
    for pid in &pids {
        while Path::new("/proc").join(pid).exists() {
            ensure!(Instant::now() < deadline, "process {pid} of {pids:?} is left");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(pids.len())
}
