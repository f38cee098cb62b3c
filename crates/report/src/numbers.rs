use manyview_core::{Estimate, Summary};

/// What stands for a figure that does not exist.
pub(crate) const ABSENT: &str = "–";

/// A score with three decimals.
pub(crate) fn score(v: f64) -> String {
    decimals(v, 3)
}

/// `v` with so many decimals and a true minus sign; never a negative zero.
pub(crate) fn decimals(v: f64, digits: usize) -> String {
    if !v.is_finite() {
        return ABSENT.into();
    }
    let text = format!("{:.digits$}", v.abs());
    let zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    if v < 0.0 && !zero { format!("−{text}") } else { text }
}

/// A difference with three decimals and its sign.
pub(crate) fn signed(v: f64) -> String {
    let text = score(v);
    let plus = v > 0.0 && v.is_finite() && text != "0.000";
    if plus { format!("+{text}") } else { text }
}

/// Half the width of the interval: `±0.012`.
pub(crate) fn plus_minus(s: &Summary) -> String {
    format!("±{}", score((s.high - s.low) / 2.0))
}

/// The interval of a score, in words.
pub(crate) fn interval(low: f64, high: f64) -> String {
    format!("{} to {}", score(low), score(high))
}

/// The interval of a difference, in words.
pub(crate) fn signed_interval(e: &Estimate) -> String {
    format!("{} to {}", signed(e.low), signed(e.high))
}

/// A share as whole per cent.
pub(crate) fn percent(v: f64) -> String {
    if v.is_finite() { format!("{}%", decimals(v * 100.0, 0)) } else { ABSENT.into() }
}

/// A count with thousands separators.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}

/// A count and what it counts, in singular or plural.
pub(crate) fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A duration given in milliseconds, in the unit that suits it, with three significant digits.
pub(crate) fn duration(ms: f64) -> String {
    if !ms.is_finite() || ms < 0.0 {
        return ABSENT.into();
    }
    // A figure that would round up to 1000 of a unit is shown as 1 of the next.
    const UNITS: [(f64, &str); 4] = [(1e6, "ns"), (1e3, "µs"), (1.0, "ms"), (1e-3, "s")];
    let (factor, unit) = UNITS.into_iter().find(|(f, _)| ms * f < 999.5).unwrap_or((1e-3, "s"));
    format!("{}\u{a0}{unit}", significant(ms * factor))
}

/// How many times one is the other: `3.24×`, `1,240×`.
pub(crate) fn times(v: f64) -> String {
    if v.is_finite() && v >= 0.0 { format!("{}×", significant(v)) } else { ABSENT.into() }
}

/// Three significant digits, or all digits before the point.
fn significant(v: f64) -> String {
    if !v.is_finite() {
        return ABSENT.into();
    }
    match v.abs() {
        a if a >= 99.95 => {
            let whole = count(a.round() as usize);
            if v < 0.0 { format!("−{whole}") } else { whole }
        }
        a if a >= 9.995 => decimals(v, 1),
        a if a >= 0.9995 || a == 0.0 => decimals(v, 2),
        a if a >= 0.1 => decimals(v, 3),
        a if a >= 0.01 => decimals(v, 4),
        _ => format!("{v:.2e}").replace('-', "−"),
    }
}

/// A figure of any magnitude: three significant digits without zeros at the end.
pub(crate) fn figure(v: f64) -> String {
    let text = significant(v);
    let (mantissa, power) = text.split_once('e').map_or((text.as_str(), None), |(m, p)| (m, Some(p)));
    let mantissa =
        if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    power.map_or(mantissa.to_owned(), |p| format!("{mantissa}e{p}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_sensible_unit() {
        let of = |ms| duration(ms).replace('\u{a0}', " ");
        assert_eq!(of(0.000_05), "50.0 ns");
        assert_eq!(of(0.0123), "12.3 µs");
        assert_eq!(of(0.9999), "1.00 ms");
        assert_eq!(of(41.27), "41.3 ms");
        assert_eq!(of(1500.0), "1.50 s");
        assert_eq!(of(1_234_567.0), "1,235 s");
        assert_eq!(of(f64::NAN), "–");
    }

    #[test]
    fn a_sign_is_shown_where_there_is_one() {
        assert_eq!(signed(0.21), "+0.210");
        assert_eq!(signed(-0.02), "−0.020");
        assert_eq!(signed(-0.0001), "0.000");
        assert_eq!(signed(0.0001), "0.000");
        assert_eq!(signed(f64::NEG_INFINITY), "–");
    }

    #[test]
    fn counts_have_thousands_separators() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn small_figures_keep_their_magnitude() {
        let of = [0.000_123, 1e-5, 0.0215, 0.1, 0.921_4, 24.0, -1240.2, 0.0].map(figure);
        assert_eq!(of, ["1.23e−4", "1e−5", "0.0215", "0.1", "0.921", "24", "−1,240", "0"]);
        assert_eq!(times(3.237), "3.24×");
    }
}
