//! JSON as Python reads and writes it.
//!
//! Values stay texts until somebody asks: integers of any length, floats, and the lone
//! surrogates that Python's strings may hold (as WTF-8) all survive a way through this module.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// How deep lists and objects may be nested; more than `serde_json` takes.
pub(crate) const MAX_DEPTH: usize = 100;

/// One value whose parts are not looked at yet, by its type.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    /// The digits as they were written.
    Number(&'a str),
    String(Text<'a>),
    List(Vec<&'a RawValue>),
    Object(Object<'a>),
}

impl<'a> Node<'a> {
    pub(crate) fn of(raw: &'a RawValue) -> Result<Self, serde_json::Error> {
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => Self::String(serde_json::from_str(text)?),
            Some(b'[') => Self::List(serde_json::from_str(text)?),
            Some(b'{') => Self::Object(serde_json::from_str(text)?),
            _ => Self::Number(text),
        })
    }

    pub(crate) fn into_str(self) -> Option<Cow<'a, str>> {
        match self {
            Self::String(text) => text.into_str(),
            _ => None,
        }
    }
}

/// A string, as WTF-8.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text<'a>(Cow<'a, [u8]>);

impl<'a> Text<'a> {
    /// Returns the string, unless it holds a lone surrogate.
    pub(crate) fn as_str(&self) -> Option<&str> {
        str::from_utf8(&self.0).ok()
    }

    /// Returns the string, unless it holds a lone surrogate.
    pub(crate) fn into_str(self) -> Option<Cow<'a, str>> {
        match self.0 {
            Cow::Borrowed(bytes) => str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        }
    }

    /// Returns the string with U+FFFD for what is not Unicode.
    pub(crate) fn into_lossy(self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, because serde_json refuses lone surrogates in strings but not in bytes.
        deserializer.deserialize_bytes(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Text<'de>, E> {
        Ok(Text(bytes.into()))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Text<'de>, E> {
        Ok(Text(bytes.to_owned().into()))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(text.into())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(text.to_owned().into())
    }
}

/// A string without lone surrogates; only one with escapes is copied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Str<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// The members of an object, in the order of the document.
#[derive(Debug)]
pub(crate) struct Object<'a>(Vec<(Text<'a>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Returns a member; the last one, where a key is repeated, as Python's reader does.
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(it, _)| *it.0 == *key.as_bytes()).map(|(_, value)| *value)
    }

    /// Returns the members by key, without those that a later one replaces.
    pub(crate) fn into_sorted(self) -> BTreeMap<Text<'a>, &'a RawValue> {
        self.0.into_iter().collect()
    }
}

impl<'a> FromIterator<(Text<'a>, &'a RawValue)> for Object<'a> {
    fn from_iter<I: IntoIterator<Item = (Text<'a>, &'a RawValue)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            members.push(member);
        }
        Ok(Object(members))
    }
}

/// A place in a text of JSON.
#[derive(Clone)]
pub(crate) struct Walk<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

impl<'a> Walk<'a> {
    /// Returns what is left.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn skip_blanks(&mut self) {
        let rest = self.rest().bytes();
        self.at += rest.take_while(|it| matches!(it, b' ' | b'\n' | b'\t' | b'\r')).count();
    }

    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.skip_blanks();
        self.text.as_bytes().get(self.at).copied()
    }

    pub(crate) fn take(&mut self, byte: u8) -> Option<()> {
        if self.peek()? == byte {
            self.at += 1;
            return Some(());
        }
        None
    }

    pub(crate) fn value<T: Deserialize<'a>>(&mut self) -> Option<T> {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter();
        let value = values.next()?.ok()?;
        self.at += values.byte_offset();
        Some(value)
    }
}

