//! The project's Python interpreter.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

/// Finds the interpreter: the one that was chosen, else `$VIRTUAL_ENV`, else `.venv/` in the project, else
/// `python3` on the PATH.
pub(crate) fn interpreter(
    chosen: Option<&Utf8Path>,
    root: &Utf8Path,
    environment: &BTreeMap<String, String>,
) -> Utf8PathBuf {
    if let Some(path) = chosen {
        return path.to_owned();
    }
    let in_env = |env: &Utf8Path| Some(env.join("bin/python")).filter(|python| python.is_file());
    environment
        .get("VIRTUAL_ENV")
        .filter(|env| !env.is_empty())
        .and_then(|env| in_env(Utf8Path::new(env)))
        .or_else(|| in_env(&root.join(".venv")))
        .unwrap_or_else(|| Utf8PathBuf::from("python3"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_comes_before_the_environment_and_that_before_the_path() {
        let none = BTreeMap::new();
        let root = Utf8Path::new("/nowhere");
        let chosen = Some(Utf8Path::new("/usr/bin/python3"));
        assert_eq!(interpreter(chosen, root, &none), "/usr/bin/python3");
        assert_eq!(interpreter(Some(Utf8Path::new("python3.13")), root, &none), "python3.13");
        assert_eq!(interpreter(None, root, &none), "python3");
        // An environment that is gone is none.
        let gone = BTreeMap::from([("VIRTUAL_ENV".to_owned(), "/nowhere/env".to_owned())]);
        assert_eq!(interpreter(None, root, &gone), "python3");
    }
}
