//! What is drawn, dot by dot and tag by tag.

use super::axis::{Axis, label};
use super::*;

fn diagonal() -> Plot {
    Plot::new("t", "x", "y").line("a", [(0.0, 0.0), (1.0, 1.0)])
}

#[test]
fn a_diagonal_in_dots() {
    let text = diagonal().terminal(20, 4);
    let got: Vec<String> = text.lines().map(|l| l.replace('\u{2800}', " ")).collect();
    let want = [
        "t",
        "1 ┤             ⣀⠤⠒⠉",
        "  ┤        ⢀⡠⠔⠊⠉",
        "  ┤    ⣀⡠⠔⠊⠉",
        "0 ┤⣀⠤⠒⠉",
        "   0               1",
        "   x · a",
    ];
    assert_eq!(got, want, "{text}");
}

#[test]
fn an_svg_is_well_formed_and_holds_the_points() {
    let plot =
        diagonal().line("b<&>\"", [(0.0, 1.0), (0.5, f64::NAN), (1.0, 0.0)]).mark("best", 0.5);
    let svg = plot.svg();
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches("<polyline").count(), 3, "NaN leaves a gap");
    assert!(svg.contains("points=\"64.0,316.0 624.0,32.0 \""), "{svg}");
    assert!(svg.contains("b&lt;&amp;&gt;&quot;") && svg.contains(">best</text>"));
    for tag in ["svg", "g", "text"] {
        let (open, close) = (format!("<{tag} "), format!("</{tag}>"));
        assert_eq!(svg.matches(&open).count(), svg.matches(&close).count(), "{tag}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn nothing_and_one_point_and_infinities_are_drawn_too() {
    let empty = Plot::new("", "", "");
    assert!(empty.svg().ends_with("</svg>\n") && empty.terminal(0, 0).lines().count() == 5);
    let one = Plot::new("", "", "").line("", [(3.0, 3.0)]);
    assert!(one.svg().contains("<polyline"));
    let flat = Plot::new("", "", "").line("", [(1.0, 0.1), (2.0, 0.1)]);
    assert!(flat.terminal(30, 3).contains("0.05") && flat.svg().contains("<polyline"));
    let odd = [(0.0, 1.0), (-1.0, 2.0), (1e-5, f64::INFINITY), (1e-3, 4.0), (1.0, 5.0)];
    let log = Plot::new("", "", "").line("", odd).log_x();
    assert_eq!(log.svg().matches("<polyline").count(), 1);
    assert!(log.terminal(40, 4).contains("1e-3") || log.terminal(40, 4).contains("0.001"));
}

#[test]
fn numbers_beside_an_axis_are_round_and_short() {
    let ticks = |low, high| Axis::around([low, high].into_iter(), false).ticks(6);
    let close = |got: Vec<f64>, want: &[f64]| {
        assert_eq!(got.len(), want.len(), "{got:?}");
        assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?}");
    };
    close(ticks(0.0, 0.1), &[0.0, 0.02, 0.04, 0.06, 0.08, 0.1]);
    close(ticks(-1.0, 1.0), &[-1.0, -0.5, 0.0, 0.5, 1.0]);
    let log = Axis::around([1e-7, 10.0].into_iter(), true);
    assert_eq!(log.ticks(9).len(), 9);
    assert_eq!(log.ticks(4).first(), Some(&1e-7));
    let labels = [0.0, 0.1, 0.05, 1.0, 1234.0, 99999.0, 1e5, 6.5e4, 1e-7, 1.5e-9, -0.25, 0.001];
    let text = labels.map(label).join(" ");
    assert_eq!(text, "0 0.1 0.05 1 1234 99999 1e5 65000 1e-7 1.5e-9 -0.25 0.001");
}