/// Tells whether a value is nested more deeply than anybody can mean it.
pub(crate) fn is_too_deep(raw: &RawValue) -> bool {
    if raw.get().len() <= 2 * MAX_DEPTH {
        return false;
    }
    let (mut depth, mut in_string, mut is_escaped) = (0, false, false);
    raw.get().bytes().any(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

/// Writes a value as `json.dumps(value, sort_keys=True, separators=(",", ":"))` does.
pub(crate) fn write_canonical(raw: &RawValue, out: &mut String) -> Result<(), serde_json::Error> {
    match Node::of(raw)? {
        Node::Null | Node::Bool(_) => out.push_str(raw.get()),
        Node::Number(digits) => out.push_str(&number(digits)),
        Node::String(text) => write_string(&text, out),
        Node::List(items) => write_joined(['[', ']'], items, out, write_canonical)?,
        Node::Object(members) => {
            write_joined(['{', '}'], members.into_sorted(), out, |(key, value), out| {
                write_string(&key, out);
                out.push(':');
                write_canonical(value, out)
            })?;
        }
    }
    Ok(())
}

/// Writes items with commas between them and brackets around.
pub(crate) fn write_joined<T>(
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    out: &mut String,
    mut write: impl FnMut(T, &mut String) -> Result<(), serde_json::Error>,
) -> Result<(), serde_json::Error> {
    out.push(open);
    for (idx, item) in items.into_iter().enumerate() {
        if idx > 0 {
            out.push(',');
        }
        write(item, out)?;
    }
    out.push(close);
    Ok(())
}

/// Writes a JSON number the way Python prints what it read: integers in full, floats by `repr`.
pub(crate) fn number(digits: &str) -> String {
    if digits == "-0" {
        "0".to_owned()
    } else if digits.contains(['.', 'e', 'E']) {
        float(digits.parse().expect("JSON numbers are floats to Rust too"))
    } else {
        digits.to_owned()
    }
}

/// Returns Python's `repr` of a float; infinities as JSON knows them in Python.
fn float(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    // Both languages print the shortest digits that read back as the same float. Of two that are
    // equally near, Python takes the even one, as Rust does when the number of digits is given.
    let shortest = format!("{value:e}");
    let n_digits = shortest.bytes().take_while(|it| *it != b'e').filter(u8::is_ascii_digit).count();
    let even = format!("{value:.*e}", n_digits - 1);
    let scientific = if even.parse() == Ok(value) { even } else { shortest };

    let (mantissa, exponent) = scientific.split_once('e').expect("`{:e}` prints an exponent");
    let exponent: i32 = exponent.parse().expect("exponents are small integers");
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let digits = mantissa.replace(['-', '.'], "");
    match usize::try_from(exponent) {
        Ok(exponent @ 0..16) => {
            let whole = exponent + 1;
            let digits = format!("{digits:0<0$}", whole + 1);
            format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
        }
        _ if (-4..0).contains(&exponent) => {
            format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1))
        }
        _ => {
            let direction = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{direction}{:02}", exponent.unsigned_abs())
        }
    }
}

/// Tells whether a byte stands in a string of JSON in ASCII as it is.
pub(crate) fn stands_for_itself(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

/// Displays a string as JSON in ASCII.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.bytes().all(stands_for_itself) {
            f.write_str("\"")?;
            f.write_str(self.0)?;
            return f.write_str("\"");
        }
        let mut out = String::with_capacity(self.0.len() + 2);
        write_string(&self.0.into(), &mut out);
        f.write_str(&out)
    }
}

/// Writes a string as JSON in ASCII; characters beyond U+FFFF, and lone surrogates, as UTF-16.
pub(crate) fn write_string(text: &Text<'_>, out: &mut String) {
    out.push('"');
    let mut rest = &*text.0;
    while !rest.is_empty() {
        let valid = str::from_utf8(rest).unwrap_or_else(|err| {
            str::from_utf8(&rest[..err.valid_up_to()]).expect("it is valid up to there")
        });
        valid.chars().for_each(|c| write_char(c, out));
        rest = &rest[valid.len()..];
        if let [0xed, middle, last, tail @ ..] = rest {
            write_unit(0xd000 | u16::from(middle & 0x3f) << 6 | u16::from(last & 0x3f), out);
            rest = tail;
        }
    }
    out.push('"');
}

fn write_char(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        ' '..='~' => out.push(c),
        _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| write_unit(*unit, out)),
    }
}

fn write_unit(unit: u16, out: &mut String) {
    write!(out, "\\u{unit:04x}").expect("a String takes any text");
}

