// The parts of the page that are text: the verdict, notes, sources, honesty, figures, settings.

const place = (id, ...children) => document.getElementById(id).replaceChildren(...children.flat().filter(Boolean));
const heading = (key) => make('h2', {}, say(key));

const card = (title, value, note, mood = '') =>
  make('div', { class: 'tile' }, make('h3', {}, title), make('p', { class: `big ${mood}` }, value), make('p', { class: 'quiet' }, note));

const hero = () => {
  const candles = SUMMARY.candles || {};
  const total = Number(SUMMARY.total_profit);
  const hold = Number(SUMMARY.hold_profit);
  const period = say('period', { from: day(parsed(candles.from)), to: day(parsed(candles.to)) });
  const counted = say('candles', { rows: count(candles.rows), timeframe: candles.timeframe ?? '' });
  const days = known(SUMMARY.max_drawdown_days) ? decimal(Number(SUMMARY.max_drawdown_days), 1, 1) : say('unknown');
  const trips = Number(SUMMARY.round_trips) > 0 ? fit('card_trips_note', { fills: count(SUMMARY.fills), rate: share(SUMMARY.win_rate) }) : fit('card_no_trips_note', { fills: count(SUMMARY.fills) });
  place('hero',
    make('p', { class: 'eyebrow' }, `${period} · ${counted}`),
    make('h1', {}, say('headline', { strategy: DATA.titles[language], symbol: MARKET.symbol ?? `${BASE}/${QUOTE}` })),
    make('p', { class: 'verdict' },
      make('strong', {}, say('verdict', { start: money(SUMMARY.equity_start), end: money(SUMMARY.equity_end) })), ' ',
      known(SUMMARY.hold_profit) ? say(total >= hold ? 'better' : 'worse', { difference: money(Math.abs(total - hold)), base: BASE }) : null),
    make('div', { class: 'tiles' },
      card(say('card_result'), money(total, { signed: true }), share(SUMMARY.return, true), tone(total)),
      card(say('card_hold', { base: BASE }), money(SUMMARY.hold_profit, { signed: true }), share(hold / START, true), tone(hold)),
      card(say('card_fall'), share(-Number(SUMMARY.max_drawdown)), say('card_fall_note', { days })),
      card(fit('card_trips'), count(SUMMARY.round_trips), trips),
      OPEN ? card(say('card_open'), money(OPEN.unrealised, { signed: true }), openNote(), tone(OPEN.unrealised)) : null));
};

/** What is still held: coins and what they cost on average. */
const openNote = () => say(Number(OPEN.unrealised) < 0 ? 'open_loss' : Number(OPEN.unrealised) > 0 ? 'open_gain' : 'open_even',
  { coins: `${exact(OPEN.base)} ${BASE}`, average: `${average(OPEN.average_cost)} ${QUOTE}` });

/** The rules of the market that nobody gave, each with its figure. */
const assumed = () => (MARKET.assumed_rules ?? ['tick', 'lot', 'min_notional'])
  .map((rule) => `${say(`rule_${rule}`)} ${exact(MARKET[rule])}`);

const notes = () => {
  const gaps = SUMMARY.candles?.gaps;
  const holes = Array.isArray(gaps) ? gaps.length : Number(gaps ?? 0);
  const said = [
    MARKET.assumed ? say('assumed', { rules: assumed().join(', ') }) : null,
    holes ? say('gaps', { count: count(holes) }) : null,
    ...(SUMMARY.warnings ?? []),
  ].filter(Boolean);
  place('notes', said.length
    ? make('section', { class: 'note' }, heading('notes'), make('ul', {}, said.map((each) => make('li', {}, String(each)))))
    : null);
};

/** One bar of profit or loss, to the right or left of nothing. */
const bar = (title, value, reach, whole = false) => {
  const fill = make('span', { class: `bar ${tone(value)}`, 'aria-hidden': 'true' });
  const width = reach > 0 ? (Math.abs(value) / reach) * 50 : 0;
  fill.style.width = `${width}%`;
  fill.style.left = value < 0 ? `${50 - width}%` : '50%';
  return make('div', { class: whole ? 'source whole' : 'source' },
    make('span', {}, title), make('span', { class: 'track' }, fill),
    make('span', { class: `amount ${tone(value)}` }, money(value, { signed: true })));
};

const sources = () => {
  const parts = ['grid_profit', 'trend_profit', 'total_profit'].map((key) => Number(SUMMARY[key] ?? 0));
  const reach = Math.max(...parts.map(Math.abs));
  const fees = Object.entries(SUMMARY.fees ?? {}).map(([asset, amount]) => `${exact(amount)} ${asset}`);
  place('sources', heading('sources'),
    make('div', { class: 'bars' }, bar(fit('grid'), parts[0], reach), bar(say('trend'), parts[1], reach), bar(say('total'), parts[2], reach, true)),
    make('p', { class: 'quiet' }, fit('sources_note')),
    fees.length ? make('p', {}, make('span', { class: 'quiet' }, `${say('fees')}: `), fees.join(' + ')) : null);
};

