//! The part of a definition that its users see.

use super::Definition;

pub(super) fn render(definition: &Definition<'_>) -> String {
    definition.segment()
}
