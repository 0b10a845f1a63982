//! The Markdown around an answer, taken off.

use std::ops::Range;

/// Returns the Python source in an answer of a language model.
///
/// A code fence is taken off when it is evident that the answer is Markdown:
///
/// - it is one fenced block, whatever further fences are inside, or begins with a fence that is
///   never closed;
/// - or there is text around its blocks, and exactly one of them is marked as Python; or, where
///   none is marked at all, there is exactly one.
///
/// Everything else comes back as it is. In particular, a fence inside a string of Python source
/// is never taken for one around it: before a fence that stands in a string, there is the
/// beginning of that string.
pub(crate) fn strip_fence(answer: &str) -> &str {
    let fence =
        first_line(answer).and_then(|line| Some((Fence::open(&answer[line.clone()])?, line.end)));
    if let Some((fence, start)) = fence {
        let last = last_line(answer);
        if start <= last.start && fence.is_closed_by(&answer[last.clone()]) {
            return &answer[start..last.start];
        }
        if fence.mark == '`' && !lines(&answer[start..]).any(|(_, line)| fence.is_closed_by(line)) {
            return &answer[start..];
        }
    }
    only_block(answer).map_or(answer, |block| &answer[block])
}

/// Returns the inside of the only block that can be meant.
fn only_block(answer: &str) -> Option<Range<usize>> {
    let mut n_blocks = 0;
    let mut unmarked = None;
    let mut n_marked = 0;
    let mut marked = None;
    let mut open: Option<(Fence<'_>, usize)> = None;
    for (range, line) in lines(answer) {
        match &open {
            None => {
                open = Fence::open(line).map(|fence| (fence, range.end));
                // The beginning of a string, or an escaped line end: this can be Python.
                if ["\"\"\"", "'''"].iter().any(|quote| line.contains(quote))
                    || line.ends_with('\\')
                {
                    return None;
                }
            }
            Some((fence, start)) if fence.is_closed_by(line) => {
                n_blocks += 1;
                if fence.is_python() {
                    n_marked += 1;
                    marked = Some(*start..range.start);
                } else if fence.language.is_empty() {
                    unmarked = Some(*start..range.start);
                }
                open = None;
            }
            Some(_) => {}
        }
    }
    match (open, n_marked, n_blocks) {
        // An open end is not Markdown that somebody has finished.
        (Some(_), _, _) => None,
        (None, 1, _) => marked,
        (None, 0, 1) => unmarked,
        (None, _, _) => None,
    }
}

/// Returns the first line that is not blank, with its end.
fn first_line(text: &str) -> Option<Range<usize>> {
    lines(text).find(|(_, line)| !line.trim().is_empty()).map(|(range, _)| range)
}

/// Returns the last line that is not blank, without its end.
fn last_line(text: &str) -> Range<usize> {
    let text = text.trim_end();
    text.rfind('\n').map_or(0, |before| before + 1)..text.len()
}

/// The first line of a fenced code block (CommonMark 0.31, section 4.5).
struct Fence<'a> {
    mark: char,
    length: usize,
    /// The first word after the marks.
    language: &'a str,
}

impl<'a> Fence<'a> {
    fn open(line: &'a str) -> Option<Self> {
        let (mark, length, info) = split_fence(line.trim_end())?;
        // What goes on after the marks of an inline code span is no block.
        let is_inline = mark == '`' && info.contains('`');
        let language = info.split_whitespace().next().unwrap_or("");
        (!is_inline).then_some(Self { mark, length, language })
    }

    fn is_python(&self) -> bool {
        ["python", "py", "python3", "py3"].iter().any(|it| self.language.eq_ignore_ascii_case(it))
    }

    fn is_closed_by(&self, line: &str) -> bool {
        split_fence(line).is_some_and(|(mark, length, rest)| {
            mark == self.mark && length >= self.length && rest.trim().is_empty()
        })
    }
}

/// Splits a line into a fence's character, its length, and the rest.
fn split_fence(line: &str) -> Option<(char, usize, &str)> {
    let unindented = line.trim_start_matches(' ');
    let mark = unindented.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = unindented.trim_start_matches(mark);
    let length = unindented.len() - rest.len();
    (length >= 3 && line.len() - unindented.len() <= 3).then_some((mark, length, rest))
}