/// Reads an object for use, not for digests.
///
/// What `serde_json` has no room for is brought as near as possible: lone surrogates become
/// U+FFFD, and numbers beyond the range of a float become strings.
pub(crate) fn to_map(raw: &RawValue) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_str(raw.get()).or_else(|_| match Node::of(raw)? {
        Node::Object(members) => to_lossy_map(members),
        _ => Ok(Map::new()),
    })
}

fn to_lossy_map(members: Object<'_>) -> Result<Map<String, Value>, serde_json::Error> {
    let members = members.into_sorted().into_iter();
    members.map(|(key, value)| Ok((key.into_lossy(), to_lossy(value)?))).collect()
}

fn to_lossy(raw: &RawValue) -> Result<Value, serde_json::Error> {
    Ok(match Node::of(raw)? {
        Node::Null => Value::Null,
        Node::Bool(value) => value.into(),
        Node::Number(digits) => serde_json::from_str(digits).unwrap_or_else(|_| digits.into()),
        Node::String(text) => text.into_lossy().into(),
        Node::List(items) => items.into_iter().map(to_lossy).collect::<Result<_, _>>()?,
        Node::Object(members) => to_lossy_map(members)?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn canonical(json: &str) -> String {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let mut out = String::new();
        write_canonical(raw, &mut out).unwrap();
        out
    }

    #[test]
    fn numbers_are_printed_as_by_python() {
        for (json, python) in [
            ("0", "0"),
            ("-0", "0"),
            ("-12", "-12"),
            ("100000000000000000000000000000001", "100000000000000000000000000000001"),
            ("0.0", "0.0"),
            ("-0.0", "-0.0"),
            ("1e0", "1.0"),
            ("1E2", "100.0"),
            ("0.1", "0.1"),
            ("123456789012345.6", "123456789012345.6"),
            ("1e15", "1000000000000000.0"),
            ("9999999999999998.0", "9999999999999998.0"),
            ("1e16", "1e+16"),
            ("12345678901234567890.0", "1.2345678901234567e+19"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("0.000012345", "1.2345e-05"),
            ("-1.5e-300", "-1.5e-300"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("1e999", "Infinity"),
            ("-1e999", "-Infinity"),
            ("1e-999", "0.0"),
            ("0.1000000000000000055511151231257827", "0.1"),
            ("1537828886850485.25", "1537828886850485.2"),
            ("1537828886850485.75", "1537828886850485.8"),
            ("9007199254740993.0", "9007199254740992.0"),
            ("2e-44", "2e-44"),
        ] {
            assert_eq!(canonical(json), python, "{json}");
        }
    }

    #[test]
    fn strings_are_printed_in_ascii() {
        for (json, python) in [
            (r#""""#, r#""""#),
            (r#""\u0041\/\"\\""#, r#""A/\"\\""#),
            (r#""\b\f\n\r\t\u0000\u001f\u007f""#, r#""\b\f\n\r\t\u0000\u001f\u007f""#),
            ("\"\u{80}é\u{2028}\u{ffff}\"", r#""\u0080\u00e9\u2028\uffff""#),
            (r#""\uD83D\uDC05🐅""#, r#""\ud83d\udc05\ud83d\udc05""#),
            (r#""a\uD800b\uDC00\uD800""#, r#""a\ud800b\udc00\ud800""#),
        ] {
            assert_eq!(canonical(json), python, "{json}");
        }
    }

    #[test]
    fn keys_are_sorted_by_code_point_at_every_level() {
        assert_eq!(
            canonical(
                r#"{"b": [{"z": 1, "": {}}, []], "🐅": 1, "\uffff": 2, "B": null, "b": [ true ]}"#
            ),
            r#"{"B":null,"b":[true],"\uffff":2,"\ud83d\udc05":1}"#
        );
    }

    #[test]
    fn only_brackets_outside_of_strings_nest() {
        let is_too_deep = |json: &str| super::is_too_deep(serde_json::from_str(json).unwrap());
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(!is_too_deep(&nested(MAX_DEPTH)));
        assert!(is_too_deep(&nested(MAX_DEPTH + 1)));
        assert!(!is_too_deep(&format!("[{}]", "{\"a\\\"[\": []},".repeat(200) + "1")));
        assert!(!is_too_deep(&format!("\"{}\"", "[".repeat(200))));
    }
}
