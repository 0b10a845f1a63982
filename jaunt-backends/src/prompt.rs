//! Prompts for language models, from templates that a project can replace.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::ModuleSpecContext;
use jaunt_digest::Kind;
use serde::Serialize;

/// The size of the largest template, in bytes. A language model would not read a larger one.
const MAX_TEMPLATE: u64 = 1024 * 1024;

/// One of the four templates, named as in `[prompts]` of `jaunt.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TemplateName {
    /// The system prompt for product modules.
    BuildSystem,
    /// The user's prompt for a product module.
    BuildModule,
    /// The system prompt for test modules.
    TestSystem,
    /// The user's prompt for a test module.
    TestModule,
}

impl TemplateName {
    /// Every template.
    pub const ALL: [Self; 4] =
        [Self::BuildSystem, Self::BuildModule, Self::TestSystem, Self::TestModule];

    /// Returns its name in `jaunt.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BuildSystem => "build_system",
            Self::BuildModule => "build_module",
            Self::TestSystem => "test_system",
            Self::TestModule => "test_module",
        }
    }

    /// Returns the template that ships.
    fn text(self) -> &'static str {
        match self {
            Self::BuildSystem => include_str!("prompts/build_system.md"),
            Self::BuildModule => include_str!("prompts/build_module.md"),
            Self::TestSystem => include_str!("prompts/test_system.md"),
            Self::TestModule => include_str!("prompts/test_module.md"),
        }
    }
}

impl Display for TemplateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("cannot read `{path}`, the template `{name}`")]
    Read { name: TemplateName, path: Utf8PathBuf, source: io::Error },
    /// The file is not text.
    #[error("`{path}`, the template `{name}`, is not UTF-8")]
    NotUtf8 { name: TemplateName, path: Utf8PathBuf },
    /// The template has a placeholder that we do not know. Lines are counted from 1.
    #[error(
        "`{path}`, the template `{name}`, has the unknown placeholder `{{{{{placeholder}}}}}` in \
         line {line}"
    )]
    UnknownPlaceholder { name: TemplateName, path: Utf8PathBuf, placeholder: String, line: usize },
}

/// How asynchronous tests are run: `async_runner` of `jaunt.toml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AsyncRunner {
    /// By `pytest-asyncio`.
    #[default]
    Asyncio,
    /// By AnyIO's plugin.
    Anyio,
}

/// The two messages of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Prompt {
    pub(crate) system: String,
    pub(crate) user: String,
}

impl Prompt {
    /// Returns both in one text, for a program that takes no system prompt.
    pub(crate) fn joined(&self) -> String {
        format!("{}\n{}", self.system, self.user)
    }
}

/// The templates of a project, and what it has to say in every prompt.
#[derive(Clone, Debug)]
pub struct Templates {
    templates: BTreeMap<TemplateName, Template>,
    instructions: Vec<String>,
    async_runner: AsyncRunner,
}

impl Templates {
    /// Reads the templates that replace ours. Relative paths start at `root`.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or has a placeholder that we do not know.
    pub fn load(
        root: &Utf8Path,
        overrides: &BTreeMap<TemplateName, Utf8PathBuf>,
    ) -> Result<Self, TemplateError> {
        let templates = TemplateName::ALL.into_iter().map(|name| {
            let template = match overrides.get(&name) {
                Some(path) => Template::parse(&read(name, root, path)?)
                    .map_err(|unknown| unknown.in_file(name, path))?,
                None => Template::parse(name.text()).expect("a test renders all of ours"),
            };
            Ok((name, template))
        });
        Ok(Self {
            templates: templates.collect::<Result<_, TemplateError>>()?,
            instructions: Vec::new(),
            async_runner: AsyncRunner::default(),
        })
    }

    /// Adds instructions for every module: those of `jaunt.toml` and of `--instruction`.
    pub fn with_instructions(mut self, instructions: Vec<String>) -> Self {
        self.instructions.extend(instructions);
        self
    }

    /// Says how asynchronous tests are run.
    pub fn with_async_runner(mut self, async_runner: AsyncRunner) -> Self {
        self.async_runner = async_runner;
        self
    }

    /// Fills in what is known of a module, and what was wrong with the last attempt.
    ///
    /// What is filled in is never looked at again: a spec can say `{{spec_module}}` and mean it.
    pub(crate) fn render(&self, ctx: &ModuleSpecContext, errors: &[String]) -> Prompt {
        let (system, user) = match ctx.kind {
            Kind::Build => (TemplateName::BuildSystem, TemplateName::BuildModule),
            Kind::Test => (TemplateName::TestSystem, TemplateName::TestModule),
        };
        let values = Placeholder::ALL.map(|it| self.value(it, ctx, errors));
        let render = |name| format!("{}\n", self.templates[&name].render(&values).trim());
        Prompt { system: render(system), user: render(user) }
    }

