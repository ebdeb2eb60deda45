// The data of the page, and how figures, times and texts are written in the reader's language.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const TEXTS = read('texts');
const DATA = read('data');
const SUMMARY = DATA.summary;
const MARKET = SUMMARY.market || {};
const QUOTE = MARKET.quote || '';
const BASE = MARKET.base || '';

let language = 'en';

/** The text of a key, its {places} filled in. */
const say = (key, places = {}) =>
  (key.split('.').reduce((found, name) => found?.[name], TEXTS[language]) ?? key).replace(/\{(\w+)\}/g, (all, name) => places[name] ?? all);

const GRID = SUMMARY.strategy === 'grid';

/** As `say`, in the words for strategies that are no grid where there are such. */
const fit = (key, places = {}) => say(!GRID && TEXTS[language].other[key] ? `other.${key}` : key, places);

/** A figure's name and what it means. */
const meaning = (key) => (!GRID && TEXTS[language].figure_other[key]) || TEXTS[language].figure[key];

/** An element with attributes, and children as text or elements; nothing is ever read as markup. */
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'on') for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
};

const known = (value) => value !== null && value !== undefined && value !== '';

const decimal = (value, least, most, sign = 'auto') =>
  new Intl.NumberFormat(language, { minimumFractionDigits: least, maximumFractionDigits: most, signDisplay: sign })
    .format(value).replace('-', '−');

const START = Math.abs(Number(SUMMARY.equity_start ?? 1000));
const PLACES = START >= 100 ? 2 : START >= 1 ? 4 : 8;

/** Quote, with the decimals the investment's size asks for, and more where it would read as nothing. */
const money = (value, { signed = false, unit = true } = {}) => {
  if (!known(value)) return say('unknown');
  const number = Number(value);
  const tiny = number !== 0 && Math.abs(number) < 0.5 * 10 ** -PLACES;
  const figure = decimal(number, PLACES, tiny ? 8 : PLACES, signed ? 'exceptZero' : 'auto');
  return unit && QUOTE ? `${figure} ${QUOTE}` : figure;
};

const share = (value, signed = false) =>
  known(value) ? `${decimal(Number(value) * 100, 2, 2, signed ? 'exceptZero' : 'auto')} %` : say('unknown');
const ratio = (value) => (known(value) ? decimal(Number(value), 2, 2) : say('unknown'));
const count = (value) => (known(value) ? decimal(Number(value), 0, 0) : say('unknown'));
const exact = (value) => (known(value) ? decimal(Number(value), 0, 12) : say('unknown'));
const PRICE_PLACES = String(MARKET.tick ?? '').split('.')[1]?.length ?? 0;
const price = (value) => (known(value) ? decimal(Number(value), Number(MARKET.tick) < 1 ? PRICE_PLACES : 0, 12) : say('unknown'));
const OPEN = SUMMARY.open_position ?? null;
/** A mean price, which lies on no step: rounded to the decimals of one. */
const average = (value) => (MARKET.tick ? decimal(Number(value), PRICE_PLACES, PRICE_PLACES) : decimal(Number(value), 0, 8));
const tone = (value) => (Number(value) > 0 ? 'good' : Number(value) < 0 ? 'bad' : '');

const dates = (options) => new Intl.DateTimeFormat(language, { timeZone: 'UTC', ...options });
const day = (at) => dates({ day: 'numeric', month: 'short', year: 'numeric' }).format(at);
const moment = (at) =>
  dates({ day: '2-digit', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
const stamp = (at) => new Date(at).toISOString().slice(0, 16).replace('T', ' ');
const parsed = (value) => (typeof value === 'number' ? value : Date.parse(value));

/** A column of numbers: the first, then the differences, in units of 10^-decimals. */
const numbers = ({ decimals, first, steps }) => {
  const unit = 10 ** decimals;
  const out = new Float64Array(steps.length + 1);
  let whole = first;
  out[0] = whole / unit;
  steps.forEach((step, place) => { whole += step; out[place + 1] = whole / unit; });
  return out;
};
const texts = ({ values, index }) => index.map((place) => values[place]);
const band = ({ low, high, last }) => ({ low: numbers(low), high: numbers(high), last: numbers(last) });

const CURVES = DATA.curves && {
  start: DATA.curves.start,
  time: numbers(DATA.curves.time).map((seconds) => seconds * 1000),
  price: { open: numbers(DATA.curves.open), low: numbers(DATA.curves.low), high: numbers(DATA.curves.high), last: numbers(DATA.curves.close) },
  equity: band(DATA.curves.equity),
  holding: band(DATA.curves.holding),
  drawdown: numbers(DATA.curves.drawdown),
};

const FILLS = DATA.fills.count ? (() => {
  const columns = Object.fromEntries(['price', 'quantity', 'fee', 'slot', 'profit', 'why'].map((name) => [name, texts(DATA.fills[name])]));
  return [...numbers(DATA.fills.at)].map((seconds, row) => ({
    at: seconds * 1000,
    buy: DATA.fills.side[row] === 'b',
    price: columns.price[row],
    level: Number(columns.price[row]),
    quantity: columns.quantity[row],
    fee: columns.fee[row],
    slot: columns.slot[row],
    profit: columns.profit[row],
    why: columns.why[row],
  }));
})() : [];
