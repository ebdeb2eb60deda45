// The charts' shared view: what part of the run is shown, the cursor, and the hands (mouse, touch, keys) on both.

const WHOLE = CURVES && { from: CURVES.start, to: CURVES.time.at(-1) };
const view = { ...WHOLE };
const cursor = { at: null, y: null, on: null };
const PANELS = [['price', 'price_chart', drawPrice], ['equity', 'equity_chart', drawEquity], ['fall', 'fall_chart', drawFall]];
const SPANS = [['all', Infinity], ['month', 30], ['week', 7], ['day', 1]];
let drawn = {};
let wanted = false;
let stretch = null;

const redraw = () => {
  if (wanted) return;
  wanted = true;
  requestAnimationFrame(() => { wanted = false; paintCharts(); });
};

/** Shows a part, never less than four points of the curve and never outside the run. */
const show = (from, to) => {
  const length = WHOLE.to - WHOLE.from;
  const least = Math.min(length, (length / CURVES.time.length) * 4);
  const span = Math.min(length, Math.max(least, to - from));
  const middle = (from + to) / 2;
  view.from = Math.min(WHOLE.to - span, Math.max(WHOLE.from, middle - span / 2));
  view.to = view.from + span;
  redraw();
};
const zoom = (factor, around = (view.from + view.to) / 2) =>
  show(around - (around - view.from) * factor, around + (view.to - around) * factor);
const pan = (time) => show(view.from + time, view.to + time);

const nearestFill = () => {
  const { scale } = drawn.price ?? {};
  if (!scale || cursor.on !== 'price' || cursor.y === null) return null;
  const reach = ((view.to - view.from) / scale.inner) * 9;
  let best = null;
  let least = 144;
  for (const fill of FILLS) {
    if (Math.abs(fill.at - cursor.at) > reach) continue;
    const apart = (scale.x(fill.at) - scale.x(cursor.at)) ** 2 + (scale.y(fill.level) - cursor.y) ** 2;
    if (apart < least) [best, least] = [fill, apart];
  }
  return best;
};

const readout = () => {
  const at = Math.min(CURVES.time.length - 1, above(CURVES.time, (cursor.at ?? view.to) - 1));
  const item = (name, value, mark = '') => make('span', {}, make('span', { class: `quiet ${mark}` }, `${name} `), value);
  const fill = nearestFill();
  document.getElementById('readout').replaceChildren(...[
    make('strong', {}, moment(fill ? fill.at : CURVES.time[at])),
    fill
      ? item(say(fill.buy ? 'buy' : 'sell'), `${exact(fill.quantity)} ${BASE} · ${price(fill.price)} · ${slotName(fill.slot)}${known(fill.profit) ? ` · ${money(fill.profit, { signed: true })}` : ''}`, fill.buy ? 'key buy' : 'key sell')
      : item(say('at_close'), `${price(CURVES.price.last[at])} (${price(CURVES.price.low[at])} – ${price(CURVES.price.high[at])})`, 'key price'),
    ...(fill?.why ? [make('bdi', { class: 'reason', lang: 'en' }, fill.why)] : [
      item(say('bot'), money(CURVES.equity.last[at]), 'key bot'),
      item(say('holding'), money(CURVES.holding.last[at]), 'key hold'),
      item(say('fall_chart'), share(-CURVES.drawdown[at]), 'key fall'),
    ]),
  ]);
};

