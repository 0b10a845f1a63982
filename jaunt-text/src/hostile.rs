//! Which characters are dangerous.

/// Returns whether a terminal or a reader's eye could be steered with this character.
///
/// These are the control characters except line feed and tab, and those of Unicode that reorder or
/// hide text. A name has no line feed and no tab either; see [`escaped`](crate::escaped).
pub fn is_hostile(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        _ if c.is_control() => true,
        // Marks, embeddings, overrides and isolates of the bidirectional algorithm, zero-width
        // characters, line and paragraph separators, deprecated format characters, the byte order
        // mark, interlinear annotations.
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => true,
        // Tags: invisible, and read by language models.
        '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}