/// Returns the lines of a text: where each is, with its end, and what it says, without.
fn lines(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.split_inclusive('\n').scan(0, |end, line| {
        let start = *end;
        *end += line.len();
        Some((start..*end, line.trim_end_matches(['\n', '\r'])))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(answer: &str, source: &str) {
        assert_eq!(strip_fence(answer), source, "{answer}");
        let crlf = answer.replace('\n', "\r\n");
        assert_eq!(strip_fence(&crlf), source.replace('\n', "\r\n"), "with CR LF: {answer}");
    }

    #[test]
    fn an_answer_that_is_one_block_loses_its_fence() {
        check("```python\nx = 1\n```\n", "x = 1\n");
        check("```python\nx = 1\n```", "x = 1\n");
        check("\n\n```\nx = 1\n\n```\n\n", "x = 1\n\n");
        check("~~~ py\nx = 1\n~~~\n", "x = 1\n");
        check("````python title=\"a.py\"\nx = 1\n````\n", "x = 1\n");
        check("  ```python\nx = 1\n  ```\n", "x = 1\n");
        check("```python\n```\n", "");
    }

    #[test]
    fn fences_inside_the_block_belong_to_the_source() {
        let source = "\"\"\"Doc.\n\n```python\nx\n```\n\"\"\"\nx = 1\n";
        check(&format!("```python\n{source}```\n"), source);
        check(&format!("````python\n{source}````\nDone.\n"), source);
    }

    #[test]
    fn a_fence_that_is_never_closed_is_taken_off() {
        check("```python\nx = 1\ny = 2\n", "x = 1\ny = 2\n");
        check("```python", "");
    }

    #[test]
    fn text_around_the_only_block_is_left_out() {
        check("Here it is:\n\n```python\nx = 1\n```\n", "x = 1\n");
        check("```python\nx = 1\n```\n\nThis defines `x`.\n", "x = 1\n");
        check("Sure!\n```\nx = 1\n```\nDone.\n", "x = 1\n");
        check("First:\n```sh\npip install x\n```\nThen:\n```python\nx = 1\n```\n", "x = 1\n");
    }

    #[test]
    fn what_is_not_evident_is_left_alone() {
        for answer in [
            "",
            " \n",
            "x = 1\n",
            "Here it is: ```x = 1```\n",
            "Two:\n```python\nx = 1\n```\nor\n```python\nx = 2\n```\n",
            "Two:\n```\nx = 1\n```\nor\n```\nx = 2\n```\n",
            "Run:\n```sh\nls\n```\n",
            "It is:\n```python\nx = 1\n",
            "~~~x\n",
            "    ```\n    x\n    ```\n",
        ] {
            check(answer, answer);
        }
    }

    #[test]
    fn fences_in_strings_are_left_alone() {
        for source in [
            "\"\"\"Doc.\n\n```python\nx\n```\n\"\"\"\n\ndef f(): ...\n",
            "def f():\n    r'''Doc.\n```\nx\n```\n    '''\n",
            "x = \"\\\n```\\\n```\"\n",
            "def f():\n    \"\"\"Doc.\n\n    ```python\n    f()\n    ```\n    \"\"\"\n",
        ] {
            check(source, source);
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(answer in "([`~]{1,4}|\"\"\"|\\PC{0,5}|python|\n|\r\n| ){0,40}") {
            let source = strip_fence(&answer);
            prop_assert!(answer.contains(source));
        }

        #[test]
        fn source_without_a_fence_is_left_alone(source in "([a-z=()'\":# `~]{0,12}\n){0,20}") {
            prop_assume!(!source.lines().any(|line| split_fence(line).is_some()));
            prop_assert_eq!(strip_fence(&source), &*source);
        }

        #[test]
        fn source_in_a_longer_fence_comes_out_whole(source in "([a-z=()'\":# `~]{0,12}\n){0,20}") {
            let answer = format!("Here:\n\n`````````````python\n{source}`````````````\n");
            prop_assert_eq!(strip_fence(&answer), &*source);
        }

        #[test]
        fn a_docstring_with_a_fence_is_left_alone(doc in "([a-z `~]{0,8}\n){0,10}") {
            let source = format!("\"\"\"Doc.\n{doc}\"\"\"\nx = 1\n");
            prop_assert_eq!(strip_fence(&source), &*source);
        }
    }
}