const paintCharts = () => {
  const paint = colours();
  drawn = {};
  for (const [name, , draw] of PANELS) {
    const { context, scale } = draw(document.getElementById(`chart-${name}`), view);
    drawn[name] = { scale };
    if (stretch) {
      context.fillStyle = paint.veil;
      context.fillRect(Math.min(stretch.x, stretch.now), 0, Math.abs(stretch.now - stretch.x), EDGE.top + scale.tall);
    } else if (cursor.at !== null) {
      context.strokeStyle = paint.quiet;
      context.lineWidth = 1;
      const x = Math.round(scale.x(cursor.at)) + 0.5;
      if (x >= 0 && x <= scale.inner) rule(context, x, 0, x, EDGE.top + scale.tall);
    }
  }
  drawOverview(document.getElementById('overview'), WHOLE, view);
  readout();
  for (const [name, days] of SPANS) {
    const on = Math.abs(Math.min(days * 1440 * MINUTE, WHOLE.to - WHOLE.from) - (view.to - view.from)) < MINUTE;
    document.getElementById(`span-${name}`)?.setAttribute('aria-pressed', String(on));
  }
};

const timeAt = (x) => view.from + (x / drawn.price.scale.inner) * (view.to - view.from);

/** Mouse: drag chooses a part. Touch: one finger moves, two zoom. */
const handle = (canvas, name) => {
  const fingers = new Map();
  let apart = 0;
  const here = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: Math.min(drawn.price.scale.inner, Math.max(0, event.clientX - box.left)), y: event.clientY - box.top };
  };
  const point = (event) => { const { x, y } = here(event); Object.assign(cursor, { at: timeAt(x), y, on: name }); redraw(); };
  const end = (event) => {
    fingers.delete(event.pointerId);
    apart = 0;
    if (stretch && Math.abs(stretch.now - stretch.x) > 6) show(timeAt(Math.min(stretch.x, stretch.now)), timeAt(Math.max(stretch.x, stretch.now)));
    stretch = null;
    redraw();
  };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, here(event).x);
    if (event.pointerType === 'mouse' && event.button === 0) stretch = { x: here(event).x, now: here(event).x };
    point(event);
  });
  canvas.addEventListener('pointermove', (event) => {
    const { x } = here(event);
    const before = fingers.get(event.pointerId);
    if (before !== undefined && event.pointerType !== 'mouse') {
      fingers.set(event.pointerId, x);
      const [one, two] = [...fingers.values()];
      if (fingers.size === 1) pan(timeAt(before) - timeAt(x));
      else {
        const now = Math.abs(one - two);
        if (apart && now) zoom(apart / now, timeAt((one + two) / 2));
        apart = now;
      }
    }
    if (stretch) stretch.now = x;
    point(event);
  });
  canvas.addEventListener('pointerup', end);
  canvas.addEventListener('pointercancel', end);
  canvas.addEventListener('pointerleave', () => { if (!fingers.size) { cursor.at = null; redraw(); } });
  canvas.addEventListener('dblclick', () => show(WHOLE.from, WHOLE.to));
  canvas.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, timeAt(here(event).x));
  }, { passive: false });
};

const handleOverview = (canvas) => {
  const move = (event) => {
    if (!event.buttons) return;
    const box = canvas.getBoundingClientRect();
    const middle = WHOLE.from + ((event.clientX - box.left) / box.width) * (WHOLE.to - WHOLE.from);
    show(middle - (view.to - view.from) / 2, middle + (view.to - view.from) / 2);
  };
  canvas.addEventListener('pointerdown', (event) => { canvas.setPointerCapture(event.pointerId); move(event); });
  canvas.addEventListener('pointermove', move);
};

const onKey = (event) => {
  const step = (view.to - view.from) / 60;
  const move = (time) => {
    const at = Math.min(WHOLE.to, Math.max(WHOLE.from, (cursor.at ?? (view.from + view.to) / 2) + time));
    Object.assign(cursor, { at, y: null, on: null });
    if (at < view.from || at > view.to) pan(time * 10);
    redraw();
  };
  const acts = {
    ArrowLeft: () => move(-step), ArrowRight: () => move(step), '+': () => zoom(0.5, cursor.at ?? undefined), '=': () => zoom(0.5, cursor.at ?? undefined),
    '-': () => zoom(2, cursor.at ?? undefined), 0: () => show(WHOLE.from, WHOLE.to),
  };
  if (!acts[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  acts[event.key]();
};
