/** `diagram.svg` and `diagram.mmd`: the chart, with the current states highlighted. */
import { describe, expect, it, vi } from 'vitest';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { claim, put, upload } from '../objects/callers.ts';
import { bodyOf, problemOf, report, send, statusOf } from '../service.ts';

const CHART = `
initial: canary
states:
  canary:
    description: Three machines have it.
    on: {update: {target: regions, quorum: 3}, fail: {target: back, guard: context.n > 1}}
    after: {2h: back}
  regions:
    type: parallel
    states:
      eu: {initial: drain, states: {drain: {on: {update: done}}, done: {type: final}, h: {type: history, history: deep}}}
      us: {slots: 2, window: {cron: 0 2 * * 1-5, for: 4h, zone: Europe/Berlin}}
    onDone: released
  back: {on: {note: {actions: [{assign: {n: 1}}]}}}
  released: {type: final}
context: {n: 0}
`;

beginAtNoon();

async function svgOf(address: string): Promise<string> {
  const response = await send('GET', `/${address}/diagram.svg`);
  if (response.status !== 200) throw new Error(`the status is ${response.status}`);
  return response.text();
}

async function mermaidOf(address: string): Promise<string> {
  return (await send('GET', `/${address}/diagram.mmd`)).text();
}

/** The states of a picture, with the classes of each. */
function statesOf(svg: string): Record<string, string> {
  const found = [...svg.matchAll(/<g class="state ([^"]*)" data-state="([^"]*)"/g)];
  return Object.fromEntries(found.map(([, classes = '', name = '']) => [name, classes.trim()]));
}

