//! Rust sources as the checks see them: without comments, tests, and the text of literals.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// A file below the `src` of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The path from the root of the workspace, with `/`.
    pub(crate) path: String,
    /// The module that the file is; empty for the crate's root.
    pub(crate) module: Vec<String>,
    /// The text, with as many lines as the file. Comments and tests are blanked, and each character of a
    /// literal is `_`.
    pub(crate) code: String,
}

impl Source {
    #[cfg(test)]
    pub(crate) fn new(path: &str, module: &[&str], text: &str) -> Self {
        let (code, _) = without_tests(blank(text));
        let module = module.iter().map(|&name| name.to_owned()).collect();
        Self { path: path.to_owned(), module, code }
    }

    /// Returns the number of lines with code.
    pub(crate) fn n_lines(&self) -> usize {
        count(&self.code)
    }
}

/// Returns the number of lines that are not blank.
pub(crate) fn count(code: &str) -> usize {
    code.lines().filter(|line| !line.trim().is_empty()).count()
}

/// Reads the sources of a crate, without files that are only compiled for tests, in the order of their paths.
pub(crate) fn read(root: &Path, krate: &str) -> anyhow::Result<Vec<Source>> {
    let src = root.join(krate).join("src");
    let mut files = Vec::new();
    find(&src, &mut files)?;
    files.sort();
    let (mut sources, mut tests) = (Vec::new(), BTreeSet::new());
    for file in files {
        let text = fs::read_to_string(&file)?;
        let below = file.strip_prefix(&src)?.with_extension("");
        let mut module: Vec<String> =
            below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        // A program beside a library has a root of its own, `main`.
        let is_root = module == ["lib"] || (module == ["main"] && !src.join("lib.rs").exists());
        if is_root || module.last().is_some_and(|name| name == "mod") {
            module.pop();
        }
        let (code, test_modules) = without_tests(blank(&text));
        tests.extend(test_modules.into_iter().map(|name| [&module[..], &[name]].concat()));
        let path = file.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        sources.push(Source { path, module, code });
    }
    sources.retain(|source| {
        let is_test = |n| source.module[n] == "tests" || tests.contains(&source.module[..=n]);
        !(0..source.module.len()).any(is_test)
    });
    Ok(sources)
}

/// Finds Rust files below a directory.
pub(crate) fn find(dir: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read `{}`", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// Blanks comments and the text of literals.
pub(crate) fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut blanker = Blanker { chars: &chars, at: 0, code: String::with_capacity(text.len()) };
    while blanker.at < chars.len() {
        blanker.step();
    }
    blanker.code
}

struct Blanker<'a> {
    chars: &'a [char],
    at: usize,
    code: String,
}

