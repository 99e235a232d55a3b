//! Amounts of CPU and memory as Kubernetes writes them.

/// A quantity as Kubernetes writes it: `120m`, `16Gi`, `1.5`, `2e3`.
#[must_use]
pub fn quantity(text: &str) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 15] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let of = |(suffix, factor): &(&str, f64)| Some((text.strip_suffix(suffix)?, *factor));
    let (number, factor) = SUFFIXES.iter().find_map(of).unwrap_or((text, 1.0));
    // Rust reads more for numbers than Kubernetes writes: `inf`, `NaN`.
    let begins = number.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    number.parse::<f64>().ok().filter(|number| begins && number.is_finite()).map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        for (text, expected) in [
            ("120m", Some(0.12)),
            ("1", Some(1.0)),
            ("1.5", Some(1.5)),
            ("0", Some(0.0)),
            ("16Gi", Some(17_179_869_184.0)),
            ("512Mi", Some(536_870_912.0)),
            ("3Ki", Some(3_072.0)),
            ("12345678n", Some(0.012_345_678)),
            ("7u", Some(0.000_007)),
            ("2k", Some(2_000.0)),
            ("2e3", Some(2_000.0)),
            ("1E", Some(1e18)),
            ("", None),
            ("m", None),
            ("-1", None),
            ("inf", None),
            ("NaN", None),
            ("12x", None),
            ("2 Gi", None),
        ] {
            let got = quantity(text);
            let near = got.zip(expected).is_some_and(|(got, expected)| (got - expected).abs() < 1e-9);
            assert!(near || got == expected, "{text}: {got:?}");
        }
    }
}