describe('a picture', () => {
  it('draws every state by its type, and highlights the current ones', async () => {
    const address = await newChart(CHART);
    expect(statesOf(await svgOf(address))).toEqual({
      canary: 'atomic current',
      regions: 'frame parallel idle',
      'regions.eu': 'frame compound idle',
      'regions.eu.drain': 'atomic idle',
      'regions.eu.done': 'final idle',
      'regions.eu.h': 'history',
      'regions.us': 'atomic idle',
      back: 'atomic idle',
      released: 'final idle',
    });
    for (const by of ['a', 'b', 'c']) await put(address, 'canary', { by });
    expect(statesOf(await svgOf(address))).toMatchObject({
      canary: 'atomic visited',
      regions: 'frame parallel current',
      'regions.eu.drain': 'atomic current',
      'regions.us': 'atomic current',
      back: 'atomic idle',
    });
  });

  it('labels each arrow with its event, its count and the time left', async () => {
    const address = await newChart(CHART);
    await report(address, 'canary');
    vi.setSystemTime(NOON + 30 * 60_000);
    const svg = await svgOf(address);
    const texts = [...svg.matchAll(/<text class="caption"[^>]*>(.*?)<\/text>/g)].map(([, text = '']) =>
      text.replace(/<[^>]*>/g, ' ').trim(),
    );
    expect(texts).toEqual(
      expect.arrayContaining([
        'update 1 of 3',
        'fail [context.n &gt; 1]',
        'after 2h 1h 30m left',
        'note / n',
        '2 slots',
        '◷ 0 2 * * 1-5, 4h, Europe/Berlin',
        'done',
      ]),
    );
    await put(address, 'canary', { event: 'update' });
    await put(address, 'canary', { event: 'update' });
    const later = await svgOf(address);
    expect(later).toContain('3×');
    expect(later).not.toContain('left');
  });

  it('shows the inputs of the run in place of their names', async () => {
    const chart = newAddress();
    await upload(
      chart,
      `
inputs: {soak: 30m, batch: 5, machines: 3}
initial: a
states:
  a: {slots: inputs.batch, on: {update: {target: b, quorum: inputs.machines}}, after: {inputs.soak: b}}
  b: {on: {update: {target: a, quorum: inputs.machines}}, after: {inputs.soak: a}}
`,
    );
    await send('POST', `/${chart}@1/start?soak=90s&machines=1000000`);
    const textsOf = async (address: string) =>
      [...(await svgOf(address)).matchAll(/<text class="caption"[^>]*>(.*?)<\/text>/g)].map(([, text = '']) =>
        text.replace(/<tspan[^>]* dx="5"[^>]*>/g, ' ').replace('</tspan>', ''),
      );
    expect(await textsOf(`${chart}@1`)).toEqual([
      '5 at a time',
      'update 0 of 1000000',
      'after 1m 30s 1m 30s left',
      'update 1000000×',
      'after 1m 30s',
    ]);
    expect(await textsOf(chart)).toContain('update 3×');
    const mermaid = await mermaidOf(`${chart}@1`);
    expect(mermaid).toContain(' : update (1000000×) | after 1m 30s');
    expect(mermaid).not.toContain('inputs.');
  });

  it.each([
    // An update that is not counted has no number.
    [0, 1, ''],
    [5, 6, ''],
    [0, 3, '3×'],
    [5, 8, '3×'],
    [-3, 0, '3×'],
    [0.5, 2.5, '2×'],
    [-3, -1, '2×'],
    [0.3, 2.3, '2×'],
    // Never met.
    [0.1, 0.3, '0.3×'],
    [3, 1, '1×'],
    [4, 4, '4×'],
  ])('counts the updates of a sequence from its first value: %d to %d is %s', async (from, until, times) => {
    const address = await newChart(sequence(counting('a', 'b'), counting('b', 'c', until, from), final('c')));
    const [first, second] = [...(await svgOf(address)).matchAll(/<text class="caption"[^>]*>(.*?)<\/text>/g)];
    expect([first, second].map((found) => found?.[1]?.replace(/<[^>]*>/g, ''))).toEqual([
      'update',
      `update${times}`,
    ]);
    const mermaid = times === '' ? 'update' : `update (${times})`;
    expect(await mermaidOf(address)).toContain(`  s2 --> s3 : ${mermaid}\n`);
    await report(address, 'a');
    const current = times === '' ? 'update' : `update${from} of ${until}`;
    expect((await svgOf(address)).replace(/<[^>]*>/g, '')).toContain(current);
  });

  it('has a text alternative', async () => {
    const address = await newChart(CHART);
    const svg = await svgOf(address);
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"[^>]* role="img" aria-labelledby="(\S+) (\S+)">/,
    );
    expect(svg).toContain(`<title id="diagram-title">${address}</title>`);
    expect(svg).toContain('A state chart of 9 states. Current: canary. Revision 1.</desc>');
    expect(svg).toContain('<title>canary: Three machines have it.: current</title>');
  });

  it('has no script, no reference and only its own style, and may be embedded elsewhere', async () => {
    const address = await newChart(CHART);
    const response = await send('GET', `/${address}/diagram.svg`);
    const svg = await response.text();
    const style = /<style>(.*?)<\/style>/s.exec(svg)?.[1] ?? '';
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
    const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
    expect(response.headers.get('Content-Type')).toBe('image/svg+xml');
    expect(response.headers.get('Content-Security-Policy')).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; frame-ancestors 'none'`,
    );
    expect(response.headers.get('Cross-Origin-Resource-Policy')).toBe('cross-origin');
    expect(response.headers.get('ETag')).toBe('"1"');
    expect(svg).not.toMatch(/<script|javascript:|href=|\son\w+=/);
  });

  it('shows the chart that the machine runs', async () => {
    const address = newAddress();
    await upload(address, 'initial: a\nstates: {a: {on: {update: b}}, b: {}}');
    expect(Object.keys(statesOf(await svgOf(address)))).toEqual(['a', 'b']);
    await upload(address, 'initial: x\nstates: {x: {}}');
    expect(Object.keys(statesOf(await svgOf(address)))).toEqual(['x']);
  });

  it('changes only its revision with a claim', async () => {
    const address = await newChart('initial: a\nstates: {a: {slots: 1, on: {update: b}}, b: {}}');
    const before = await svgOf(address);
    expect(before).toContain('>1 slot<');
    await claim(address, 'a', 'me');
    expect((await svgOf(address)).replace('Revision 2', 'Revision 1')).toBe(before);
  });

  it.each(['diagram.svg', 'diagram.mmd'])('is 404 where there is no chart: %s', async (path) => {
    const response = await send('GET', `/${newAddress()}/${path}`);
    expect(response.status).toBe(404);
    expect((await problemOf(response)).type).toBe('urn:stateservice:problem:no-chart');
  });
});

describe('a final state', () => {
  const ENDS = `
initial: work
states:
  work: {on: {update: done, abort: aborted}}
  done: {type: final}
  aborted: {type: final, tags: [failed]}
`;

  it('tagged as failed has a cross, and is `failed` in the status and in the tenant’s list', async () => {
    const address = await newChart(ENDS);
    expect(await statusOf(address)).toMatchObject({ status: 'active', tags: [] });
    expect(statesOf(await svgOf(address))).toEqual({
      work: 'atomic current',
      done: 'final idle',
      aborted: 'final failed idle',
    });
    await put(address, 'work', { event: 'abort' });
    expect(await statusOf(address)).toMatchObject({ status: 'done', tags: ['failed'] });
    const svg = await svgOf(address);
    expect(statesOf(svg)).toEqual({
      work: 'atomic visited',
      done: 'final idle',
      aborted: 'final failed current',
    });
    expect(svg).toContain('>✗</text>');
    expect(svg).not.toContain('✓');
    const [tenant = '', chart = ''] = address.split('/');
    const list = `/${tenant}?chart=${chart}`;
    expect(await (await send('GET', list)).json()).toMatchObject({ machines: [{ tags: ['failed'] }] });
    const page = await (await send('GET', list, { headers: { Accept: 'text/html' } })).text();
    expect(page).toContain('<span class="failed">✗ failed</span>');
    expect(await mermaidOf(address)).toMatch(
      /state "✗ aborted" as s3.*classDef left .*classDef failed .*class s1 left\n {2}class s3 failed\n/s,
    );
  });

  it('without that tag has a tick once it is current', async () => {
    const address = await newChart(ENDS);
    await put(address, 'work');
    const svg = await svgOf(address);
    expect(statesOf(svg)).toMatchObject({ done: 'final current', aborted: 'final failed idle' });
    expect(svg).toContain('>✓</text>');
    const page = await (await send('GET', `/${address}`, { headers: { Accept: 'text/html' } })).text();
    expect(page).toContain(`<title>✓ done · ${address}</title>`);
  });
});

describe('Mermaid', () => {
  it('shows the same chart', async () => {
    const address = await newChart(CHART);
    expect(await mermaidOf(address)).toBe(`stateDiagram-v2
  state "canary" as s1
  state "regions" as s2 {
    state "eu" as s3 {
      state "drain" as s4
      state "done" as s5
      state "H#42;" as s6
      [*] --> s4
      s5 --> [*]
      s4 --> s5 : update
    }
    --
    state "us" as s7
  }
  state "back" as s8
  state "released" as s9
  [*] --> s1
  s9 --> [*]
  s1 --> s2 : update (3×)
  s1 --> s8 : fail #91;context.n #62; 1#93; | after 2h
  s2 --> s9 : done
  classDef current fill:#0b57d0,color:#fff,stroke:#0b57d0
  class s1 current
`);
  });
});

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  ']]></style></svg>',
  'it\'s `quoted` "twice"',
  '\u202e\u05d0\u05d1\u05d2',
  'x'.repeat(120),
  'two\nlines',
  'a : b --> c',
  '#35; %%{init: {}}%%',
  '&amp;',
];

describe('a hostile name', () => {
  it.each(HOSTILE)('is shown as text: %j', async (name) => {
    const end = `${name}!`;
    const state = { name, func: 'increment', current: { key: 'n', value: 0 } };
    const when = { key: 'n', value: 1 };
    const states = [{ ...state, target: { name: end, when } }, { name: end }];
    const address = await newChart(JSON.stringify({ current_state: name, states }));
    const svg = await bodyOf(await send('GET', `/${address}/diagram.svg`));
    const tags = new Set([...svg.matchAll(/<\/?([^\s/>]+)/g)].map(([, tag]) => tag));
    const known = [
      'svg',
      'title',
      'desc',
      'style',
      'defs',
      'marker',
      'path',
      'rect',
      'g',
      'text',
      'tspan',
      'circle',
    ];
    expect([...tags].filter((tag) => !known.includes(tag ?? ''))).toEqual([]);
    expect(svg.match(/<\/svg>/g)).toHaveLength(1);
    expect(statesOf(svg)).toHaveProperty([escaped(name)], 'atomic current');
    const mermaid = await bodyOf(await send('GET', `/${address}/diagram.mmd`));
    // One line for each state, arrow and class: no name has added a line.
    expect(mermaid.trim().split('\n')).toHaveLength(8);
    expect(mermaid).not.toMatch(/[<>]script|%%/);
    const page = await bodyOf(await send('GET', `/${address}`, { headers: { Accept: 'text/html' } }));
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toMatch(/<img|<b>/);
  });
});

function escaped(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
