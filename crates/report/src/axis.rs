/// Round numbers between `low` and `high`, about `wanted` of them, evenly apart.
pub(crate) fn ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let step = step(low, high, wanted);
    if !step.is_normal() {
        return Vec::new();
    }
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Decimals that tell `ticks` of this range apart.
pub(crate) fn digits(low: f64, high: f64, wanted: usize) -> usize {
    let step = step(low, high, wanted);
    if step.is_normal() { (-(step.log10() + 1e-9).floor()).clamp(0.0, 9.0) as usize } else { 3 }
}

fn step(low: f64, high: f64, wanted: usize) -> f64 {
    let raw = (high - low) / wanted.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    match raw / power {
        r if r <= 1.0 => power,
        r if r <= 2.0 => 2.0 * power,
        r if r <= 5.0 => 5.0 * power,
        _ => 10.0 * power,
    }
}

/// The range of finite values with `share` of its width added at both ends; `None` without any.
pub(crate) fn range(values: impl Iterator<Item = f64>, share: f64) -> Option<(f64, f64)> {
    let (low, high) = values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return None;
    }
    // A single value still needs room around it.
    let room = ((high - low) * share).max(high.abs() * 1e-3).max(1e-9);
    Some((low - room, high + room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let of = |low, high, n| ticks(low, high, n).iter().map(|t| format!("{t:.2}")).collect::<Vec<_>>();
        assert_eq!(of(0.31, 0.78, 5), ["0.40", "0.50", "0.60", "0.70"]);
        assert_eq!(of(0.0, 1.0, 5), ["0.00", "0.20", "0.40", "0.60", "0.80", "1.00"]);
        assert_eq!(digits(0.31, 0.78, 5), 1);
        assert_eq!(digits(0.0, 1.2, 5), 1);
        assert_eq!(digits(0.0, 0.06, 4), 2);
        assert!(ticks(1.0, 1.0, 5).is_empty());
        assert!(ticks(f64::NAN, 1.0, 5).is_empty());
    }

    #[test]
    fn a_single_value_has_room_around_it() {
        let (low, high) = range([0.5, f64::NAN].into_iter(), 0.1).unwrap();
        assert!(low < 0.5 && high > 0.5);
        assert_eq!(range([f64::NAN].into_iter(), 0.1), None);
    }
}
