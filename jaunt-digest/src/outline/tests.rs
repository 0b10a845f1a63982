use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::top_level::TopLevel;

#[track_caller]
fn outline(text: &str) -> Outline {
    Outline::parse(&Source::new(text)).unwrap()
}

/// Names every definition and shows its segment, line by line.
fn segments(text: &str) -> String {
    let outline = outline(text);
    let shown = outline.definitions().map(|it| {
        let segment = it.segment().replace('\n', "\n  |");
        format!("{:?} {}\n  |{segment}", it.kind(), it.name())
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[test]
fn only_the_top_level_counts() {
    let text = "
if True:
    def a(): ...
try:
    class B: ...
finally:
    pass
c = lambda: 1
def d():
    def e(): ...
class F:
    def g(self): ...
async def h(): ...
";
    assert_snapshot!(segments(text), @r"
    Function d
      |def d():
      |    def e(): ...
    Class F
      |class F:
      |    def g(self): ...
    AsyncFunction h
      |async def h(): ...
    ");
}

#[test]
fn a_segment_goes_from_the_keyword_to_the_last_token() {
    let text = "
# before
@decorated  # here
@(lambda f: f)

# between
def f(a, b):  # kept \u{1c}
    # kept as well\t
    return a   # cut
    # cut

# cut
class A: pass; y = 2 ;  # cut
class B: x = 1
\x0cdef g(): return (1,

    2) ; # cut
async \\
  def h(): '''
   text   \u{3000}
'''
";
    assert_snapshot!(segments(text), @r"
    Function f
      |def f(a, b):  # kept
      |    # kept as well
      |    return a
    Class A
      |class A: pass; y = 2 ;
    Class B
      |class B: x = 1
    Function g
      |def g(): return (1,
      |
      |    2) ;
    AsyncFunction h
      |async \
      |  def h(): '''
      |   text
      |'''
    ");
}

#[test]
fn the_first_definition_of_a_name_counts() {
    let outline = outline("def f(): first\nclass f: second\ndef f(): third\n");
    let segment = |name| outline.definition(name).map(|it| it.segment());
    assert_eq!(segment("f").as_deref(), Some("def f(): first"));
    assert_eq!(segment("g"), None);
    assert_eq!(segment(""), None);
    assert_eq!(outline.definitions().len(), 3);
}

#[test]
fn a_dotted_name_stands_for_the_class_around_it() {
    let outline = outline("def A(): ...\nclass A:\n    def m(self): ...\ndef f(): ...\n");
    let range = |name| outline.definition(name).map(|it| it.range());
    assert_eq!(range("A.m"), Some(13..42));
    assert_eq!(range("A.no.such.thing"), Some(13..42));
    assert_eq!(range("A"), Some(0..12));
    assert_eq!(range("f.<locals>.g"), None);
}

#[test]
fn names_are_compared_after_normalization() {
    let outline = outline("def 𝓍(): ...\nclass ﬁne: ...\n");
    assert_eq!(outline.definition("x").unwrap().name(), "x");
    assert_eq!(outline.definition("fine").unwrap().name(), "fine");
    assert!(outline.definition("𝓍").is_none());
    assert_eq!(format!("{outline:?}"), "[Function x 0..15, Class fine 16..32]");
}

#[track_caller]
fn api(text: &str) -> String {
    let outline = outline(text);
    let last = outline.definitions().last().unwrap();
    let api = outline.definition(last.name()).unwrap().api();
    TopLevel::parse(&api).unwrap();
    api
}

#[test]
fn the_api_of_a_function_is_its_signature_and_docstring() {
    let text = r#"
@jaunt.magic(deps=["shop.price:Price"])
def total(skus: list[str], /, *, tax: Decimal = Decimal("0")) -> Decimal:
    """Adds up what the basket costs.

    Raises `KeyError` for an unknown item.
    """
    # How it is done does not matter.
    return sum(price(sku) for sku in skus)
"#;
    assert_snapshot!(api(text), @r#"
    def total(skus: list[str], /, *, tax: Decimal = Decimal("0")) -> Decimal:
        """Adds up what the basket costs.

        Raises `KeyError` for an unknown item.
        """
        ...
    "#);
}

#[test]
fn a_signature_keeps_its_lines() {
    let text = "
@magic
@functools.cache  # once
@retry(
    times=3,   
)
async def fetch(
    url: str,  # where from
    *,
    timeout: float = 1.0,
) -> (
    bytes
): return await get(url)
";
    assert_snapshot!(api(text), @r"
    @functools.cache
    @retry(
        times=3,
    )
    async def fetch(
        url: str,  # where from
        *,
        timeout: float = 1.0,
    ) -> (
        bytes
    ): ...
    ");
}

#[test]
fn overloads_belong_together() {
    let text = "
@overload
def load(path: str) -> Text: ...
x = 1
@typing.overload
def load(path: Path) -> Text:
    'As it says.'
def load(path): return Text(path)
def load(other): ...
";
    assert_snapshot!(api(text), @r"
    @overload
    def load(path: str) -> Text: ...
    @typing.overload
    def load(path: Path) -> Text:
        'As it says.'
        ...
    def load(path): ...
    ");
}

#[test]
fn the_api_of_a_class_is_all_its_members() {
    let text = r#"
@jaunt.magic()
@dataclass(frozen=True, slots=True)
class Price(Amount, metaclass=Meta):
    """A price in one currency."""

    import decimal

    amount: Decimal  # never negative
    """What it costs."""
    currency: str = "EUR"; rounding = (
        "half",
        "even",
    )

    if TYPE_CHECKING:
        hidden: int

    def __init__(self, amount: Decimal) -> None:
        self.amount = amount

    @property
    @jaunt.sig(returns=int)
    def cents(self) -> int:
        """In cents."""
        return int(self.amount * 100)
    @cents.setter
    def cents(self, value: int): self.amount = value / 100

    @preserve
    @classmethod
    async def parse(
        cls, text: str
    ) -> "Price":
        ("""Two """
            "parts.")
        return cls(Decimal(text))

    "no docstring"

    class Error(ValueError):
        def __str__(self): return "?"

    class Empty: pass

    MAX = 3
"#;
    assert_snapshot!(api(text));
}

#[test]
fn classes_without_members_are_short() {
    assert_snapshot!(api("class A: pass"), @"class A: ...");
    assert_snapshot!(api("class A(B):\n\n    pass # nothing\n"), @"class A(B): ...");
    assert_snapshot!(api("class A:\n  'Only a docstring.'\n"), @r"
    class A:
      'Only a docstring.'
    ");
    assert_snapshot!(api("class A: x = 1; y: int; z()"), @r"
    class A:
        x = 1
        y: int
    ");
    assert_snapshot!(api("class Color(Enum):\n\tRED = 1\n\tdef f(self):\n\t\t'''Doc.'''\n"), @r"
    class Color(Enum):
    	RED = 1

    	def f(self):
    		'''Doc.'''
    		...
    ");
}

#[test]
fn a_signature_ends_with_the_colon_that_is_its_own() {
    for (text, shown) in [
        (
            "def f(a: {1: 2} = {3: 4}) -> {5: 6}  :  # 7: 8\n  return a[1:2]",
            "def f(a: {1: 2} = {3: 4}) -> {5: 6}  : ...",
        ),
        (
            "def f() -> (  # a: b\n  int\n): 'Doc.'",
            "def f() -> (  # a: b\n  int\n):\n    'Doc.'\n    ...",
        ),
        (
            "@jaunt.magic(x={1: 2})\nasync def f(*, a=lambda: 0): pass",
            "async def f(*, a=lambda: 0): ...",
        ),
    ] {
        assert_eq!(api(text), shown);
        let outline = outline(text);
        let definition = outline.definitions().next().unwrap();
        assert_eq!(definition.parsed_api(), shown);
    }
}

#[test]
fn type_parameters_are_part_of_a_signature() {
    let text = "
class Stack[T: (int, str) = int](Base[T]):
    type Item = T | None
    def push[*Ts, **P](self, item: T, /, fn: lambda: 0 = lambda a, b: {a: b}) -> None: ...
";
    assert_snapshot!(api(text), @r"
    class Stack[T: (int, str) = int](Base[T]):
        type Item = T | None

        def push[*Ts, **P](self, item: T, /, fn: lambda: 0 = lambda a, b: {a: b}) -> None: ...
    ");
}

/// Something like Python: fragments that mean something to its parser, in any order.
fn fragments() -> impl Strategy<Value = String> {
    let fragment = prop::sample::select(vec![
        "def f", "class A", "async ", "def", "(", ")", "[", "]", "{", "}", ":", ";", ",", ".",
        "\n", "\n    ", "\n  ", "\n\t", "\\\n", "\r", " ", "@", "x", "=", "+", "-", "*", "**",
        "->", ":=", "lambda", " if ", " else ", "elif", "for ", " in ", "while ", "with ", " as ",
        "try", "except", "finally", "match ", "case ", "type ", "await ", "yield ", "not ",
        "import ", "from ", "return", "pass", "...", "1", "0x", "1e", "'", "\"", "'''", "\"\"\"",
        "f'", "f\"{", "rb'", "t'", "#", "# type:", "\u{c}", "\0", "\u{feff}", "é", "𝓍", "\u{2028}",
        "\u{1c}", "!r", "%", "$", "?",
    ]);
    prop::collection::vec(fragment, 0..40).prop_map(|it| it.concat())
}

/// A valid definition, and what surrounds it.
fn definitions() -> impl Strategy<Value = String> {
    let piece = |pieces: &[&'static str]| prop::sample::select(pieces.to_vec());
    (
        piece(&[
            "",
            "x = 1\n",
            "'''\ndef f(): fake\n'''\n",
            "\n\n# c\n",
            "@d\n@e(1)\n",
            "@jaunt.magic()\n",
            "\u{c}",
        ]),
        piece(&["def f(", "async def f(", "class f(", "def \\\n f(", "def f[T](", "class 𝒇("]),
        piece(&["", "a", "a, b", "\n  a,  # c\n", "a,\n\n\n"]),
        piece(&[
            "): pass",
            "): x = 1; y = 2",
            "):\n    pass",
            "):\n\n  # c \t\n  x = (1,\n2)\n  y = 3",
            "): 'Doc.'; x = 1",
            ") \\\n :  # c\n\t'''Doc, \t\n\tmore.'''\n\tx = 1",
        ]),
        piece(&["", ";", " ;  # c", "  # c\u{3000}"]),
        piece(&["", "\n", "\n    # c\n", "\n\n# c\n\nx = 2", "\ndef f(): other"]),
    )
        .prop_map(|(before, head, arguments, body, end, after)| {
            format!("{before}{head}{arguments}{body}{end}{after}\n")
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_the_parser_panic(text in prop_oneof![fragments(), any::<String>()]) {
        if let Ok(outline) = Outline::parse(&Source::new(&text)) {
            for definition in outline.definitions() {
                definition.segment();
                // The fast path agrees with the slow path.
                prop_assert_eq!(definition.api(), definition.parsed_api());
            }
        }
        TopLevel::parse(&text).ok();
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes: Vec<u8>) {
        if let Ok(source) = Source::decode(&bytes) {
            Outline::parse(&source).ok();
        }
    }

    #[test]
    fn a_segment_alone_is_the_same_definition(text in definitions()) {
        let in_file = outline(&text);
        let definition = in_file.definition("f").unwrap();
        let alone = outline(&definition.segment());
        let again = alone.definition("f").unwrap();
        prop_assert_eq!(alone.definitions().len(), 1);
        prop_assert_eq!(again.kind(), definition.kind());
        prop_assert_eq!(again.range(), 0..definition.segment().len());
        prop_assert_eq!(again.segment(), definition.segment());
    }

    #[test]
    fn an_api_is_a_definition_of_the_same_name(text in definitions()) {
        let in_file = outline(&text);
        let definition = in_file.definition("f").unwrap();
        prop_assert_eq!(definition.api(), definition.parsed_api());
        let api = outline(&definition.api());
        let shown = api.definition("f").unwrap();
        prop_assert_eq!(shown.kind(), definition.kind());
        prop_assert_eq!(shown.api(), definition.api());
    }
}
