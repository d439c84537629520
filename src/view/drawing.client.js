// Zooms, pans and scrolls the drawing of a chart. Served with `page.client.js`, as one module.

/** The least and the greatest zoom, and the step of a button. */
const ZOOM = { least: 0.1, most: 4, step: 1.25 };

/** The least zoom at which a page opens: captions of 11 px have 9 then. */
const OPENS_AT = 9 / 11;

/** How long a state that has changed is marked, in ms. */
const FLASH = 1200;

const drawing = () => document.querySelector('[data-drawing]');

if (drawing() !== null) {
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  // The style of the body: patches do not touch it.
  const zoomOf = () => Number(document.body.style.getPropertyValue('--zoom')) || 1;
  const zoomTo = (zoom, at) => {
    const frame = drawing();
    const before = zoomOf();
    const next = Math.min(ZOOM.most, Math.max(ZOOM.least, zoom));
    const { x, y } = at ?? { x: frame.clientWidth / 2, y: frame.clientHeight / 2 };
    const [left, top] = [frame.scrollLeft + x, frame.scrollTop + y];
    document.body.style.setProperty('--zoom', next);
    frame.scrollTo((left * next) / before - x, (top * next) / before - y);
  };
  const show = (behavior) => {
    const frame = drawing();
    const state = frame.querySelector('.current:not(.frame)') ?? frame.querySelector('.current');
    if (state === null) return;
    const [box, around] = [state.getBoundingClientRect(), frame.getBoundingClientRect()];
    frame.scrollBy({
      left: box.x + box.width / 2 - around.x - frame.clientWidth / 2,
      top: box.y + box.height / 2 - around.y - frame.clientHeight / 2,
      behavior,
    });
  };
  /** The zoom at which the drawing is as wide as its frame. A large drawing is small as it is: it keeps its size, and is scrolled. */
  const opening = () => {
    const { width, viewBox } = drawing().querySelector('svg');
    const zoom = drawing().clientWidth / width.baseVal.value;
    return width.baseVal.value < viewBox.baseVal.width || zoom < OPENS_AT ? 1 : Math.min(1, zoom);
  };
  const tools = {
    in: () => zoomTo(zoomOf() * ZOOM.step),
    out: () => zoomTo(zoomOf() / ZOOM.step),
    fit: () => {
      const frame = drawing();
      const { width, height } = frame.querySelector('svg');
      const [wide, high] = [width.baseVal.value, height.baseVal.value];
      zoomTo(Math.min(2, frame.clientWidth / wide, frame.clientHeight / high));
    },
    current: () => show(calm.matches ? 'auto' : 'smooth'),
  };
  const keys = {
    '+': tools.in,
    '=': tools.in,
    '-': tools.out,
    0: () => zoomTo(1),
    f: tools.fit,
    c: tools.current,
  };

  /** Shows another part of the chart: the server draws it, and the page is patched. */
  const go = (link) => {
    history.pushState(null, '', link.href);
    refresh();
  };
  addEventListener('popstate', refresh);

  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[data-view]');
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      // An SVG link has an object for its address.
      go({ href: link.getAttribute('href') });
    }
    tools[event.target.closest?.('[data-tool]')?.dataset.tool]?.();
  });
  // On the drawing alone: elsewhere these keys are text or the browser's.
  document.addEventListener('keydown', (event) => {
    if (!drawing().contains(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'i') document.querySelector('.tools [aria-keyshortcuts="i"]')?.click();
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  document.addEventListener(
    'wheel',
    (event) => {
      const frame = drawing();
      if (!event.ctrlKey || !frame.contains(event.target)) return;
      event.preventDefault();
      const { x, y } = frame.getBoundingClientRect();
      zoomTo(zoomOf() * 2 ** (-event.deltaY / 200), { x: event.clientX - x, y: event.clientY - y });
    },
    { passive: false },
  );
  // A mouse pans; a finger scrolls by itself.
  let held;
  document.addEventListener('pointerdown', ({ target, pointerType, button, clientX, clientY }) => {
    const isText = target.closest?.('text, a') != null;
    if (pointerType === 'mouse' && button === 0 && drawing().contains(target) && !isText)
      held = { clientX, clientY };
  });
  document.addEventListener('pointermove', ({ clientX, clientY }) => {
    if (held === undefined) return;
    drawing().scrollBy(held.clientX - clientX, held.clientY - clientY);
    held = { clientX, clientY };
  });
  for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => (held = undefined));

  // A state that becomes current, or is left, is seen to change.
  new MutationObserver((changes) => {
    if (calm.matches) return;
    for (const { target, oldValue } of changes) {
      if (!target.matches('.state') || target.getAttribute('class') === oldValue) continue;
      target.animate([{ opacity: 0.2 }, { opacity: 1 }], { duration: FLASH, easing: 'ease-out' });
    }
  }).observe(document.querySelector('main'), {
    subtree: true,
    attributeFilter: ['class'],
    attributeOldValue: true,
  });
  zoomTo(opening());
  show('auto');
}
