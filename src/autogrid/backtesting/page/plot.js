// Drawing on a canvas: scales, axes, and a curve whose lowest and highest values are kept at every width.

const EDGE = { right: PRICE_PLACES > 5 ? 88 : 68, top: 10 };

const colours = () => {
  const style = getComputedStyle(document.documentElement);
  return new Proxy({}, { get: (_, name) => style.getPropertyValue(`--${name}`).trim() });
};

/** First place in rising `values` that is above `limit`. */
const above = (values, limit) => {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] > limit) high = middle; else low = middle + 1;
  }
  return low;
};

/** Round figures between two values, about `wanted` of them. */
const ticks = (low, high, wanted) => {
  const rough = (high - low) / Math.max(1, wanted);
  if (!(rough > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const out = [];
  for (let whole = Math.ceil(low / step); whole * step <= high; whole += 1) out.push(whole * step);
  return out;
};

/** As many decimals as tell neighbouring ticks apart. */
const written = (value, step) => {
  const whole = (places) => Math.round(step * 10 ** places);
  const places = [...Array(13).keys()].find((each) => whole(each) >= 1 && Math.abs(step * 10 ** each - whole(each)) < 1e-6) ?? 12;
  return decimal(value, places, places);
};

const MINUTE = 60_000;
const STEPS = [1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 10_080, 20_160, 43_200, 86_400, 129_600, 259_200, 525_600, 1_051_200].map((each) => each * MINUTE);

const timeTicks = (from, to, wanted) => {
  const step = STEPS.find((each) => (to - from) / each <= wanted) ?? STEPS.at(-1);
  const out = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) out.push(at);
  return { step, out };
};

const timeLabel = (at, step) => {
  if (step < 1440 * MINUTE && at % (1440 * MINUTE)) return dates({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
  return step < 43_200 * MINUTE ? dates({ day: 'numeric', month: 'short' }).format(at) : dates({ month: 'short', year: 'numeric' }).format(at);
};

/** A cleared canvas at the screen's own resolution, with its size in CSS pixels. */
const sheet = (canvas) => {
  const { width, height } = canvas.getBoundingClientRect();
  const density = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
  }
  const context = canvas.getContext('2d');
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  return { context, width, height };
};

/** Where times and values lie: x from `view`, y from `range`, top is high. */
const scales = (width, height, view, range, foot) => {
  const inner = width - EDGE.right;
  const tall = height - EDGE.top - foot;
  const spread = range.high - range.low || 1;
  return {
    inner, tall, foot, view, range,
    x: (at) => ((at - view.from) / (view.to - view.from)) * inner,
    y: (value) => EDGE.top + (1 - (value - range.low) / spread) * tall,
  };
};

const rule = (context, x1, y1, x2, y2) => {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
};

const axes = (context, scale, paint, write, withTimes) => {
  context.lineWidth = 1;
  context.strokeStyle = paint.rule;
  context.fillStyle = paint.quiet;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const values = ticks(scale.range.low, scale.range.high, Math.max(2, scale.tall / 44));
  const apart = values.length > 1 ? values[1] - values[0] : Math.abs(values[0] ?? 1);
  for (const value of values) {
    const y = Math.round(scale.y(value)) + 0.5;
    rule(context, 0, y, scale.inner, y);
    context.fillText(write(value, apart), scale.inner + 8, y);
  }
  if (!withTimes) return;
  const { step, out } = timeTicks(scale.view.from, scale.view.to, Math.max(2, scale.inner / 92));
  context.textAlign = 'center';
  for (const at of out) {
    const x = scale.x(at);
    if (x > 18 && x < scale.inner - 18) context.fillText(timeLabel(at, step), x, EDGE.top + scale.tall + scale.foot / 2 + 2);
  }
};

/** The points that lie in the view, with one more at each side. */
const within = (view) => ({
  first: Math.max(0, above(CURVES.time, view.from) - 1),
  last: Math.min(CURVES.time.length - 1, above(CURVES.time, view.to)),
});

const extent = (view, ...curves) => {
  const { first, last } = within(view);
  let low = Infinity;
  let high = -Infinity;
  for (const curve of curves) {
    for (let at = first; at <= last; at += 1) {
      if (curve.low[at] < low) low = curve.low[at];
      if (curve.high[at] > high) high = curve.high[at];
    }
  }
  const air = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
  return { low: low - air, high: high + air };
};

/** Whether points lie so far apart that each is seen by itself. */
const wideApart = (scale) => {
  const { first, last } = within(scale.view);
  return scale.inner / (last - first + 1) >= 5;
};

/** The room between the lowest and the highest value of each point, where points lie wide apart. */
const shade = (context, scale, curve) => {
  const { first, last } = within(scale.view);
  context.beginPath();
  for (let at = first; at <= last; at += 1) context.lineTo(scale.x(CURVES.time[at]), scale.y(curve.high[at]));
  for (let at = last; at >= first; at -= 1) context.lineTo(scale.x(CURVES.time[at]), scale.y(curve.low[at]));
  context.closePath();
  context.globalAlpha = 0.14;
  context.fill();
  context.globalAlpha = 1;
};

/** Traces a curve: in each column of pixels from its lowest to its highest value, ending on its last. */
const trace = (context, scale, curve) => {
  const { first, last } = within(scale.view);
  context.beginPath();
  if (wideApart(scale)) {
    for (let at = first; at <= last; at += 1) context.lineTo(scale.x(CURVES.time[at]), scale.y(curve.last[at]));
    return;
  }
  let column = null;
  const flush = () => {
    if (!column) return;
    const ends = column.last - column.low < column.high - column.last ? [column.high, column.low] : [column.low, column.high];
    for (const value of [...ends, column.last]) context.lineTo(column.x, scale.y(value));
  };
  for (let at = first; at <= last; at += 1) {
    const x = Math.round(scale.x(CURVES.time[at]) * 2) / 2;
    if (column && column.x === x) {
      column.low = Math.min(column.low, curve.low[at]);
      column.high = Math.max(column.high, curve.high[at]);
      column.last = curve.last[at];
    } else {
      flush();
      column = { x, low: curve.low[at], high: curve.high[at], last: curve.last[at] };
    }
  }
  flush();
};

/** Keeps drawing inside the chart's own field. */
const inside = (context, scale, draw) => {
  context.save();
  context.beginPath();
  context.rect(0, 0, scale.inner, EDGE.top + scale.tall + 1);
  context.clip();
  draw();
  context.restore();
};
