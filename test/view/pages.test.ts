/** Pages as they are sent: which requests get one, and its content. Their behaviour is tested in a browser. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Right } from '../../src/grant.ts';
import { NAMES_SHOWN } from '../../src/view/format.ts';
import { newAddress, newChart } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { holdDefault, send } from '../service.ts';
import { sendAs, tokenFor } from '../tokens.ts';

const CHART = 'initial: a\nstates: {a: {on: {update: {target: b, quorum: 2}}}, b: {type: final}}';
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

beginAtNoon();

async function typeOf(path: string, accept?: string): Promise<string | null> {
  const headers = accept === undefined ? {} : { Accept: accept };
  const response = await send('GET', path, { headers });
  expect(response.headers.get('Vary')).toBe('Accept');
  return response.headers.get('Content-Type');
}

describe('a machine and a tenant', async () => {
  const address = await newChart(CHART);

  it.each([`/${address}`, `/${address.split('/')[0]}`])(
    'are a page for a browser, and data for programs: %s',
    async (path) => {
      await send('GET', `/${address}`);
      for (const accept of [BROWSER, 'text/html', 'application/json;q=0.5, text/html']) {
        expect(await typeOf(path, accept)).toBe('text/html;charset=UTF-8');
      }
      for (const accept of [
        undefined,
        '*/*',
        'application/json',
        'application/json, text/html;q=0.5',
        'text/plain',
      ]) {
        expect(await typeOf(path, accept)).toBe('application/json');
      }
    },
  );

  it('cannot be framed, and load only their own files', async () => {
    const response = await send('GET', `/${address}`, { headers: { Accept: BROWSER } });
    expect(response.headers.get('Content-Security-Policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    const text = await response.text();
    expect(text).toMatch(/^<!doctype html><html lang="en">/);
    expect(text).not.toMatch(/<style|<script>|\son\w+="|\sstyle="/);
    for (const path of ['/page.js', '/page.css']) {
      expect(text).toContain(`"${path}"`);
      expect((await send('GET', path)).status).toBe(200);
    }
  });
});

describe('a list of names on a page', () => {
  const MANY = 250;
  const page = async (address: string) =>
    (await send('GET', `/${address}`, { headers: { Accept: BROWSER } })).text();

  it('of holders ends after a hundred, and the buttons have none of them', async () => {
    const address = await newChart(
      `initial: a\nstates: {a: {slots: ${MANY}, on: {update: {target: b, quorum: ${MANY}}}}, b: {}}`,
    );
    for (let i = 0; i < MANY; i++) await send('POST', `/${address}/claims?state=a&by=host-${i}`);
    const text = await page(address);
    expect(text.match(/, lease ends/g)).toHaveLength(NAMES_SHOWN);
    expect(text).not.toContain('data-slots');
    expect(text).toContain(`${MANY} of ${MANY} slots of a`);
    expect(text).toContain(`and ${MANY - NAMES_SHOWN} more`);
  });

  it('of callers ends after a hundred', async () => {
    const address = await newChart(
      `initial: a\nstates: {a: {on: {update: {target: b, quorum: 1000}}}, b: {}}`,
    );
    for (let i = 0; i < NAMES_SHOWN + 1; i++) await send('PUT', `/${address}/state?state=a&by=host-${i}.`);
    const text = await page(address);
    expect(text).toContain(`update at a: ${NAMES_SHOWN + 1} of 1000`);
    expect(text).toContain(`${NAMES_SHOWN + 1} reported: `);
    expect(text.match(/<li data-key="by host-\d+\.">/g)).toHaveLength(NAMES_SHOWN);
    expect(text).toContain('<li>and 1 more</li>');
  });
});

