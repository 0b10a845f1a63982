//! Stores results, and makes `docs/performance.md` of them.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;

use super::measure::Figures;

/// Our figure and that of a peer.
#[derive(Clone, Debug)]
pub(super) struct Line {
    what: String,
    unit: String,
    ours: f64,
    peer: String,
    theirs: f64,
    goal: String,
    /// The figure of another build of our program.
    versus: Option<f64>,
}

impl Line {
    pub(super) fn new(
        what: &str,
        unit: &str,
        ours: f64,
        peer: &str,
        theirs: f64,
        goal: &str,
    ) -> Self {
        let (what, unit) = (what.to_owned(), unit.to_owned());
        let (peer, goal) = (peer.to_owned(), goal.to_owned());
        Self { what, unit, ours, peer, theirs, goal, versus: None }
    }

    pub(super) fn measured(
        what: &str,
        unit: &str,
        figures: Figures,
        peer: &str,
        goal: &str,
    ) -> Self {
        let Figures { ours, versus, theirs } = figures;
        Self { versus, ..Self::new(what, unit, ours, peer, theirs, goal) }
    }

    fn ratio(&self) -> String {
        let ratio = self.ours / self.theirs;
        // A ratio of less than 1/20 reads better as a fraction.
        if ratio < 0.05 { format!("1/{:.0}", 1.0 / ratio) } else { number(ratio) }
    }

    fn to_row(&self) -> String {
        let Self { what, unit, ours, peer, theirs, goal, .. } = self;
        format!("{what}\t{unit}\t{ours}\t{peer}\t{theirs}\t{goal}\n")
    }

    fn from_row(row: &str) -> Option<Self> {
        let fields: Vec<&str> = row.split('\t').collect();
        let [what, unit, ours, peer, theirs, goal] = fields[..] else { return None };
        Some(Self::new(what, unit, ours.parse().ok()?, peer, theirs.parse().ok()?, goal))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, ours, peer, theirs, goal, versus } = self;
        write!(
            f,
            "{what}: {} {unit}, {peer}: {} {unit}, ratio {} (goal {goal})",
            number(*ours),
            number(*theirs),
            self.ratio()
        )?;
        if let Some(versus) = versus {
            let (before, now, ratio) = (number(*versus), number(*ours), number(ours / versus));
            write!(f, " | other build: {before} {unit}, this one: {now} {unit}, ratio {ratio}")?;
        }
        Ok(())
    }
}

/// Formats a number with three significant digits.
fn number(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        ..1.1 => format!("{value:.3}"),
        _ => format!("{value:.2}"),
    }
}

/// Stores the results of a benchmark.
pub(super) fn keep(dir: &Path, name: &str, lines: &[Line]) -> anyhow::Result<()> {
    let rows: String = lines.iter().map(Line::to_row).collect();
    fs::write(dir.join(format!("{name}.result")), rows)?;
    Ok(())
}

/// Stores points of curves: the name of the curve, the number of modules, milliseconds.
pub(super) fn keep_points(
    dir: &Path,
    name: &str,
    points: &[(&str, usize, f64)],
) -> anyhow::Result<()> {
    let rows: String = points.iter().map(|(name, n, ms)| format!("{name}\t{n}\t{ms}\n")).collect();
    fs::write(dir.join(format!("{name}.points")), rows)?;
    Ok(())
}

