//! JSON as Python's `json.dumps` writes it.

use std::fmt::{self, Display, Write as _};

use serde_json::value::RawValue;

use super::value::{Node, Wtf8};

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

/// Writes items, separated by commas, in brackets.
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

/// Returns a JSON number as Python writes it: integers in full, floats by `repr`.
pub(crate) fn number(digits: &str) -> String {
    if digits == "-0" {
        "0".to_owned()
    } else if digits.contains(['.', 'e', 'E']) {
        float(digits.parse().expect("JSON numbers are floats to Rust too"))
    } else {
        digits.to_owned()
    }
}

/// Returns Python's `repr` of a float, except that infinities are spelled as by `json.dumps`.
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

/// Checks whether a byte needs no escape in a JSON string that is all ASCII.
pub(crate) fn is_unescaped_ascii(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

/// Displays a string as JSON, all ASCII.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.bytes().all(is_unescaped_ascii) {
            f.write_str("\"")?;
            f.write_str(self.0)?;
            return f.write_str("\"");
        }
        let mut out = String::with_capacity(self.0.len() + 2);
        write_string(&self.0.into(), &mut out);
        f.write_str(&out)
    }
}

/// Writes a string as JSON, all ASCII. Characters beyond U+FFFF become two escapes, as in UTF-16.
pub(crate) fn write_string(text: &Wtf8<'_>, out: &mut String) {
    out.push('"');
    let mut rest = text.as_bytes();
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

/// Writes a character of a string, with an escape if it needs one.
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

/// Writes the escape of a UTF-16 code unit.
fn write_unit(unit: u16, out: &mut String) {
    write!(out, "\\u{unit:04x}").expect("a String accepts any text");
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
}
