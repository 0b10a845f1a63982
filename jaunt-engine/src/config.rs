//! What a project is configured with: `jaunt.toml` and `jaunt-engine.toml`.

mod engine_toml;
mod error;
mod jaunt_toml;

pub(crate) use crate::config::engine_toml::EngineConfig;
pub use crate::config::error::{ConfigError, TomlError};
pub(crate) use crate::config::jaunt_toml::JauntConfig;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;
    use proptest::sample::select;

    use camino::Utf8Path;

    use super::*;

    fn jaunt(text: &str) -> JauntConfig {
        JauntConfig::parse(Utf8Path::new("jaunt.toml"), text).unwrap()
    }

    fn message(err: &ConfigError) -> String {
        let source = std::error::Error::source(err).map(ToString::to_string);
        format!("{err}: {}", source.unwrap_or_default())
    }

    #[test]
    fn both_versions_of_jaunt_toml_say_the_same() {
        let one = jaunt(
            "
            version = 1
            [paths]
            source_roots = ['lib']
            test_roots = ['checks']
            generated_dir = 'made'
            [build]
            jobs = 3
            infer_deps = false
            async_runner = 'anyio'
            [test]
            jobs = 2
            pytest_args = ['-x']
            [prompts]
            build_system = 'prompts/system.md'
            ",
        );
        let two = jaunt(
            "
            version = 2
            [target.py]
            source_roots = ['lib']
            test_roots = ['checks']
            generated_dir = 'made'
            infer_deps = false
            async_runner = 'anyio'
            pytest_args = ['-x']
            [build]
            jobs = 3
            [test]
            jobs = 2
            [prompts.py]
            build_system = 'prompts/system.md'
            ",
        );
        assert_eq!(one, two);
        assert_eq!(one.source_roots, Some(vec!["lib".to_owned()]));
        assert_eq!(one.prompts["build_system"], "prompts/system.md");
    }

    #[test]
    fn what_is_not_ours_in_jaunt_toml_is_left_alone() {
        let config = jaunt(
            "[daemon]\nmax_jobs = 'many'\n[llm]\nprovider = 'x'\n[agent]\nengine = 'codex'\n",
        );
        assert_eq!(config.agent_engine.as_deref(), Some("codex"));
    }

    #[test]
    fn an_unknown_version_is_refused() {
        let err = JauntConfig::parse(Utf8Path::new("jaunt.toml"), "version = 3\n").unwrap_err();
        assert_eq!(err.to_string(), "`jaunt.toml` has `version = 3`");
    }

    #[test]
    fn faults_of_the_engines_file_name_the_key() {
        for (text, part) in [
            ("[registry]\nfile = 'a'\ncommand = ['b']\n", "both `file` and `command`"),
            ("[registry]\ncommand = []\n", "`registry.command`"),
            ("[backend]\ntimeout = -1\n", "`backend.timeout`"),
            ("[backend]\nmax_attempts = 0\n", "`backend.max_attempts`"),
            ("[backend]\nname = 'gpt'\n", "unknown variant `gpt`"),
            ("[backend]\ntimeout = 'x'\n", "`timeout` must be a number of seconds"),
            ("[backend]\ncommand = 'x'\n", "`command` must be a list"),
            ("[registry]\ncommand = [1]\n", "`command` must be a list"),
            ("[bakcend]\n", "unknown field `bakcend`"),
        ] {
            let file = Utf8Path::new("jaunt-engine.toml");
            let err = EngineConfig::parse(file, text).unwrap_err();
            assert!(message(&err).contains(part), "{}", message(&err));
        }
    }

    const SETTINGS: &[&str] = &[
        "version = 1\n[paths]\nsource_roots = ['src']\ngenerated_dir = 'gen'\n[build]\njobs = 3\n\
         instructions = ['be kind']\n[prompts]\nbuild_system = 'p.md'\n",
        "version = 2\n[target.py]\nsource_roots = ['src']\n[prompts.py]\nbuild_system = 'p.md'\n[codex]\nmodel = 'm'\n",
        "[registry]\ncommand = ['make', 'it']\n[backend]\nname = 'command'\ntimeout = 1.5\nmax_attempts = 2\n\
         [backend.env]\nA = 'b'\n[pytest]\ntimeout = 3\n",
    ];

    proptest! {
        #[test]
        fn any_settings_are_read_or_refused_by_name(
            text in select(SETTINGS),
            at in any::<Index>(),
            goes in 0..20usize,
            comes in "([\\[\\]{}\"'=#.,\n\\\\-]|[0-9]{1,25}|1e999|nan|inf|\\PC|\\p{Cc}|\\[{200}){0,6}",
        ) {
            let at = text.floor_char_boundary(at.index(text.len() + 1));
            let to = text.floor_char_boundary((at + goes).min(text.len()));
            let mut text = text.to_owned();
            text.replace_range(at..to, &comes);
            let file = Utf8Path::new("some.toml");
            for result in [
                JauntConfig::parse(file, &text).map(drop),
                EngineConfig::parse(file, &text).map(drop),
            ] {
                if let Err(err) = result {
                    prop_assert!(message(&err).contains("some.toml"), "{}", message(&err));
                }
            }
        }
    }
}
