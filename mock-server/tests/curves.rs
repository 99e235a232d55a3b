//! What the benchmark says about curves: benchmarks have no tests of their own, so its arithmetic is tested here.

#[path = "../benches/side_by_side/curve.rs"]
mod curve;
#[path = "../benches/side_by_side/plot.rs"]
mod plot;

use curve::{Curve, Curves, Verdict, exponent};

/// A curve of cost = a·n^b at three sizes, the exponents of its rounds being these.
fn of(rounds: &[f64]) -> Curve {
    let sizes = vec![10.0, 100.0, 1000.0];
    let costs = |b: &f64| sizes.iter().map(|size: &f64| 5.0 * size.powf(*b)).collect();
    let rounds = rounds.iter().map(costs).collect();
    Curve { name: "Something".into(), unit: "µs", of: "live jobs", sizes, rounds }
}

#[test]
fn a_verdict_changes_just_above_its_bounds() {
    for (exponent, verdict) in [
        (-0.9, Verdict::Flat),
        (0.0, Verdict::Flat),
        (0.15, Verdict::Flat),
        (0.150_001, Verdict::Linear),
        (1.0, Verdict::Linear),
        (1.15, Verdict::Linear),
        (1.150_001, Verdict::Worse),
        (2.0, Verdict::Worse),
    ] {
        assert_eq!(Verdict::of(exponent), verdict, "{exponent}");
    }
}

#[test]
fn the_exponent_is_that_of_the_cost_whatever_its_factor() {
    for b in [-0.5, 0.0, 0.15, 1.0, 1.7] {
        for a in [1e-6, 1.0, 3e9] {
            let points = [1.0, 7.0, 10.0, 500.0].map(|n: f64| (n, a * n.powf(b)));
            let got = exponent(&points).expect("an exponent");
            assert!((got - b).abs() < 1e-9, "{a}·n^{b}: {got}");
        }
    }
    // By least squares: a point in the middle that is off by a factor tilts nothing.
    let off = exponent(&[(10.0, 1.0), (100.0, 30.0), (1000.0, 100.0)]).expect("an exponent");
    assert!((off - 1.0).abs() < 1e-9, "{off}");
    // And one at the end does: (2, 3) of logarithms instead of (2, 2), over sizes -1, 0, 1 about their mean.
    let tilted = exponent(&[(10.0, 10.0), (100.0, 10.0), (1000.0, 100.0)]).expect("an exponent");
    assert!((tilted - 0.5).abs() < 1e-9, "{tilted}");
}

#[test]
fn nothing_is_said_where_nothing_can_be() {
    assert_eq!(exponent(&[]), None);
    assert_eq!(exponent(&[(10.0, 1.0)]), None);
    assert_eq!(exponent(&[(10.0, 1.0), (10.0, 2.0)]), None, "one size, twice");
    for cost in [0.0, -3.0] {
        assert_eq!(exponent(&[(10.0, 1.0), (100.0, cost)]), None, "{cost} has no logarithm");
    }
}

#[test]
fn the_verdict_is_that_of_the_medians_and_says_what_rounds_would_have_said() {
    let fitted = of(&[0.1, 0.12, 1.3]).fitted().expect("rounds");
    let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-9, "{got}, not {expected}");
    close(fitted.exponent, 0.12);
    close(fitted.rounds.0, 0.1);
    close(fitted.rounds.1, 1.3);
    assert_eq!(fitted.to_string(), "flat (rounds: flat to **worse**)");
    assert_eq!(of(&[0.9, 1.0, 1.1]).fitted().expect("rounds").to_string(), "linear");
    let mut noisy = of(&[0.0, 0.0]);
    noisy.rounds[1][0] = -1.0;
    assert_eq!(noisy.fitted(), None, "a round without an exponent");
}

#[test]
fn a_table_has_a_line_for_each_curve() {
    let mut lost = of(&[0.0]);
    lost.rounds[0][2] = 0.0;
    let text = Curves(&[of(&[1.0, 1.0]), lost]).to_string();
    let expected = "\
| Cost | Medians | b of n^b | Min – max | Verdict |
|---|---|---|---|---|
| Something, µs by live jobs | 10: 50.0; 100: 500; 1,000: 5000 | 1.00 | 1.00 – 1.00 | linear |
| Something, µs by live jobs | 10: 5.0; 100: 5.0; 1,000: 0.00 | | | too small to tell from noise |
";
    assert_eq!(text, expected);
}

#[test]
fn a_plot_shows_each_curve_where_its_costs_are() {
    let flat = of(&[0.0]);
    let linear = of(&[1.0]);
    let text = plot::plot(&[&flat, &linear]);
    let rows: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    let places = |letter: char| -> Vec<(usize, usize)> {
        let axis = rows.iter().position(|row| row.contains(&'└')).expect("an axis");
        let in_row = |(number, row): (usize, &Vec<char>)| {
            let found = row.iter().enumerate().filter(move |(_, char)| **char == letter);
            found.map(|(column, _)| (number, column)).collect::<Vec<_>>()
        };
        let mut places: Vec<_> = rows[..axis].iter().enumerate().flat_map(in_row).collect();
        places.sort_by_key(|place| place.1);
        places
    };
    // From 10,000 down to 1 µs in four lines for each power of ten: 5 µs lies at 3.3 of them, 16 − 2.8 lines from above.
    let left = places('A')[0].1;
    assert_eq!(places('A'), [(13, left), (13, left + 26), (13, left + 52)]);
    assert_eq!(places('B'), [(9, left + 1), (5, left + 27), (1, left + 53)]);
    assert!(text.starts_with(" 10,000 µs ┤\n"), "{text}");
    assert!(text.contains("10                        100                       1,000 live jobs\n"), "{text}");
    assert!(text.ends_with("A Something\nB Something\n"), "{text}");
    assert_eq!(plot::plot(&[]), "");
    let mut round = of(&[0.0]);
    round.rounds[0].fill(100.0);
    let text = plot::plot(&[&round]);
    assert!(text.starts_with("  1,000 µs ┤\n") && text.contains("    100 µs ┤ A · "), "{text}");
}