/// Writes the table into `docs/performance.md`, between its markers, and draws the curves.
pub(super) fn write<'a>(
    root: &Path,
    dir: &Path,
    names: impl IntoIterator<Item = &'a str>,
) -> anyhow::Result<()> {
    let mut table =
        "| name | work | ours | peer or floor | its figure | ratio | goal |\n|---|---|---|---|---|---|---|\n"
            .to_owned();
    for name in names {
        let text = fs::read_to_string(dir.join(format!("{name}.result"))).unwrap_or_default();
        for line in text.lines().filter_map(Line::from_row) {
            let Line { what, unit, ours, peer, theirs, goal, .. } = &line;
            let (ours, theirs, ratio) = (number(*ours), number(*theirs), line.ratio());
            writeln!(
                table,
                "| {name} | {what} | {ours} {unit} | {peer} | {theirs} {unit} | {ratio} | {goal} |"
            )?;
        }
    }
    let page = root.join("docs/performance.md");
    let text = fs::read_to_string(&page)?;
    let (before, rest) = text.split_once(BEGIN).unwrap_or((&text, ""));
    let (_, after) = rest.split_once(END).unwrap_or(("", ""));
    fs::write(&page, format!("{before}{BEGIN}\n{}\n\n{table}{END}{after}", machine()))?;

    let mut points = Vec::new();
    for name in ["scale", "python"] {
        let text = fs::read_to_string(dir.join(format!("{name}.points"))).unwrap_or_default();
        for row in text.lines() {
            let fields: Vec<&str> = row.split('\t').collect();
            if let [curve, n, ms] = fields[..]
                && let (Ok(n), Ok(ms)) = (n.parse::<f64>(), ms.parse::<f64>())
            {
                points.push((curve.to_owned(), n, ms));
            }
        }
    }
    if !points.is_empty() {
        fs::write(root.join("docs/performance.svg"), plot(&points)?)?;
    }
    println!("\nwrote docs/performance.md");
    Ok(())
}

const BEGIN: &str = "<!-- begin: cargo xtask bench -->";
const END: &str = "<!-- end: cargo xtask bench -->";

/// Describes the machine in a sentence.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = cpus.lines().find(|line| line.starts_with("model name"));
    let name = name.and_then(|line| line.split(": ").nth(1)).unwrap_or("an unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Measured on: {name}, {cores} cores, Linux {}.", kernel.trim())
}

/// Draws time against the number of modules, both logarithmic.
fn plot(points: &[(String, f64, f64)]) -> Result<String, fmt::Error> {
    const COLORS: [&str; 5] = ["#0b6e4f", "#1d4e89", "#c1440e", "#7b2d8b", "#555555"];
    let x = |n: f64| 70.0 + (n.log10() - 2.0) * 150.0;
    let y = |ms: f64| 320.0 - ms.max(1.0).log10() * 47.0;
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 350\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"760\" height=\"350\" fill=\"white\"/>",
    );
    for (exponent, text) in
        (0..7).zip(["1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s", "1,000 s"])
    {
        let at = y(10_f64.powi(exponent));
        writeln!(
            svg,
            "<path d=\"M70 {at:.1}H520\" stroke=\"#ddd\"/><text x=\"62\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            at + 4.0
        )?;
    }
    for (exponent, text) in (2..6).zip(["100", "1,000", "10,000", "100,000 modules"]) {
        let at = x(10_f64.powi(exponent));
        writeln!(
            svg,
            "<path d=\"M{at:.1} 38V320\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"338\" text-anchor=\"middle\">{text}</text>"
        )?;
    }
    let mut curves: Vec<&str> = Vec::new();
    for (curve, _, _) in points {
        if !curves.contains(&curve.as_str()) {
            curves.push(curve);
        }
    }
    for (idx, curve) in curves.iter().enumerate() {
        let color = COLORS[idx % COLORS.len()];
        let of_curve = points.iter().filter(|(name, _, _)| name == curve);
        let places: Vec<(f64, f64)> = of_curve.map(|(_, n, ms)| (x(*n), y(*ms))).collect();
        let line: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>",
            line.join(" ")
        )?;
        for (x, y) in &places {
            writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>")?;
        }
        let at = 60.0 + 20.0 * idx as f64;
        writeln!(svg, "<text x=\"545\" y=\"{at:.1}\" fill=\"{color}\">{curve}</text>")?;
    }
    svg += "</svg>\n";
    Ok(svg)
}
