//! The project's Python interpreter.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

/// Finds the interpreter: the flag, else `$VIRTUAL_ENV`, else `.venv/` in the project, else
/// `python3` on the PATH. A path with a folder in it is taken relative to `cwd`.
pub(crate) fn interpreter(
    flag: Option<&Utf8Path>,
    cwd: &Utf8Path,
    root: &Utf8Path,
    vars: &BTreeMap<String, String>,
) -> Utf8PathBuf {
    if let Some(path) = flag {
        let is_bare = path.components().count() == 1 && !path.as_str().contains('/');
        return if is_bare { path.to_owned() } else { cwd.join(path) };
    }
    let in_env = |env: &Utf8Path| Some(env.join("bin/python")).filter(|python| python.is_file());
    vars.get("VIRTUAL_ENV")
        .filter(|env| !env.is_empty())
        .and_then(|env| in_env(Utf8Path::new(env)))
        .or_else(|| in_env(&root.join(".venv")))
        .unwrap_or_else(|| Utf8PathBuf::from("python3"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_comes_before_the_environment_and_that_before_the_path() {
        let none = BTreeMap::new();
        let root = Utf8Path::new("/nowhere");
        let cwd = Utf8Path::new("/here");
        let flag = |path: &'static str| interpreter(Some(Utf8Path::new(path)), cwd, root, &none);
        assert_eq!(flag("python3.13"), "python3.13");
        assert_eq!(flag("./env/bin/python"), "/here/./env/bin/python");
        assert_eq!(flag("/usr/bin/python3"), "/usr/bin/python3");
        assert_eq!(interpreter(None, cwd, root, &none), "python3");
        // An environment that is gone is none.
        let gone = BTreeMap::from([("VIRTUAL_ENV".to_owned(), "/nowhere/env".to_owned())]);
        assert_eq!(interpreter(None, cwd, root, &gone), "python3");
    }
}
