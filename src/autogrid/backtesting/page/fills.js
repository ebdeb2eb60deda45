// The table of fills: thousands of rows, fifty at a time.

const ROWS = 50;
const shownFills = { which: 'all_fills', page: 0 };

/** Parts of slots that the built-in strategies name: entries on signals, orders of a deal. */
const SLOTS = { in: 'slot_in', target: 'slot_target', out: 'slot_out', base: 'slot_base', s: 'slot_safety', t: 'slot_take', add: 'slot_add', exit: 'exit' };

const slotName = (slot) => {
  const cell = /^(\d+)\.(\d+)$/.exec(slot);
  const [, number, part, nth] = /^(\d+)-([a-z]+)(\d*)$/.exec(slot) ?? [];
  const [, buy] = /^buy-(\d+)$/.exec(slot) ?? [];
  if (buy) return say('slot_buy', { number: buy });
  if (part && Object.hasOwn(SLOTS, part)) return say(SLOTS[part], { number, nth });
  if (cell && GRID) return say('cell', { cell: cell[1], cycle: cell[2] });
  return slot === 'open' || slot === 'exit' ? say(slot) : slot;
};

const feeName = (fee) => {
  const [amount, ...asset] = fee.split(' ');
  return `${exact(amount)} ${asset.join(' ')}`;
};

/** The reason runs under its fill, as wide as what is seen of the table, so that a phone shows all of it. */
const whyRow = (fill) => make('tr', { class: 'because' },
  make('td', { colspan: '7' }, make('div', {}, make('span', { class: 'hidden' }, `${say('why')}: `), make('bdi', { lang: 'en' }, fill.why))));

const fillRow = (fill) => make('tr', { class: fill.why ? 'explained' : null },
  make('td', {}, stamp(fill.at)),
  make('td', {}, make('span', { class: fill.buy ? 'side buy' : 'side sell' }, say(fill.buy ? 'buy' : 'sell'))),
  make('td', { class: 'number' }, price(fill.price)),
  make('td', { class: 'number' }, exact(fill.quantity)),
  make('td', { class: 'number quiet' }, feeName(fill.fee)),
  make('td', {}, slotName(fill.slot)),
  make('td', { class: `number ${tone(fill.profit)}` }, known(fill.profit) ? money(fill.profit, { signed: true, unit: false }) : ''));

const chooser = (redraw) => make('div', { class: 'switch', role: 'group', 'aria-label': say('filter') },
  ['all_fills', 'buys', 'sells'].map((which) => make('button', {
    type: 'button', 'aria-pressed': String(shownFills.which === which),
    on: { click: () => { Object.assign(shownFills, { which, page: 0 }); redraw(`[data-which=${which}]`); } }, 'data-which': which,
  }, say(which))));

const pager = (all, redraw) => {
  const last = Math.max(0, Math.ceil(all / ROWS) - 1);
  const go = (page, name) => () => { shownFills.page = Math.min(last, Math.max(0, page)); redraw(`[data-go=${name}]`); };
  const button = (name, key, page, off) => make('button', { type: 'button', 'data-go': name, 'aria-disabled': String(off), on: { click: go(page, name) } }, say(key));
  const from = shownFills.page * ROWS;
  return make('div', { class: 'pager' },
    button('back', 'earlier', shownFills.page - 1, shownFills.page === 0),
    make('span', { 'aria-live': 'polite' }, say('rows', { from: count(Math.min(from + 1, all)), to: count(Math.min(from + ROWS, all)), all: count(all) })),
    button('on', 'later', shownFills.page + 1, shownFills.page === last));
};

const fillsSection = (focus) => {
  if (!FILLS.length) return place('fills', heading('fills'), make('p', { class: 'quiet' }, say('no_fills')));
  const chosen = FILLS.filter((fill) => shownFills.which === 'all_fills' || fill.buy === (shownFills.which === 'buys'));
  const rows = chosen.slice(shownFills.page * ROWS, (shownFills.page + 1) * ROWS);
  const columns = [['time'], ['side'], ['price', QUOTE], ['quantity', BASE], ['fee'], ['slot'], ['profit', QUOTE]];
  const right = new Set(['price', 'quantity', 'fee', 'profit']);
  const left = DATA.fills.left_out;
  place('fills',
    make('div', { class: 'row' }, heading('fills'), chooser(fillsSection)),
    left ? make('p', { class: 'quiet' }, say('fills_left', { shown: count(FILLS.length), all: count(FILLS.length + left) })) : null,
    make('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': say('fills') },
      make('table', { class: 'fills' },
        make('thead', {}, make('tr', {}, columns.map(([key, unit]) =>
          make('th', { scope: 'col', class: right.has(key) ? 'number' : null }, say(key), unit ? make('small', {}, ` ${unit}`) : null)))),
        make('tbody', {}, rows.flatMap((fill) => (fill.why ? [fillRow(fill), whyRow(fill)] : [fillRow(fill)]))))),
    pager(chosen.length, fillsSection));
  if (focus) document.querySelector(`#fills ${focus}`)?.focus();
  return undefined;
};
