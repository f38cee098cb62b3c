//! Pictures of a head: bars of errors, predicted against true, and how it was fitted.

use super::{NamedErrors, ScoresSection};
use crate::CurveRows;
use crate::axis::{digits, range, ticks};
use crate::escape;
use crate::numbers::{decimals, score};

const WIDTH: f64 = 440.0;
const LEFT: f64 = 120.0;
const RIGHT: f64 = 50.0;

/// Mean absolute errors of each dimension: of the mean, of neighbours, of the head with its interval.
pub(super) fn bars(rows: &[&NamedErrors]) -> String {
    let most = rows.iter().flat_map(|r| [r.mean.mae.value, r.neighbours.mae.value, r.head.mae.high]);
    let most = most.filter(|v| v.is_finite()).fold(0.0, f64::max);
    if most <= 0.0 {
        return String::new();
    }
    const BAR: f64 = 11.0;
    const STEP: f64 = 3.0 * BAR + 16.0;
    let width = |v: f64| if v.is_finite() { v / most * (WIDTH - LEFT - RIGHT) } else { 0.0 };
    let group = |(i, row): (usize, &&NamedErrors)| {
        let top = 4.0 + i as f64 * STEP;
        let bar = |place: f64, class: &str, v: f64| {
            let y = top + place * BAR;
            format!(
                "<rect class={class} x={LEFT} y={y:.1} width={:.1} height={:.1}><title>{}</title></rect>\
                 <text x={:.1} y={:.1}>{}</text>",
                width(v),
                BAR - 2.0,
                score(v),
                LEFT + width(v).max(width(row.head.mae.high)) + 6.0,
                y + BAR - 2.5,
                score(v)
            )
        };
        let (low, high) = (LEFT + width(row.head.mae.low), LEFT + width(row.head.mae.high));
        let y = top + 2.0 * BAR + (BAR - 2.0) / 2.0;
        format!(
            "<text class=end x={} y={:.1}>{}</text>{}{}{}<path class=whisker d=\"M{low:.1} {y:.1}H{high:.1}\"/>",
            LEFT - 8.0,
            top + 1.5 * BAR + 4.0,
            escape::html(&escape::short(&row.name, 18)),
            bar(0.0, "mean", row.mean.mae.value),
            bar(1.0, "near", row.neighbours.mae.value),
            bar(2.0, "head", row.head.mae.value),
        )
    };
    let groups: String = rows.iter().enumerate().map(group).collect();
    format!(
        "<figure class=\"chart bars\"><figcaption>Mean absolute error on test texts<span class=\"key mean\">the mean\
         </span><span class=\"key near\">neighbours</span><span class=\"key head\">head</span></figcaption>\
         <svg viewBox=\"0 0 {WIDTH} {:.0}\" role=img aria-label=\"Mean absolute errors\">{groups}</svg></figure>\n",
        8.0 + rows.len() as f64 * STEP
    )
}

/// Predicted against true scores, a picture for each dimension.
pub(super) fn scatters(view: &ScoresSection) -> String {
    let named = view.metrics.dimensions.iter().zip(&view.points);
    named.map(|(dimension, points)| scatter(&dimension.name, points)).collect()
}

fn scatter(name: &str, points: &[(f64, f64)]) -> String {
    const SIZE: f64 = 280.0;
    const ROOM: f64 = 36.0;
    let all = points.iter().flat_map(|p| [p.0, p.1]);
    let Some((low, high)) = range(all, 0.05) else { return String::new() };
    let at = |v: f64| (v - low) / (high - low) * (SIZE - ROOM - 8.0);
    let (x, y) = (|v: f64| ROOM + at(v), |v: f64| SIZE - ROOM - at(v));
    let circle = |p: &(f64, f64)| {
        format!(
            "<circle cx={:.1} cy={:.1} r=2.5><title>true {}, predicted {}</title></circle>",
            x(p.0),
            y(p.1),
            decimals(p.0, 2),
            decimals(p.1, 2)
        )
    };
    let marks: String = ticks(low, high, 4)
        .into_iter()
        .map(|t| {
            let text = decimals(t, digits(low, high, 4));
            format!(
                "<text class=mid x={:.1} y={}>{text}</text><text class=end x={} y={:.1}>{text}</text>",
                x(t),
                SIZE - ROOM + 16.0,
                ROOM - 6.0,
                y(t) + 4.0
            )
        })
        .collect();
    let dots: String = points.iter().filter(|p| p.0.is_finite() && p.1.is_finite()).map(circle).collect();
    let name = escape::html(name);
    format!(
        "<figure class=\"chart scatter\"><figcaption>{name}: predicted (up) against true (right)</figcaption>\
         <svg viewBox=\"0 0 {SIZE} {SIZE}\" role=img aria-label=\"{name}: predicted against true\">\
         <path class=axis d=\"M{ROOM} 8V{0:.1}H{1:.1}\" fill=none />{marks}\
         <path class=diagonal d=\"M{ROOM} {0:.1}L{1:.1} {2:.1}\"/>{dots}</svg></figure>\n",
        SIZE - ROOM,
        SIZE - 8.0,
        8.0,
    )
}

/// How the head was fitted.
pub(super) fn curves(view: &ScoresSection) -> String {
    const CLASSES: [&str; 12] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11"];
    let curve = &view.curve;
    let by_dimension = |title: &str, what: &str| {
        let columns: Vec<String> = view.names().map(|name| format!("{what}.{name}")).collect();
        let lines = view.names().zip(CLASSES.iter().cycle()).zip(&columns);
        curve.chart(
            title,
            &lines.map(|((name, class), column)| (name, *class, column.as_str())).collect::<Vec<_>>(),
        )
    };
    let both = |title: &str, train: &str, val: &str| {
        curve.chart(title, &[("training", "base", train), ("validation", "adapter", val)])
    };
    match curve.rows {
        CurveRows::Penalties => by_dimension("Leave-one-out error (RMSE) by penalty", "leave_one_out_rmse"),
        CurveRows::Epochs => {
            both("Loss", "train_loss", "val_loss")
                + &both("Mean absolute error", "train_mae", "val_mae")
                + &by_dimension("Validation MAE by dimension", "val_mae")
        }
    }
}
