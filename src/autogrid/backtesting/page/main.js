// Puts the page together, in the reader's language and colours.

const buys = FILLS.filter((fill) => fill.buy).length;
const least = (values) => values.reduce((low, value) => Math.min(low, value), Infinity);
const most = (values) => values.reduce((high, value) => Math.max(high, value), -Infinity);

const CHART_SAYS = {
  price: () => say(LINES.length ? 'price_says' : 'other.price_says', { low: price(least(CURVES.price.low)), high: price(most(CURVES.price.high)), lines: count(LINES.length), buys: count(buys), sells: count(FILLS.length - buys) }),
  equity: () => say('equity_says', { start: money(SUMMARY.equity_start), end: money(SUMMARY.equity_end), hold: money(START + Number(SUMMARY.hold_profit)) }),
  fall: () => say('fall_says', { fall: share(SUMMARY.max_drawdown) }),
};
const KEYS = { price: ['price', 'buy', 'sell'], equity: ['bot', 'holding'], fall: [] };
const MARKS = { price: 'price', buy: 'buy', sell: 'sell', bot: 'bot', holding: 'hold' };

const chartsSection = () => {
  if (!CURVES) return;
  const section = document.getElementById('charts');
  section.hidden = false;
  const button = (id, text, act, label = null) => make('button', { type: 'button', id, 'aria-label': label, on: { click: act } }, text);
  const spans = SPANS.filter(([, days]) => days === Infinity || days * 1440 * MINUTE < WHOLE.to - WHOLE.from);
  const toEnd = (days) => () => (days === Infinity ? show(WHOLE.from, WHOLE.to) : show(view.to - days * 1440 * MINUTE, view.to));
  place('charts',
    make('div', { class: 'row' }, heading('charts'),
      make('span', { class: 'tools' },
        make('span', { class: 'switch', role: 'group', 'aria-label': say('span') }, spans.map(([name, days]) => button(`span-${name}`, say(name), toEnd(days)))),
        make('span', { class: 'switch' }, button('zoom-out', '−', () => zoom(2), say('zoom_out')), button('zoom-in', '+', () => zoom(0.5), say('zoom_in'))))),
    make('p', { class: 'readout', id: 'readout' }),
    make('div', { class: 'panels', tabindex: '0', role: 'group', 'aria-label': `${say('charts')}. ${say('chart_help')}`, 'aria-describedby': 'readout', on: { keydown: onKey } },
      PANELS.map(([name, key]) => make('figure', {},
        make('figcaption', {}, make('strong', {}, say(key)), KEYS[name].map((each) => make('span', { class: `key ${MARKS[each]}` }, say(each)))),
        make('canvas', { id: `chart-${name}`, role: 'img', 'aria-label': CHART_SAYS[name]() })))),
    make('canvas', { id: 'overview', role: 'img', 'aria-label': say('overview') }),
    make('p', { class: 'quiet small' }, say('chart_help'), ' ',
      DATA.curves.candles_per_point > 1 ? say('points', { count: count(DATA.curves.candles_per_point) }) : ''));
  PANELS.forEach(([name]) => handle(document.getElementById(`chart-${name}`), name));
  handleOverview(document.getElementById('overview'));
  paintCharts();
};

const THEMES = ['auto', 'light', 'dark'];
let theme = 'auto';

const chooseTheme = (name) => {
  theme = THEMES.includes(name) ? name : 'auto';
  document.documentElement.dataset.theme = theme;
  topBar(`#theme-${theme}`);
  if (CURVES) redraw();
};

const chooseLanguage = (name) => {
  language = TEXTS[name] ? name : 'en';
  document.documentElement.lang = language;
  document.querySelectorAll('[data-text]').forEach((element) => { element.textContent = say(element.dataset.text); });
  document.querySelectorAll('[data-label]').forEach((element) => element.setAttribute('aria-label', say(element.dataset.label)));
  [hero, notes, chartsSection, sources, honesty, figures, setup].forEach((draw) => draw());
  fillsSection();
  topBar(`#language-${language}`);
};

const topBar = (focus) => {
  const held = document.activeElement?.closest?.('.switches');
  const option = (id, text, on, act) => make('button', { type: 'button', id, 'aria-pressed': String(on), on: { click: act } }, text);
  place('languages', Object.keys(TEXTS).map((name) => option(`language-${name}`, name === 'en' ? 'EN' : 'PT', language === name, () => chooseLanguage(name))));
  place('themes', THEMES.map((name) => option(`theme-${name}`, say(`theme_${name}`), theme === name, () => chooseTheme(name))));
  if (held) document.querySelector(focus)?.focus();
};

const asked = new URLSearchParams(window.location.search);
chooseTheme(asked.get('theme') ?? 'auto');
chooseLanguage(asked.get('lang') ?? (navigator.language?.startsWith('pt') ? 'pt-BR' : 'en'));
window.addEventListener('resize', () => CURVES && redraw());
window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => CURVES && redraw());