    fn value(
        &self,
        placeholder: Placeholder,
        ctx: &ModuleSpecContext,
        errors: &[String],
    ) -> String {
        match placeholder {
            Placeholder::SpecModule => ctx.spec_module.to_string(),
            Placeholder::GeneratedModule => ctx.generated_module.to_string(),
            Placeholder::ExpectedNames => ctx.expected_names.join(", "),
            Placeholder::Specs => block(ctx.spec_sources.iter().map(|(spec, source)| {
                let prompt = ctx.decorator_prompts.get(spec).map(|prompt| prompt.trim_end());
                let prompt = prompt.map(|it| format!("\n\n# Decorator prompt\n{it}"));
                (spec, source.trim_end().to_owned() + &prompt.unwrap_or_default())
            })),
            Placeholder::DepsApi => block(ctx.dependency_apis.iter()),
            Placeholder::DepsGenerated => block(ctx.dependency_generated_modules.iter()),
            Placeholder::ErrorContext => {
                let numbered = errors.iter().zip(1..);
                block(numbered.map(|(err, idx)| (format!("error_context[{idx}]"), err)))
            }
            Placeholder::BuildInstructions => {
                let lines = self.instructions.iter().map(|it| it.trim());
                let lines: Vec<_> =
                    lines.filter(|it| !it.is_empty()).map(|it| format!("- {it}")).collect();
                if lines.is_empty() { NONE.to_owned() } else { lines.join("\n") }
            }
            Placeholder::AsyncTestInfo => {
                let (mark, plugin) = match self.async_runner {
                    AsyncRunner::Asyncio => ("asyncio", "pytest-asyncio"),
                    AsyncRunner::Anyio => ("anyio", "the pytest plugin of anyio"),
                };
                format!(
                    "- A test spec that is `async def` becomes an `async def` test with \
                     `@pytest.mark.{mark}`, which {plugin} runs."
                )
            }
            Placeholder::AttachedTestSpecs
            | Placeholder::BaseContract
            | Placeholder::BlueprintSource
            | Placeholder::DecoratorApis
            | Placeholder::ModuleContract
            | Placeholder::PackageContext => NONE.to_owned(),
        }
    }
}

/// Stands in place of nothing.
const NONE: &str = "(none)";

/// Returns named pieces of text, one below the other.
fn block(items: impl Iterator<Item = (impl Display, impl AsRef<str>)>) -> String {
    let items: Vec<String> =
        items.map(|(name, text)| format!("# {name}\n{}\n", text.as_ref().trim_end())).collect();
    if items.is_empty() { NONE.to_owned() } else { items.join("\n").trim_end().to_owned() }
}

/// Declares the placeholders: a variant, its name in templates.
macro_rules! placeholders {
    ($($variant:ident = $name:literal,)*) => {
        /// What a template can ask for. The names are those of the Python implementation, so
        /// that templates written for it work; what we have no answer to is "(none)".
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Placeholder { $($variant,)* }

        impl Placeholder {
            pub(crate) const ALL: [Self; [$($name),*].len()] = [$(Self::$variant,)*];

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

placeholders! {
    AsyncTestInfo = "async_test_info",
    AttachedTestSpecs = "attached_test_specs_block",
    BaseContract = "base_contract_block",
    BlueprintSource = "blueprint_source_block",
    BuildInstructions = "build_instructions_block",
    DecoratorApis = "decorator_apis_block",
    DepsApi = "deps_api_block",
    DepsGenerated = "deps_generated_block",
    ErrorContext = "error_context_block",
    ExpectedNames = "expected_names",
    GeneratedModule = "generated_module",
    ModuleContract = "module_contract_block",
    PackageContext = "package_context_block",
    SpecModule = "spec_module",
    Specs = "specs_block",
}

/// Text with places to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// A placeholder, and the text that goes before it.
    parts: Vec<(String, Placeholder)>,
    rest: String,
}

impl Template {
    /// Takes a template apart. A placeholder is an identifier in double braces; braces around
    /// anything else, or that are not closed, are text.
    pub(crate) fn parse(template: &str) -> Result<Self, Unknown> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = template;
        while let Some(open) = rest.find("{{") {
            let after = &rest[open + 2..];
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let length = after.find(|c| !is_word(c)).unwrap_or(after.len());
            let name = &after[..length];
            if !name.starts_with(|c: char| is_word(c) && !c.is_ascii_digit())
                || !after[length..].starts_with("}}")
            {
                // Only the first brace: in `{{{name}}}`, the next two open a placeholder.
                text.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
                continue;
            }
            text.push_str(&rest[..open]);
            let Some(placeholder) = Placeholder::named(name) else {
                let line = template[..template.len() - after.len()].matches('\n').count() + 1;
                return Err(Unknown { placeholder: name.to_owned(), line });
            };
            parts.push((std::mem::take(&mut text), placeholder));
            rest = &after[length + 2..];
        }
        text.push_str(rest);
        Ok(Self { parts, rest: text })
    }

    pub(crate) fn render(&self, values: &[String; Placeholder::ALL.len()]) -> String {
        let mut rendered = String::new();
        for (text, placeholder) in &self.parts {
            rendered.push_str(text);
            rendered.push_str(&values[*placeholder as usize]);
        }
        rendered + &self.rest
    }
}

/// A placeholder that we do not know, and its line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) placeholder: String,
    pub(crate) line: usize,
}

impl Unknown {
    fn in_file(self, name: TemplateName, path: &Utf8Path) -> TemplateError {
        let Self { placeholder, line } = self;
        TemplateError::UnknownPlaceholder { name, path: path.to_owned(), placeholder, line }
    }
}

fn read(name: TemplateName, root: &Utf8Path, path: &Utf8Path) -> Result<String, TemplateError> {
    let path = path.to_owned();
    let place = root.join(&path);
    let bytes = fs::metadata(&place).and_then(|meta| {
        if !meta.is_file() {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
        } else if meta.len() > MAX_TEMPLATE {
            Err(io::Error::new(io::ErrorKind::FileTooLarge, "it has more than 1 MiB"))
        } else {
            fs::read(&place)
        }
    });
    match bytes.map(String::from_utf8) {
        Ok(Ok(text)) => Ok(jaunt_digest::strip_bom(&text).to_owned()),
        Ok(Err(_)) => Err(TemplateError::NotUtf8 { name, path }),
        Err(source) => Err(TemplateError::Read { name, path, source }),
    }
}

#[cfg(test)]
mod tests;
