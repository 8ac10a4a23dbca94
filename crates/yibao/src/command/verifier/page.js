'use strict';
// Everything on this page is built from texts, never from HTML that came from somewhere.
const given = JSON.parse(document.getElementById('given').textContent);
const program = Uint8Array.from(atob(given.program), (sign) => sign.charCodeAt(0));
const compiled = WebAssembly.compile(program);
const wanted = (navigator.languages ?? [navigator.language]).map((tag) => tag.toLowerCase());
const isOurs = (tag) =>
  tag.startsWith('de') ? 'de' : tag.startsWith('en') ? 'en' : /^zh-(hant|tw|hk|mo)/.test(tag) ? 'zh-Hant' : tag.startsWith('zh') ? 'zh-Hans' : undefined;
let language = wanted.map(isOurs).find((tag) => tag !== undefined) ?? 'en';
let shown = { kind: 'none' };

/** Runs the program with a question; it reads one stream, writes another, and has nothing else. */
async function ask(question) {
  const input = new TextEncoder().encode(JSON.stringify(question));
  let at = 0;
  let output = '';
  let memory;
  const decoder = new TextDecoder();
  const view = () => new DataView(memory.buffer);
  const each = (vectors, count, total, move) => {
    let moved = 0;
    for (let one = 0; one < count; one++) {
      const [place, length] = [0, 4].map((offset) => view().getUint32(vectors + 8 * one + offset, true));
      moved += move(place, length);
    }
    view().setUint32(total, moved, true);
    return 0;
  };
  const system = {
    fd_read: (_, vectors, count, total) =>
      each(vectors, count, total, (place, length) => {
        const part = input.subarray(at, at + length);
        new Uint8Array(memory.buffer).set(part, place);
        at += part.length;
        return part.length;
      }),
    fd_write: (_, vectors, count, total) =>
      each(vectors, count, total, (place, length) => {
        output += decoder.decode(new Uint8Array(memory.buffer, place, length), { stream: true });
        return length;
      }),
    environ_sizes_get: (count, size) => {
      view().setUint32(count, 0, true);
      view().setUint32(size, 0, true);
      return 0;
    },
    environ_get: () => 0,
    proc_exit: (code) => {
      throw new Error(`the program ended with ${code}`);
    },
  };
  const instance = await WebAssembly.instantiate(await compiled, { wasi_snapshot_preview1: system });
  memory = instance.exports.memory;
  instance.exports._start();
  return JSON.parse(output);
}

/** The voucher in a PDF of ours lies there as it is. */
function insideOf(bytes) {
  const text = new TextDecoder('latin1').decode(bytes);
  if (!text.startsWith('%PDF-')) return new TextDecoder().decode(bytes);
  const start = text.indexOf('c2sp.org/tlog-proof@v1\n');
  const end = text.indexOf('\nendstream', start);
  return start < 0 || end < 0 ? undefined : text.slice(start, end);
}

async function check(bytes) {
  const voucher = bytes.length > given.most ? undefined : insideOf(bytes);
  if (voucher === undefined) return { kind: 'wrong', why: bytes.length > given.most ? 'long' : 'pdf' };
  const answer = await ask({ voucher, policies: given.policies });
  return answer.outcome === 'genuine' ? { kind: 'genuine', answer } : { kind: 'wrong', why: answer.why };
}

const t = (key, values = {}) =>
  (given.words[language][key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function notice(look, title, lead) {
  const box = element('section', { className: look }, element('h2', {}, title), element('p', {}, lead));
  box.setAttribute('role', 'status');
  return box;
}

function finding() {
  if (shown.kind === 'none') return [element('p', {}, t('offline.lead'))];
  if (shown.kind === 'wrong') return [notice('bad', t(`wrong.${shown.why}.title`), t(`wrong.${shown.why}`))];
  const { answer } = shown;
  const list = (keys) => element('ul', {}, ...keys.map((key) => element('li', {}, t(key))));
  const worded = (key, plain) => given.words[language][key] ?? plain;
  const facts = answer.facts.flatMap(({ name, value }) => [
    element('dt', {}, worded(`fact.${name}`, name)),
    element('dd', {}, name === 'consent' ? worded(`consent.${value}`, value) : value),
  ]);
  return [
    notice('good', t('good.title'), t('good', answer)),
    element('h2', {}, t('facts')),
    element('dl', {}, ...facts),
    ...(answer.hidden > 0 ? [element('p', {}, t('hidden', { number: answer.hidden }))] : []),
    element('h2', {}, t('proves')),
    list(['proves.1', 'proves.2', 'offline.trust']),
    element('h2', {}, t('not')),
    list(['not.1', 'not.2', 'not.3']),
  ];
}

function form() {
  const file = element('input', { id: 'file', type: 'file' });
  const text = element('textarea', { id: 'text', rows: 8, spellcheck: false });
  const button = element('button', {}, t('form.button'));
  const made = element(
    'form',
    {},
    element('h2', {}, t(shown.kind === 'none' ? 'form' : 'form.again')),
    element('label', { htmlFor: 'file' }, t('form.file')),
    file,
    element('details', {}, element('summary', {}, t('form.paste')), element('label', { htmlFor: 'text' }, t('form.text')), text),
    button,
  );
  made.addEventListener('submit', async (event) => {
    event.preventDefault();
    const [chosen] = file.files;
    const pasted = text.value.trim();
    if (chosen !== undefined) shown = await check(new Uint8Array(await chosen.arrayBuffer()));
    else if (pasted !== '') shown = await check(new TextEncoder().encode(`${pasted}\n`));
    else shown = { kind: 'wrong', why: 'empty' };
    draw();
  });
  return made;
}

function draw() {
  document.documentElement.lang = language;
  document.title = t('title');
  const names = { 'zh-Hans': '简体中文', 'zh-Hant': '繁體中文', en: 'English', de: 'Deutsch' };
  const buttons = Object.entries(names).map(([tag, name]) => {
    const button = element('button', { type: 'button', lang: tag, className: 'quiet' }, name);
    if (tag === language) button.setAttribute('aria-current', 'true');
    button.addEventListener('click', () => {
      language = tag;
      draw();
    });
    return button;
  });
  const nav = element('nav', {}, ...buttons);
  nav.setAttribute('aria-label', t('languages'));
  document.querySelector('main').replaceChildren(element('h1', {}, t('title')), ...finding(), form());
  document.querySelector('footer').replaceChildren(nav, element('p', {}, t('offline.privacy', { logs: given.logs.join(', ') })));
}

draw();
