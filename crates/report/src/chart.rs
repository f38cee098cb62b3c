use crate::axis::{digits, range, ticks};
use crate::escape;
use crate::numbers::{decimals, figure};

/// Lines over one horizontal axis.
pub(crate) struct Chart<'a> {
    pub(crate) title: String,
    /// What the horizontal axis is.
    pub(crate) below: &'static str,
    /// Whether `x` is the power of ten.
    pub(crate) powers: bool,
    pub(crate) lines: Vec<Line<'a>>,
    /// The place that was chosen, and its name.
    pub(crate) mark: Option<(f64, String)>,
}

pub(crate) struct Line<'a> {
    /// Shown where there are several lines; else empty.
    pub(crate) name: &'a str,
    /// The colour: a class of the style sheet.
    pub(crate) class: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 40.0;

impl Chart<'_> {
    /// A figure; nothing when there is no point to show.
    pub(crate) fn html(&self) -> String {
        let finite = || {
            self.lines.iter().flat_map(|l| &l.points).copied().filter(|(x, y)| x.is_finite() && y.is_finite())
        };
        let Some(((x0, x1), (y0, y1))) =
            range(finite().map(|p| p.0), 0.02).zip(range(finite().map(|p| p.1), 0.08))
        else {
            return String::new();
        };
        let at_x = |x: f64| LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT);
        let at_y = |y: f64| HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM);

        let floor = HEIGHT - BOTTOM;
        let across: String = ticks(y0, y1, 4)
            .into_iter()
            .map(|t| {
                let (y, text) = (at_y(t), decimals(t, digits(y0, y1, 4)));
                format!(
                    "<path class=grid d=\"M{LEFT} {y:.1}H{}\"/><text class=end x={} y={:.1}>{text}</text>",
                    WIDTH - RIGHT,
                    LEFT - 8.0,
                    y + 4.0
                )
            })
            .collect();
        let along: String = ticks(x0, x1, 6)
            .into_iter()
            .filter(|t| t.fract().abs() < 1e-9)
            .map(|t| {
                let text = if self.powers {
                    format!("10<tspan dy=-5 class=power>{}</tspan>", decimals(t, 0))
                } else {
                    decimals(t, 0)
                };
                format!("<text class=mid x={:.1} y={}>{text}</text>", at_x(t), floor + 17.0)
            })
            .collect();
        let mark = self.mark.as_ref().filter(|(x, _)| (x0..=x1).contains(x)).map_or(String::new(), |(x, name)| {
            let x = at_x(*x);
            let side = if x > WIDTH * 0.8 { "end" } else if x < WIDTH * 0.25 { "start" } else { "mid" };
            format!(
                "<path class=mark d=\"M{x:.1} {TOP}V{floor}\"/><text class=\"chosen {side}\" x={x:.1} y={}>{}</text>",
                TOP - 7.0,
                escape::html(name)
            )
        });
        let lines: String = self.lines.iter().map(|line| self.line(line, at_x, at_y)).collect();
        let title = escape::html(&self.title);
        format!(
            "<figure class=chart><figcaption>{title}{}</figcaption>\
             <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=img aria-label=\"{title}\">{across}\
             <path class=axis d=\"M{LEFT} {floor}H{}\"/>{along}{mark}{lines}\
             <text class=mid x={:.1} y={}>{}</text></svg></figure>\n",
            self.legend(),
            WIDTH - RIGHT,
            (LEFT + WIDTH - RIGHT) / 2.0,
            HEIGHT - 4.0,
            self.below
        )
    }

    fn line(&self, line: &Line<'_>, at_x: impl Fn(f64) -> f64, at_y: impl Fn(f64) -> f64) -> String {
        let finite: Vec<_> = line.points.iter().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
        let path: String = finite
            .iter()
            .enumerate()
            .map(|(i, (x, y))| format!("{}{:.1} {:.1}", if i == 0 { 'M' } else { 'L' }, at_x(*x), at_y(*y)))
            .collect();
        let dots: String = finite
            .iter()
            .map(|(x, y)| {
                let place = if self.powers { figure(10f64.powf(*x)) } else { decimals(*x, 0) };
                let value = if y.abs() < 0.01 { figure(*y) } else { decimals(*y, 4) };
                let name = if line.name.is_empty() { String::new() } else { format!("{}, ", escape::html(line.name)) };
                format!(
                    "<circle class=dot cx={:.1} cy={:.1} r=2.5><title>{name}{} {place}: {value}</title></circle>",
                    at_x(*x),
                    at_y(*y),
                    self.below
                )
            })
            .collect();
        format!("<g class=\"line {}\"><path d=\"{path}\"/>{dots}</g>", line.class)
    }

    fn legend(&self) -> String {
        let named: Vec<_> =
            self.lines.iter().filter(|l| !l.name.is_empty() && !l.points.is_empty()).collect();
        if named.len() < 2 {
            return String::new();
        }
        named
            .iter()
            .map(|l| format!("<span class=\"key {}\">{}</span>", l.class, escape::html(l.name)))
            .collect()
    }
}
