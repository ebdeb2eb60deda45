// What each chart shows: price with lines and fills, worth against holding, the fall below the peak.

const LINES = DATA.lines.map(Number);

const priceRange = (view) => {
  const range = extent(view, CURVES.price);
  const reach = (range.high - range.low) * 0.25;
  for (const bound of [LINES[0], LINES.at(-1)]) {
    if (bound < range.low && bound > range.low - reach) range.low = bound - reach * 0.06;
    if (bound > range.high && bound < range.high + reach) range.high = bound + reach * 0.06;
  }
  return range;
};

const gridLines = (context, scale, paint) => {
  if (!LINES.length) return;
  const top = scale.y(LINES.at(-1));
  const bottom = scale.y(LINES[0]);
  context.fillStyle = paint.field;
  context.fillRect(0, top, scale.inner, bottom - top);
  context.lineWidth = 1;
  context.strokeStyle = paint.line;
  const dense = (bottom - top) / LINES.length < 4;
  LINES.forEach((line, row) => {
    if (dense && row && row !== LINES.length - 1) return;
    const y = Math.round(scale.y(line)) + 0.5;
    rule(context, 0, y, scale.inner, y);
  });
};

const candles = (context, scale, paint) => {
  const { first, last } = within(scale.view);
  const wide = (scale.inner / (last - first + 1)) * 0.62;
  for (let at = first; at <= last; at += 1) {
    const opened = at ? CURVES.time[at - 1] : CURVES.start;
    const x = scale.x((opened + CURVES.time[at]) / 2);
    const { open, high, low, last: close } = CURVES.price;
    context.strokeStyle = context.fillStyle = close[at] >= open[at] ? paint.rise : paint.sink;
    rule(context, x, scale.y(high[at]), x, scale.y(low[at]));
    const tall = Math.max(1, Math.abs(scale.y(close[at]) - scale.y(open[at])));
    context.fillRect(x - wide / 2, Math.min(scale.y(close[at]), scale.y(open[at])), wide, tall);
  }
};

const markers = (context, scale, paint) => {
  const times = FILLS.map((fill) => fill.at);
  const shown = FILLS.slice(above(times, scale.view.from - 1), above(times, scale.view.to));
  const few = shown.length <= Math.min(260, scale.inner / 4);
  const size = few ? 5 : shown.length < scale.inner ? 2.2 : 1.4;
  for (const side of [true, false]) {
    context.fillStyle = paint[side ? 'buy-mark' : 'sell-mark'];
    context.globalAlpha = few ? 1 : 0.75;
    context.beginPath();
    for (const fill of shown) {
      if (fill.buy !== side) continue;
      const x = scale.x(fill.at);
      const y = scale.y(fill.level);
      if (few) {
        const tip = side ? -size : size;
        context.moveTo(x, y + tip * 0.9);
        context.lineTo(x - size, y - tip * 0.7);
        context.lineTo(x + size, y - tip * 0.7);
        context.closePath();
      } else {
        context.moveTo(x + size, y);
        context.arc(x, y, size, 0, 7);
      }
    }
    context.fill();
  }
  context.globalAlpha = 1;
};

const drawPrice = (canvas, view) => {
  const paint = colours();
  const { context, width, height } = sheet(canvas);
  const scale = scales(width, height, view, priceRange(view), 6);
  axes(context, scale, paint, written, false);
  inside(context, scale, () => {
    gridLines(context, scale, paint);
    if (wideApart(scale)) candles(context, scale, paint);
    else {
      context.strokeStyle = paint.price;
      context.lineWidth = 1.1;
      context.lineJoin = 'round';
      trace(context, scale, CURVES.price);
      context.stroke();
    }
    markers(context, scale, paint);
  });
  return { context, scale };
};

const drawEquity = (canvas, view) => {
  const paint = colours();
  const { context, width, height } = sheet(canvas);
  const scale = scales(width, height, view, extent(view, CURVES.equity, CURVES.holding), 6);
  axes(context, scale, paint, written, false);
  inside(context, scale, () => {
    context.lineJoin = 'round';
    for (const [curve, colour, wide] of [[CURVES.holding, paint.hold, 1], [CURVES.equity, paint.bot, 1.9]]) {
      context.strokeStyle = context.fillStyle = colour;
      context.lineWidth = wide;
      if (wideApart(scale)) shade(context, scale, curve);
      trace(context, scale, curve);
      context.stroke();
    }
    context.setLineDash([2, 4]);
    context.strokeStyle = paint.quiet;
    context.lineWidth = 1;
    rule(context, 0, scale.y(START), scale.inner, scale.y(START));
    context.setLineDash([]);
  });
  return { context, scale };
};

const FALL = { low: CURVES && CURVES.drawdown.map((fall) => -fall), high: CURVES && CURVES.drawdown.map((fall) => -fall) };
FALL.last = FALL.low;

const drawFall = (canvas, view) => {
  const paint = colours();
  const { context, width, height } = sheet(canvas);
  const range = { low: Math.min(extent(view, FALL).low, -0.001), high: 0 };
  const scale = scales(width, height, view, range, 24);
  axes(context, scale, paint, (value, step) => `${written(value * 100, step * 100)} %`, true);
  inside(context, scale, () => {
    context.lineJoin = 'round';
    trace(context, scale, FALL);
    context.strokeStyle = paint.fall;
    context.lineWidth = 1.2;
    context.stroke();
    const { first, last } = within(view);
    context.lineTo(scale.x(CURVES.time[last]), scale.y(0));
    context.lineTo(scale.x(CURVES.time[first]), scale.y(0));
    context.closePath();
    context.fillStyle = paint.fallen;
    context.fill();
  });
  return { context, scale };
};

const drawOverview = (canvas, whole, view) => {
  const paint = colours();
  const { context, width, height } = sheet(canvas);
  const scale = { ...scales(width, height, whole, extent(whole, CURVES.price), 4), x: (at) => ((at - whole.from) / (whole.to - whole.from)) * width };
  context.strokeStyle = paint.quiet;
  context.lineWidth = 1;
  trace(context, scale, CURVES.price);
  context.stroke();
  const left = scale.x(view.from);
  const right = scale.x(view.to);
  context.fillStyle = paint.veil;
  context.fillRect(0, 0, left, height);
  context.fillRect(right, 0, width - right, height);
  context.strokeStyle = paint.bot;
  context.lineWidth = 1.5;
  context.strokeRect(Math.max(1, left), 1, Math.max(3, Math.min(width - 1, right) - Math.max(1, left)), height - 2);
};