impl Blanker<'_> {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    /// Copies characters.
    fn keep(&mut self, n: usize) {
        let end = (self.at + n).min(self.chars.len());
        self.code.extend(&self.chars[self.at..end]);
        self.at = end;
    }

    /// Replaces a character; line breaks stay.
    fn hide(&mut self, by: char) {
        let c = self.peek(0);
        self.code.push(if c.is_whitespace() { c } else { by });
        self.at += 1;
    }

    fn step(&mut self) {
        let in_word = self.code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => self.line_comment(),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('r', '"' | '#') if !in_word => self.raw_string(1),
            ('b' | 'c', 'r') if !in_word && matches!(self.peek(2), '"' | '#') => self.raw_string(2),
            ('\'', '\\') => self.character(2),
            ('\'', _) if self.peek(2) == '\'' => self.character(1),
            _ => self.keep(1),
        }
    }

    fn line_comment(&mut self) {
        while self.at < self.chars.len() && self.peek(0) != '\n' {
            self.hide(' ');
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.chars.len() {
            let step = match (self.peek(0), self.peek(1)) {
                ('/', '*') => 1,
                ('*', '/') => -1,
                _ => 0,
            };
            depth += step;
            self.hide(' ');
            if step != 0 {
                self.hide(' ');
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.keep(1);
        while self.at < self.chars.len() && self.peek(0) != '"' {
            if self.peek(0) == '\\' {
                self.hide('_');
            }
            self.hide('_');
        }
        self.keep(1);
    }

    /// Blanks `r#"…"#`, or leaves `r#name` alone.
    fn raw_string(&mut self, prefix: usize) {
        let n_hashes = (prefix..).take_while(|&ahead| self.peek(ahead) == '#').count();
        if self.peek(prefix + n_hashes) != '"' {
            return self.keep(prefix + n_hashes);
        }
        self.keep(prefix + n_hashes + 1);
        let ends =
            |it: &Self| it.peek(0) == '"' && (1..=n_hashes).all(|ahead| it.peek(ahead) == '#');
        while self.at < self.chars.len() && !ends(self) {
            self.hide('_');
        }
        self.keep(1 + n_hashes);
    }

    fn character(&mut self, n: usize) {
        self.keep(1);
        for _ in 0..n {
            self.hide('_');
        }
        while self.at < self.chars.len() && self.peek(0) != '\'' {
            self.hide('_');
        }
        self.keep(1);
    }
}

/// Blanks what is only compiled for tests, and returns the names of test modules that are files.
fn without_tests(code: String) -> (String, Vec<String>) {
    let mut modules = Vec::new();
    let mut bytes = code.clone().into_bytes();
    let mut from = 0;
    while let Some(start) = code[from..].find("#[cfg(").map(|at| from + at) {
        let condition = &code[start + "#[cfg(".len()..];
        if !condition.starts_with("test)") && !condition.starts_with("all(test") {
            from = start + 1;
            continue;
        }
        let end = end_of_item(&code, start);
        let item = code[start..end].trim_end_matches(';').trim_end();
        let mut words = item.split_whitespace().rev();
        if let (Some(name), Some("mod")) = (words.next(), words.next()) {
            modules.push(name.to_owned());
        }
        bytes[start..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        from = end;
    }
    (String::from_utf8(bytes).unwrap_or(code), modules)
}

/// Returns the end of the item, field or statement that begins with an attribute.
fn end_of_item(code: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    let mut braces_closed = None;
    let mut in_attributes = true;
    let bytes = code.as_bytes();
    for at in start..bytes.len() {
        if let Some(end) = braces_closed
            && !bytes[at].is_ascii_whitespace()
        {
            return if bytes[at] == b';' { at + 1 } else { end };
        }
        match bytes[at] {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' if depth > 0 => depth -= 1,
            b'}' if depth == 0 => return at,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    braces_closed = Some(at + 1);
                }
            }
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
        // A field ends with a comma, and begins with its name and a colon.
        if depth == 0 && in_attributes && bytes[at].is_ascii_alphabetic() {
            in_attributes = false;
            let item = code[at..].trim_start_matches("pub(crate)").trim_start();
            let item = item.strip_prefix("pub ").unwrap_or(item);
            let rest = item.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
            if rest.starts_with(':')
                && !rest.starts_with("::")
                && let Some(comma) = rest.find(",\n")
            {
                return code.len() - rest.len() + comma + 1;
            }
        }
    }
    braces_closed.unwrap_or(code.len())
}

/// A word or a punctuation mark, with its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    /// Counted from one.
    pub(crate) line: usize,
}

impl Token<'_> {
    pub(crate) fn is_word(self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// Splits code into words, `::`, and single punctuation marks.
pub(crate) fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(c) = code[at..].chars().next() {
        let rest = &code[at..];
        let len = if c.is_alphanumeric() || c == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        if c == '\n' {
            line += 1;
        } else if !c.is_whitespace() {
            tokens.push(Token { text: &rest[..len], line });
        }
        at += len;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        let text = "let a = \"x {\\\" y\"; // print!\n/* { /* } */ */ let b = r#\"a\"b\"#;\nlet c: &'a u8 = &'{';\nlet d = '\\'';\n";
        let code = blank(text);
        assert_eq!(
            code,
            "let a = \"_ ___ _\";          \n                let b = r#\"___\"#;\nlet c: &'a u8 = &'_';\nlet d = '__';\n"
        );
    }

    #[test]
    fn code_for_tests_is_blanked() {
        let text = "struct A {\n    #[cfg(test)]\n    seen: Vec<u8>,\n    kept: u8,\n}\n#[cfg(test)]\nuse a::{b, c};\nfn kept() {}\n#[cfg(test)]\nmod testing;\n#[cfg(test)]\nmod inner {\n    fn gone() {}\n}\nfn also_kept() {}\n";
        let (code, modules) = without_tests(blank(text));
        let words: Vec<&str> = code.split_whitespace().collect();
        assert_eq!(words.join(" "), "struct A { kept: u8, } fn kept() {} fn also_kept() {}");
        assert_eq!(modules, ["testing"]);
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn tokens_know_their_lines() {
        let tokens = tokens("use a::b;\n\nx.y()");
        let found: Vec<(&str, usize)> = tokens.iter().map(|it| (it.text, it.line)).collect();
        assert_eq!(
            found,
            [
                ("use", 1),
                ("a", 1),
                ("::", 1),
                ("b", 1),
                (";", 1),
                ("x", 3),
                (".", 3),
                ("y", 3),
                ("(", 3),
                (")", 3)
            ]
        );
    }
}