describe('a page', () => {
  it('shows whether the windows of the current states are open, and until when', async () => {
    const chart = 'initial: a\nstates: {a: {window: W, on: {update: b}}, b: {}}';
    const pageOf = async (window: string) => {
      const windowed = await newChart(chart.replace('window: W, ', window));
      return (await send('GET', `/${windowed}`, { headers: { Accept: BROWSER } })).text();
    };
    expect(await pageOf('window: {cron: 0 0 * * *, for: 1d}, ')).toMatch(
      /◷ a: open, closes at [\d:-]+[^<]* UTC, <time [^>]*>in \d+/,
    );
    expect(await pageOf('window: {cron: 0 0 29 2 *, for: 1m}, ')).toMatch(
      /◷ a: closed, opens at [\d:-]+[^<]* UTC, <time [^>]*>in \d+/,
    );
    expect(await pageOf('')).not.toContain('◷');
    // What is inside has the same windows, and is not named again.
    const inside = await pageOf('initial: x, states: {x: {}}, window: {cron: 0 0 * * *, for: 1d}, ');
    expect([...inside.matchAll(/◷ ([\w.]+): open/g)].map(([, state]) => state)).toEqual(['a']);
  });

  it('names who is missing once for all counts of a state', async () => {
    const address = await newChart(
      'initial: a\nstates: {a: {on: {update: {target: b, quorum: all}, fail: {target: c, quorum: 2}}}, b: {}, c: {}}',
    );
    const headers = { 'Content-Type': 'text/plain' };
    await send('PUT', `/${address}/members`, { body: 'web-1\nweb-2\n', headers });
    const text = await (await send('GET', `/${address}`, { headers: { Accept: BROWSER } })).text();
    expect(text.match(/missing: /g)).toHaveLength(1);
  });

  it('is refused as one where there is no machine, under the same status', async () => {
    const response = await send('GET', `/${newAddress()}`, { headers: { Accept: BROWSER } });
    expect([response.status, response.headers.get('Content-Type')]).toEqual([404, 'text/html;charset=UTF-8']);
    expect(await response.text()).toContain('No chart has been put at');
  });

  it('has the buttons that its reader may press', async () => {
    const address = await newChart(CHART);
    const buttons = async (...can: Right[]) => {
      const headers = { Accept: BROWSER };
      const text = await (
        await sendAs(await tokenFor(address, ...can), 'GET', `/${address}`, { headers })
      ).text();
      return [...text.matchAll(/<button type="button"[^>]*? data-method="(\w+)" data-path="([^"]*)"/g)].map(
        ([, method, path = '']) => `${method} ${path.slice(address.length + 1)}`,
      );
    };
    expect(await buttons('read')).toEqual([]);
    expect(await buttons('read', 'update')).toEqual(['PUT /state?state=a&amp;event=update']);
    expect(await buttons('read', 'operate')).toEqual(['POST /pause', 'POST /override']);
    expect(await buttons('read', 'admin')).toEqual(['POST /reset', 'DELETE ']);
    expect(await buttons('read', 'update', 'operate', 'admin')).toHaveLength(5);
    await send('POST', `/${address}/pause`);
    expect(await buttons('read', 'operate')).toContain('POST /resume');
    await send('POST', `/${address}/resume`);
  });

  it('shows the beginning and the end of a report’s data, as text', async () => {
    const address = await newChart(CHART);
    const body = JSON.stringify({ note: '<b onclick="x">', log: 'x'.repeat(500), end: 7 });
    await send('PUT', `/${address}/state?state=a&by=a`, { body });
    const text = await (await send('GET', `/${address}`, { headers: { Accept: BROWSER } })).text();
    const [, shown = ''] = /<p class="soft">(\{.*?)<\/p>/s.exec(text) ?? [];
    expect(shown).toMatch(/^\{&quot;note&quot;:&quot;&lt;b onclick=.*…x+&quot;,&quot;end&quot;:7\}$/);
    expect(text).not.toContain('<b onclick');
    expect(text).not.toContain('x'.repeat(100));
  });

  it('says of each timer which state it leaves, and for which', async () => {
    const address = await newChart(
      'initial: a\nstates:\n  a: {entry: [{raise: {event: ping, delay: 1000000}}], after: {2h: b}, on: {ping: b}}\n  b: {type: final}\n',
    );
    const text = await (await send('GET', `/${address}`, { headers: { Accept: BROWSER } })).text();
    const [, timers = ''] = /<h2 id="timers">(.*?)<\/section>/s.exec(text) ?? [];
    expect(timers).toMatch(/<li [^>]*>ping at [\d: -]+ UTC, <time/);
    expect(timers).toMatch(/<li [^>]*>a → b at [\d: -]+ UTC, <time/);
  });

  const textOf = async (address: string) =>
    (await send('GET', `/${address}`, { headers: { Accept: BROWSER } })).text();

  it('says what the current states mean, and who has reported what and when', async () => {
    const address = await newChart(
      'initial: a\nstates:\n  a:\n    description: Three hosts first.\n    on: {update: {target: b, quorum: 3}, fail: {actions: {assign: {n: 1}}}}\n  b: {}\n',
    );
    await send('PUT', `/${address}/state?state=a&by=web-01`);
    await send('PUT', `/${address}/state?state=a&event=fail&by=web-02`);
    const text = await textOf(address);
    expect(text).toContain('Three hosts first.');
    expect(text).toMatch(/update at a: 1 of 3.*reported: .*web-01 \(<time [^>]*>0s ago<\/time>\)/s);
    expect(text).toMatch(/fail at a: 1 report.*reported: .*web-02 \(<time/s);
    expect(text).toMatch(/<h2 id="context">.*n: 1/s);
  });

  it('says of each action where it leads, with the present value of its guard, and its curl', async () => {
    const address = await newChart(
      'initial: a\ncontext: {n: 0}\nstates:\n  a:\n    on:\n      fail:\n        - {target: b, guard: context.n >= 1}\n        - {actions: {assign: {n: context.n + 1}}}\n      judge: {target: b, guard: event.data.errors > 5}\n      update: {target: b, quorum: 3}\n      skip: {target: b, guard: in_state("a")}\n  b: {}\n',
    );
    const shown = async () => (await textOf(address)).replaceAll('&gt;', '>').replaceAll('&quot;', '"');
    const before = await shown();
    expect(before).toContain('→ b, if context.n >= 1 (now false)</p><p class="soft">otherwise stays</p>');
    expect(before).toContain('→ b, if event.data.errors > 5 (depends on the report)');
    expect(before).toContain('→ b, at 3 (now 0)');
    expect(before).toContain('→ b, if in_state("a") (now true)');
    expect(before).toContain(
      `curl -sf -X PUT &#39;https://service.test/${address}/state?state=a&amp;event=fail&amp;by=NAME&#39;`,
    );
    await send('PUT', `/${address}/state?state=a&event=fail&by=web-02`);
    expect(await shown()).toContain('→ b, if context.n >= 1 (now true)');
  });

  it('has the token and its name in the curl of a reader with a token', async () => {
    const address = await newChart(CHART);
    const token = await tokenFor(address, 'read', 'update');
    const text = await (await sendAs(token, 'GET', `/${address}`, { headers: { Accept: BROWSER } })).text();
    expect(text).toMatch(/-H &quot;Authorization: Bearer \$TOKEN&quot; &#39;[^<]*by=tester&#39;/);
  });

  it('keeps what leads to failure apart from what goes on, with what destroys and in its colour', async () => {
    const address = await newChart(
      'initial: a\nstates:\n  a: {on: {abort: gone, retry: a, fail: [{target: back, quorum: 2}], worse: [{target: back, guard: event.data.n > 1}, {actions: [{assign: {n: 1}}]}], either: [{target: back, guard: "false"}, {target: b}], update: b}}\n  b: {type: final}\n  back: {on: {update: gone, skip: gone}}\n  gone: {type: final, tags: [failed]}\n',
    );
    const events = async () => {
      const [, actions = '', ends = ''] =
        /<h2 id="actions">(.*)<h2 id="ends">(.*?)<\/section>/s.exec(await textOf(address)) ?? [];
      expect(ends).toMatch(/data-key="reset".*data-key="delete"/s);
      return [actions, ends].map((text) =>
        [...text.matchAll(/<button type="button"(?: class="(\w+)")? data-key="\w+\n(\w+)"/g)].map(
          ([, kind = 'plain', event]) => `${kind} ${event}`,
        ),
      );
    };
    // One of several failures leads there as well, and so does one that may stay.
    expect(await events()).toEqual([
      ['plain update', 'plain retry', 'plain either'],
      ['stop abort', 'stop fail', 'stop worse'],
    ]);
    // All is lost already, and an update goes on.
    await send('POST', `/${address}/override?to=back&reason=test`);
    expect(await events()).toEqual([['plain update'], ['stop skip']]);
  });

  it('folds the events that the chart raises itself, and says so', async () => {
    const address = await newChart(
      'initial: a\nstates:\n  a:\n    type: parallel\n    on: {update: {quorum: 2, actions: [{raise: enough}]}, abort: b}\n    states: {work: {}, success: {initial: open, states: {open: {on: {enough: "#b"}}}}}\n  b: {id: b, type: final}\n',
    );
    const text = await textOf(address);
    const [, plain = '', folded = ''] =
      /<h2 id="actions">(.*?)<li data-key="raised"><details>(.*?)<\/details><\/li><\/ul><p class="soft" data-key="name-row"/s.exec(
        text,
      ) ?? [];
    const events = (part: string) =>
      [...part.matchAll(/data-key="[\w.]+\n(\w+)"/g)].map(([, event]) => event);
    expect([events(plain), events(folded)]).toEqual([['update', 'abort'], ['enough']]);
    expect(folded).toContain('<summary>Raised by the chart: enough</summary>');
    expect(folded).toContain('The chart raises this event itself');
    expect(folded).toContain('<button type="button" class="quiet" data-key="a.success.open\nenough"');
    expect(folded).toContain('event=enough&amp;by=NAME&#39;');
  });

  it('names update before other events, in the counts and in the actions', async () => {
    const address = await newChart(
      'initial: a\nstates:\n  a:\n    initial: b\n    on: {fail: {target: d, quorum: 2}}\n    states: {b: {on: {again: b, update: {target: c, quorum: 3}}}, c: {}}\n  d: {}\n',
    );
    const text = await textOf(address);
    const counts = [...text.matchAll(/<label>(\w+) at [\w.]+: 0 of/g)].map(([, event]) => event);
    const actions = [...text.matchAll(/data-key="[\w.]+\n(\w+)"/g)].map(([, event]) => event);
    expect([counts, new Set(actions)]).toEqual([['update', 'fail'], new Set(['update', 'fail', 'again'])]);
    expect(actions[0]).toBe('update');
  });

  it('folds all but the first names of a list, of holders, callers and missing members, and breaks names between their parts', async () => {
    const address = await newChart(
      'initial: work\nstates: {work: {initial: on, states: {on: {slots: 20, on: {update: {target: "#end", quorum: all}}}}}, end: {id: end}}\n',
    );
    const hosts = Array.from({ length: 20 }, (_, i) => `host-${String(i + 1).padStart(2, '0')}`);
    const headers = { 'Content-Type': 'text/plain' };
    await send('PUT', `/${address}/members`, { body: hosts.join('\n'), headers });
    expect(await textOf(address)).toContain('→ work.<wbr/>on');
    const lists = async () => {
      const text = await textOf(address);
      const found = text.matchAll(
        /(\d+ (?:reported|missing):|\d+ of 20 slots of work.on<\/p>) ?<ul class="\w+">(.*?)<\/ul>(?:<details data-key="more [\w.]+"><summary>(.*?)<\/summary><ul class="\w+">(.*?)<\/ul>)?/gs,
      );
      const count = (items = '') => items.split('<li').length - 1;
      return [...found].map(([, title, first, summary = '-', rest]) =>
        [title, count(first), summary, count(rest)].join(' '),
      );
    };
    expect(await lists()).toEqual(['20 missing: 5 and 15 more 15', '0 of 20 slots of work.on</p> 0 - 0']);
    for (const host of hosts.slice(0, 7)) await send('POST', `/${address}/claims?state=work.on&by=${host}`);
    for (const host of hosts.slice(0, 6)) await send('PUT', `/${address}/state?state=work.on&by=${host}`);
    for (const host of hosts.slice(7, 14)) await send('POST', `/${address}/claims?state=work.on&by=${host}`);
    expect(await lists()).toEqual([
      // One more than the first is shown.
      '6 reported: 6 - 0',
      '14 missing: 5 and 9 more 9',
      '8 of 20 slots of work.on</p> 5 and 3 more 3',
    ]);
  });

  it('says who has paused the machine and why, and that its timers stand still', async () => {
    const address = await newChart('initial: a\nstates: {a: {after: {2h: b}}, b: {}}');
    await send('POST', `/${address}/pause?by=ann&reason=disk+full`);
    const text = await textOf(address);
    expect(text).toContain('‖ Paused</h2><p>by ann: disk full</p>');
    expect(text).toContain('a → b: stands still during the pause');
    expect(text).not.toContain(' left</tspan>');
  });

  it('marks a deadline, which leads to failure alone, once most of its time is over', async () => {
    vi.setSystemTime(NOON);
    const address = await newChart(
      'initial: a\nstates:\n  a: {after: {2h: bad, 3h: good}}\n  good: {type: final}\n  bad: {on: {update: failed}}\n  failed: {type: final, tags: [failed]}\n',
    );
    const marks = async () =>
      [...(await textOf(address)).matchAll(/<li( class="late")?( data-deadline="\d+")? data-at/g)].map(
        ([, late, deadline]) => [late !== undefined, deadline !== undefined],
      );
    expect(await marks()).toEqual([
      [false, true],
      [false, false],
    ]);
    vi.setSystemTime(NOON + 100 * 60_000);
    expect(await marks()).toEqual([
      [true, true],
      [false, false],
    ]);
  });

  it('at the root says what this is, with the service’s own machine or without', async () => {
    onTestFinished(await holdDefault(CHART));
    await send('DELETE', '/');
    const text = await (await send('GET', '/', { headers: { Accept: BROWSER } })).text();
    expect(text).toContain('A state machine as a service');
    expect(text).toContain('curl -sf -X PUT &#39;https://service.test/state?state=a&amp;by=me&#39;');
    expect(text).toContain('data-watch="/watch"');
  });
});

describe('the editors of a chart and of members', () => {
  it('have the same text area, which keeps the first line and is not spelled', async () => {
    const address = await newChart(`\n${CHART}`);
    await send('PUT', `/${address}/members`, { body: 'web-1\n', headers: { 'Content-Type': 'text/plain' } });
    const editors = async (path: string) => {
      const text = await (await send('GET', `/${address}${path}`, { headers: { Accept: BROWSER } })).text();
      const [, area = ''] = /<div class="lines">(.*?)<\/textarea><\/div>/s.exec(text) ?? [];
      const [, tag = '', content = ''] = /^(.*?<textarea[^>]*>)(.*)$/s.exec(area) ?? [];
      expect(text).toMatch(/<label for="text">/);
      expect(text).toMatch(/<input type="file" accept="[^"]+" class="unseen" data-opens="text"/);
      return { tag: tag.replace(/ (?:rows|data-check)="[^"]*"/g, ''), content };
    };
    const [chart, members] = [await editors('/chart/edit'), await editors('/members')];
    expect(chart.tag).toBe(members.tag);
    expect(chart.tag).toContain('spellcheck="false"');
    expect([chart.content, members.content]).toEqual([`\n\n${CHART}`, '\nweb-1\n']);
  });
});

describe('a tenant’s page', () => {
  it('is filtered by the query', async () => {
    const address = await newChart(CHART);
    const [tenant = '', chart = ''] = address.split('/');
    await send('GET', `/${address}`);
    await send('PUT', `/${address}@done/state?state=a&by=a`);
    await send('PUT', `/${address}@done/state?state=a&by=b`);
    const rows = async (query: string) => {
      const response = await send('GET', `/${tenant}?chart=${chart}&${query}`, {
        headers: { Accept: BROWSER },
      });
      return [...(await response.text()).matchAll(/<td(?: class="run")?><a href="\/([^"]+)"/g)].map(
        ([, name]) => name,
      );
    };
    expect(await rows('')).toEqual([address, `${address}@done`]);
    expect(await rows('state=b')).toEqual([`${address}@done`]);
    expect(await rows('q=DONE')).toEqual([`${address}@done`]);
    expect(await rows('q=nothing')).toEqual([]);
  });
});

describe('the hooks of a machine on its page', () => {
  const page = async (notify: string) => {
    const address = await newChart(`initial: a\nnotify: ${notify}\nstates: {a: {on: {update: b}}, b: {}}`);
    const text = await (await send('GET', `/${address}`, { headers: { Accept: BROWSER } })).text();
    return text.replaceAll(address, 'ADDRESS');
  };

  it('are a line with a link, which says what is wrong', async () => {
    const link = '<a href="/ADDRESS/notifications">Notifications</a>';
    expect(await page('[{on: b, to: OPS}]')).toContain(`<p data-part="notifications">${link} to OPS</p>`);
    expect(await page('[{on: b, to: OPS}, {on: b, to: NONE}]')).toContain(
      `<p data-part="notifications" class="late">${link} to NONE, OPS: HOOK_NONE is not set</p>`,
    );
  });

  it('are no line without them', async () => {
    expect(await page('[]')).not.toContain('Notifications');
  });
});
