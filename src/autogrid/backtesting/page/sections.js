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
  const trips = Number(SUMMARY.round_trips) > 0 ? 'card_trips_note' : 'card_no_trips_note';
  place('hero',
    make('p', { class: 'eyebrow' }, `${period} · ${counted}`),
    make('h1', {}, say('headline', { strategy: SUMMARY.strategy ?? '', symbol: MARKET.symbol ?? `${BASE}/${QUOTE}` })),
    make('p', { class: 'verdict' },
      make('strong', {}, say('verdict', { start: money(SUMMARY.equity_start), end: money(SUMMARY.equity_end) })), ' ',
      known(SUMMARY.hold_profit) ? say(total >= hold ? 'better' : 'worse', { difference: money(Math.abs(total - hold)), base: BASE }) : null),
    make('div', { class: 'tiles' },
      card(say('card_result'), money(total, { signed: true }), share(SUMMARY.return, true), tone(total)),
      card(say('card_hold', { base: BASE }), money(SUMMARY.hold_profit, { signed: true }), share(hold / START, true), tone(hold)),
      card(say('card_fall'), share(-Number(SUMMARY.max_drawdown)), say('card_fall_note', { days })),
      card(say('card_trips'), count(SUMMARY.round_trips), say(trips, { fills: count(SUMMARY.fills), rate: share(SUMMARY.win_rate) }))));
};

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
    bar(say(DATA.lines.length ? 'grid' : 'closed'), parts[0], reach), bar(say('trend'), parts[1], reach), bar(say('total'), parts[2], reach, true),
    make('p', { class: 'quiet' }, say('sources_note')),
    fees.length ? make('p', {}, make('span', { class: 'quiet' }, `${say('fees')}: `), fees.join(' + ')) : null);
};

const honesty = () => {
  const runs = [['touched', SUMMARY], ['passed', SUMMARY.through], ['reversed', SUMMARY.band?.reversed]].filter(([, run]) => run);
  if (runs.length < 2) return place('honesty', heading('honesty'), make('p', { class: 'quiet' }, say('honesty_only')));
  const head = ['', say('total'), say('grid'), TEXTS[language].figure.round_trips[0]];
  return place('honesty', heading('honesty'),
    make('table', { class: 'plain' },
      make('thead', {}, make('tr', {}, head.map((title) => (title ? make('th', { scope: 'col' }, title) : make('td'))))),
      make('tbody', {}, runs.map(([key, run]) => make('tr', {},
        make('th', { scope: 'row' }, say(key)),
        make('td', { class: tone(run.total_profit) }, money(run.total_profit, { signed: true, unit: false })),
        make('td', {}, money(run.grid_profit, { signed: true, unit: false })),
        make('td', {}, count(run.round_trips)))))),
    make('p', { class: 'quiet' }, say('honesty_note')));
};

const signed = (value) => money(value, { signed: true });
const GROUPS = {
  group_money: { total_profit: signed, return: (value) => share(value, true), hold_profit: signed, equity_end: money, quote: money, base: (value) => `${exact(value)} ${BASE}` },
  group_risk: { max_drawdown: share, max_drawdown_days: (value) => (known(value) ? decimal(Number(value), 1, 1) : say('unknown')), volatility: share, exposure: share, time_in_range: share, best_day: (value) => share(value, true), worst_day: (value) => share(value, true) },
  group_ratio: { cagr: (value) => share(value, true), sharpe: ratio, sortino: ratio, calmar: ratio, profit_factor: ratio },
  group_trades: { fills: count, round_trips: count, win_rate: share, avg_win: signed, avg_loss: signed, orders_placed: count, orders_cancelled: count },
};

const figures = () => place('figures', heading('figures'),
  make('div', { class: 'groups' }, Object.entries(GROUPS).map(([group, rows]) => make('div', {},
    make('h3', {}, say(group)),
    make('dl', {}, Object.entries(rows).map(([key, write]) => {
      const [name, meaning] = TEXTS[language].figure[key];
      return make('div', {}, make('dt', {}, name, make('small', {}, meaning)), make('dd', {}, known(SUMMARY[key]) ? write(SUMMARY[key]) : say('unknown')));
    }))))));

const pairs = (title, entries) => make('div', {}, make('h3', {}, title),
  make('dl', {}, entries.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value)))));

const setup = () => {
  const asText = (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
  const config = Object.entries(SUMMARY.config ?? {}).filter(([, value]) => known(value)).map(([key, value]) => [key, asText(value)]);
  const rules = Object.entries(TEXTS[language].rule).filter(([key]) => known(MARKET[key])).map(([key, name]) => [name, asText(MARKET[key])]);
  place('setup', heading('setup'), make('div', { class: 'groups two' }, pairs(say('config'), config), pairs(say('market'), rules)));
};