const honesty = () => {
  const runs = [['touched', SUMMARY], ['passed', SUMMARY.through], ['reversed', SUMMARY.band?.reversed]].filter(([, run]) => run);
  if (runs.length < 2) return place('honesty', heading('honesty'), make('p', { class: 'quiet' }, say('honesty_only')), starts());
  const head = ['', say('total'), fit('grid'), fit('trips')];
  return place('honesty', heading('honesty'),
    make('table', { class: 'plain' },
      make('thead', {}, make('tr', {}, head.map((title) => (title ? make('th', { scope: 'col' }, title) : make('td'))))),
      make('tbody', {}, runs.map(([key, run]) => make('tr', {},
        make('th', { scope: 'row' }, say(key)),
        make('td', { class: tone(run.total_profit) }, money(run.total_profit, { signed: true, unit: false })),
        make('td', {}, money(run.grid_profit, { signed: true, unit: false })),
        make('td', {}, count(run.round_trips)))))),
    make('p', { class: 'quiet' }, say('honesty_note')),
    starts());
};

/** The same run begun at other times: from its lowest result to its highest, with the middle one and nothing marked. */
const starts = () => {
  const begun = SUMMARY.starts;
  if (!begun || !Number(begun.runs)) return null;
  const [low, middle, high] = [begun.lowest, begun.median, begun.highest].map(Number);
  const [from, to] = [Math.min(0, low), Math.max(0, high)];
  const at = (value) => (to > from ? ((value - from) / (to - from)) * 100 : 50);
  const mark = (kind, left, width = null) => {
    const found = make('span', { class: kind });
    found.style.left = `${left}%`;
    if (width !== null) found.style.width = `${width}%`;
    return found;
  };
  const ends = [['lowest', begun.lowest], ['median', begun.median], ['highest', begun.highest]];
  return make('div', { class: 'starts' }, make('h3', {}, say('starts')),
    make('p', { class: 'quiet' }, say('starts_note', { runs: count(begun.runs), quote: QUOTE })),
    make('div', { class: 'strip', 'aria-hidden': 'true' },
      mark('reach bad', at(low), at(Math.min(high, 0)) - at(low)), mark('reach good', at(Math.max(low, 0)), at(high) - at(Math.max(low, 0))),
      mark('nothing', at(0)), mark('middle', at(middle))),
    make('dl', { class: 'ends' }, ends.map(([key, value]) => make('div', {}, make('dt', {}, say(key)), make('dd', { class: tone(value) }, money(value, { signed: true, unit: false }))))),
    make('p', { class: Number(begun.losing) ? 'bad' : 'quiet' }, say(Number(begun.losing) ? 'starts_losing' : 'starts_none_losing', { losing: count(begun.losing), runs: count(begun.runs) })));
};

const signed = (value) => money(value, { signed: true });
const GROUPS = {
  group_money: { total_profit: signed, return: (value) => share(value, true), hold_profit: signed, equity_end: money, quote: money, base: (value) => `${exact(value)} ${BASE}`, average_cost: (value) => `${average(value)} ${QUOTE}` },
  group_risk: { max_drawdown: share, max_drawdown_days: (value) => (known(value) ? decimal(Number(value), 1, 1) : say('unknown')), volatility: share, exposure: share, time_in_range: share, best_day: (value) => share(value, true), worst_day: (value) => share(value, true) },
  group_ratio: { cagr: (value) => share(value, true), sharpe: ratio, sortino: ratio, calmar: ratio, profit_factor: ratio },
  group_trades: { fills: count, round_trips: count, win_rate: share, unrealised: signed, avg_win: signed, avg_loss: signed, orders_placed: count, orders_cancelled: count },
};

/** These mean nothing to some runs and are left out there: no lines, no coins left. */
const OFTEN_NONE = new Set(['time_in_range', 'average_cost', 'unrealised']);
const figure = (key) => SUMMARY[key] ?? OPEN?.[key];

const figures = () => place('figures', heading('figures'),
  make('div', { class: 'groups' }, Object.entries(GROUPS).map(([group, rows]) => make('div', {},
    make('h3', {}, say(group)),
    make('dl', {}, Object.entries(rows).filter(([key]) => known(figure(key)) || !OFTEN_NONE.has(key)).map(([key, write]) => {
      const [name, says] = meaning(key);
      return make('div', {}, make('dt', {}, name, make('small', {}, says)), make('dd', {}, known(figure(key)) ? write(figure(key)) : say('unknown')));
    }))))));

const pairs = (title, entries) => make('div', {}, make('h3', {}, title),
  make('dl', {}, entries.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value)))));

const setup = () => {
  const asText = (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
  const config = Object.entries(SUMMARY.config ?? {}).filter(([, value]) => known(value)).map(([key, value]) => [key, asText(value)]);
  const rules = Object.entries(TEXTS[language].rule).filter(([key]) => known(MARKET[key])).map(([key, name]) => [name, asText(MARKET[key])]);
  place('setup', heading('setup'), make('div', { class: 'groups two' }, pairs(say('config'), config), pairs(say('market'), rules)));
};
