/** The members of a machine: uploaded, listed, struck off, and who of them is missing. */
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import { MEMBERS_PAGE_LENGTH } from '../../src/limits.ts';
import { newAddress, newChart } from '../charts.ts';
import { evict, inStorage, machinePath, objectAt, problemOf, readAt, send, updateAt } from '../service.ts';
import {
  claim,
  documentOf,
  erase,
  put,
  refusedOf,
  reset,
  resource,
  revisionOf,
  storyOf,
  upload,
  verdict,
  waitFor,
} from './callers.ts';
import { meter } from './meter.ts';

const all = `initial: work
states:
  work: {on: {update: {target: end, quorum: all}, fail: {target: back, quorum: 50%}}}
  end: {type: final}
  back: {type: final}
`;

const zones = `initial: work
states:
  work: {only: 'member.zone == "eu"', slots: 50%, on: {update: {target: end, quorum: all}}}
  end: {type: final}
`;

async function setMembers(address: string, body: string, init: RequestInit = {}): Promise<Response> {
  return send('PUT', resource(address, 'members'), { ...init, body });
}

async function strike(address: string, name: string, init: RequestInit = {}): Promise<Response> {
  return send('DELETE', `${machinePath(address)}/members/${encodeURIComponent(name)}`, init);
}

/** A chart with members. */
async function fleet(chart: string, members: string): Promise<string> {
  const address = await newChart(chart);
  expect(await verdict(await setMembers(address, members))).toBe('200');
  return address;
}

interface Page {
  readonly total: number | null;
  readonly members: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly expected: readonly string[];
    readonly working: readonly string[];
    readonly reported: readonly string[];
    readonly missing: readonly string[];
  }[];
  readonly after?: string;
}

async function membersOf(address: string, query: Readonly<Record<string, string>> = {}): Promise<Page> {
  return (await send('GET', resource(address, 'members', query))).json();
}

async function namesOf(address: string, query: Readonly<Record<string, string>> = {}): Promise<string> {
  const response = await send('GET', resource(address, 'members', query), {
    headers: { Accept: 'text/plain' },
  });
  expect(response.headers.get('Content-Type')).toBe('text/plain;charset=UTF-8');
  return response.text();
}

describe('a list of members', () => {
  it('is uploaded as text: a name a line, with labels, comments and blank lines', async () => {
    const address = await newChart(all);
    const response = await setMembers(
      address,
      '# the fleet\nweb-1 zone=eu rack=12\n\n  web-10\tzone=us\r\nweb-2 zone= note=a=b\n',
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ total: 3, added: 3, removed: 0, relabelled: 0 });
    const { total, members } = await membersOf(address);
    expect(total).toBe(3);
    expect(members.map(({ name, labels }) => [name, labels])).toEqual([
      ['web-1', { zone: 'eu', rack: '12' }],
      ['web-2', { zone: '', note: 'a=b' }],
      ['web-10', { zone: 'us' }],
    ]);
  });

  it('is uploaded as JSON: names, or names with labels; what GET answers can be put back', async () => {
    const address = await fleet(all, '["web-1", {"name": "web-2", "labels": {"zone": "eu"}}]');
    const page = await membersOf(address);
    expect(page.members.map(({ labels }) => labels)).toEqual([{}, { zone: 'eu' }]);
    const again = await setMembers(address, JSON.stringify(page));
    expect(await again.json()).toEqual({ total: 2, added: 0, removed: 0, relabelled: 0 });
  });

  it('is replaced as a whole, and the history says how', async () => {
    const address = await fleet(all, 'a\nb\nc zone=eu');
    const response = await setMembers(address, 'b\nc zone=us\nd\ne', { headers: { 'If-Match': '"2"' } });
    expect(await response.json()).toEqual({ total: 4, added: 2, removed: 1, relabelled: 1 });
    const [, first, second] = await storyOf(address);
    expect([first?.cause, first?.notes]).toEqual(['members', ['+3 −0: 3 members']]);
    expect([second?.cause, second?.notes]).toEqual(['members', ['+2 −1: 4 members, 1 with other labels']]);
  });

  it('changes nothing where it is the same', async () => {
    const address = await fleet(all, 'a zone=eu\nb');
    expect(revisionOf(await setMembers(address, 'a zone=eu\nb'))).toBe(2);
    expect(await storyOf(address)).toHaveLength(2);
  });

  it('is refused at another revision', async () => {
    const address = await fleet(all, 'a');
    const headers = { 'If-Match': '"1"' };
    expect(await verdict(await setMembers(address, 'b', { headers }))).toBe('412 wrong-revision');
    expect(await verdict(await strike(address, 'a', { headers }))).toBe('412 wrong-revision');
    expect(await namesOf(address)).toBe('a\n');
  });

  it('says who has changed it', async () => {
    const address = await newChart(all);
    await send('PUT', resource(address, 'members', { by: 'anna' }), { body: 'a' });
    expect((await storyOf(address)).at(-1)).toMatchObject({ cause: 'members', by: 'anna' });
  });

  it('survives a reset and an eviction, and is gone with the machine', async () => {
    const address = await fleet(all, 'a\nb');
    await reset(address);
    await evict(address);
    expect(await namesOf(address)).toBe('a\nb\n');
    await erase(address);
    await upload(address, all);
    expect((await membersOf(address)).total).toBeNull();
  });

  it('is refused with every error, each with its line', async () => {
    const address = await newChart(all);
    const response = await setMembers(address, 'a\nb zone\n"c"\na 1x=2 name=3\nd zone=eu zone=us\n');
    expect(response.status).toBe(422);
    const { errors = [], type } = await problemOf(response);
    expect(type).toBe('urn:stateservice:problem:invalid-members');
    expect(errors.map(({ line, message }) => `${line}: ${message.split(/[:;]/)[0]}`)).toEqual([
      '2: The label "zone" has no value',
      '3: "\\"c\\"" is no name of a member',
      '4: "1x" is no name of a label',
      '4: The label `name` is reserved',
      '4: "a" is in the list already, in line 1.',
      '5: The label "zone" is there twice.',
    ]);
  });

  it.each([
    ['[1]', '[0]'],
    ['[{"name": "a", "label": {}}]', '[0]'],
    ['{"members": [{"name": "a", "labels": {"rack": 12}}]}', 'members[0].labels'],
    ['{"name": "a"}', ''],
    ['["a"', ''],
  ])('is refused as JSON with the path of an error: %s', async (body, path) => {
    const { errors = [] } = await problemOf(await setMembers(await newChart(all), body));
    expect(errors.map((error) => error.path)).toEqual([path]);
  });

  it('is bounded in members and in bytes', async () => {
    const address = await newChart(all);
    const names = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`).join('\n');
    expect(await verdict(await setMembers(address, names(10_000)))).toBe('200');
    expect(await verdict(await setMembers(address, names(10_001)))).toBe('413 too-large');
    expect(await verdict(await setMembers(address, '#'.repeat(1024 * 1024 + 1)))).toBe('413 too-large');
    const wide = Array.from({ length: 4_000 }, (_, i) => `m${i} x=${'"'.repeat(200)}`).join('\n');
    expect(await verdict(await setMembers(address, wide))).toBe('413 too-large');
    expect((await membersOf(address)).total).toBe(10_000);
  });
});

describe('taking away', () => {
  it('one member strikes it off', async () => {
    const address = await fleet(all, 'web-01\nweb-02');
    const response = await strike(address, 'web-01');
    expect(await response.json()).toMatchObject({ total: 1, removed: 1 });
    expect((await storyOf(address)).at(-1)).toMatchObject({
      cause: 'members',
      notes: ['+0 −1: 1 member', 'without web-01'],
    });
  });

  it('one that is unknown is 404, with the nearest name', async () => {
    const address = await fleet(all, 'web-01\nweb-02');
    const response = await strike(address, 'web-1');
    expect(response.status).toBe(404);
    expect((await problemOf(response)).detail).toContain('Did you mean "web-01"?');
    expect(await verdict(await strike(await newChart(all), 'a'))).toBe('404 no-such-member');
  });

  it('the last one leaves a list of nobody', async () => {
    const address = await fleet(all, 'a');
    await strike(address, 'a');
    expect((await membersOf(address)).total).toBe(0);
    expect(await verdict(await put(address, 'work', { by: 'a' }))).toBe('406 not-a-member');
  });

  it('the list lets everybody take part again, but for shares, which need one', async () => {
    const address = await fleet(all.replace('all', '2'), 'a');
    expect((await send('DELETE', resource(address, 'members'))).status).toBe(204);
    expect((await membersOf(address)).total).toBeNull();
    expect((await storyOf(address)).at(-1)?.notes).toEqual(['the list was taken away']);
    expect(await verdict(await put(address, 'work', { by: 'stranger' }))).toBe('200');
    expect(await verdict(await put(address, 'work', { by: 'stranger', event: 'fail' }))).toBe(
      '406 no-members',
    );
  });
});

describe('members', () => {
  it('alone may report, by name; a stranger is refused with the nearest name', async () => {
    const address = await fleet(all, 'web-01\nweb-02');
    const refused = await put(address, 'work', { by: 'web-1' });
    expect(refused.status).toBe(406);
    expect((await refusedOf(refused)).detail).toContain('Did you mean "web-01"?');
    expect(await verdict(await put(address, 'work'))).toBe('406 not-a-member');
    expect(await verdict(await put(address, 'work', { by: 'web-01' }))).toBe('200');
  });

  it('complete a share together', async () => {
    const address = await fleet(all, 'a\nb');
    await put(address, 'work', { by: 'a' });
    expect((await documentOf(address)).quorums).toMatchObject([
      { have: 1, need: 2 },
      { have: 0, need: 1 },
    ]);
    await put(address, 'work', { by: 'b' });
    expect((await documentOf(address)).states).toEqual(['end']);
  });

  it('of whom one is struck off complete it in the same commit, with the cause in the history', async () => {
    const address = await fleet(all, 'a\nb\nc');
    await put(address, 'work', { by: 'a' });
    await put(address, 'work', { by: 'b' });
    const response = await send('DELETE', `/${address}/members/c?by=anna`);
    expect(response.status).toBe(200);
    expect(revisionOf(response)).toBe(6);
    const [struck, taken] = (await storyOf(address)).slice(-2);
    expect(struck).toMatchObject({ cause: 'members', to: ['work'], by: 'anna' });
    expect(taken).toMatchObject({
      cause: 'members',
      event: 'update',
      state: 'work',
      by: 'anna',
      from: ['work'],
      to: ['end'],
      notes: ['2 of 2 have reported'],
    });
  });

  it('that are replaced count no more, after an eviction as well', async () => {
    const address = await fleet(all, 'a\nb');
    await put(address, 'work', { by: 'a' });
    await setMembers(address, 'b\nc');
    expect((await documentOf(address)).quorums[0]).toMatchObject({ have: 0, need: 2 });
    await evict(address);
    await put(address, 'work', { by: 'b' });
    await setMembers(address, 'a\nb');
    expect((await documentOf(address)).states).toEqual(['end']);
  });

  it('set off timers that are due at once', async () => {
    const chart = all.replace('end: {type: final}', 'end: {at: {"2020-01-01T00:00:00Z": back}}');
    const address = await fleet(chart, 'a\nb');
    await put(address, 'work', { by: 'a' });
    await strike(address, 'b');
    expect((await documentOf(address)).states).toEqual(['back']);
  });

  it('that wait are told at once when they are struck off', async () => {
    const address = await fleet(zones, 'a zone=eu\nb zone=eu');
    expect(await verdict(await claim(address, 'work', 'a'))).toBe('200');
    const waiting = send('GET', resource(address, 'state', { state: 'work', by: 'b', wait: '20s' }));
    await scheduler.wait(50);
    await strike(address, 'b');
    expect(await verdict(await waiting)).toBe('406 not-a-member');
  });

  it('of a state that waited for a list may go once there is one', async () => {
    const address = await newChart(all);
    const waiting = send('GET', resource(address, 'state', { state: 'work', by: 'a', wait: '20s' }));
    await scheduler.wait(50);
    await setMembers(address, 'a');
    expect(await verdict(await waiting)).toBe('200');
    expect(await verdict(await waitFor(address, 'work', '1s'))).toBe('200');
  });

  it('keep a slot that they hold when they are struck off, until it is given back', async () => {
    const address = await fleet(zones, 'a zone=eu\nb zone=eu');
    await claim(address, 'work', 'a');
    await strike(address, 'a');
    expect(await verdict(await claim(address, 'work', 'b'))).toBe('406 slots-taken');
    await send('DELETE', resource(address, 'claims', { state: 'work', by: 'a' }));
    expect(await verdict(await claim(address, 'work', 'b'))).toBe('200');
  });
});

describe('the members of a machine are listed', () => {
  it('with what each is to the current states', async () => {
    const address = await fleet(zones, 'a zone=eu\nb zone=eu\nc zone=us');
    await claim(address, 'work', 'a');
    await put(address, 'work', { by: 'a' });
    await claim(address, 'work', 'b');
    const { members } = await membersOf(address);
    expect(members).toMatchObject([
      { name: 'a', expected: ['work'], working: [], reported: ['work'], missing: [] },
      { name: 'b', expected: ['work'], working: ['work'], reported: [], missing: ['work'] },
      { name: 'c', expected: [], working: [], reported: [], missing: [] },
    ]);
  });

  it.each([
    ['missing', 'b\n'],
    ['reported', 'a\n'],
    ['working', 'b\n'],
    ['expected', 'a\nb\n'],
  ])('those that are %s, a name a line', async (is, names) => {
    const address = await fleet(zones, 'a zone=eu\nb zone=eu\nc zone=us');
    await claim(address, 'work', 'a');
    await put(address, 'work', { by: 'a' });
    await claim(address, 'work', 'b');
    expect(await namesOf(address, { is })).toBe(names);
  });

  it('in pages, in natural order', async () => {
    const address = await fleet(all, 'web-10\nweb-9\nweb-1\ndb-1\nweb-2');
    const first = await membersOf(address, { limit: '2' });
    expect([first.members.map(({ name }) => name), first.after]).toEqual([['db-1', 'web-1'], 'web-1']);
    await strike(address, 'web-1');
    const second = await membersOf(address, { limit: '3', after: 'web-1' });
    expect([second.members.map(({ name }) => name), second.after]).toEqual([
      ['web-2', 'web-9', 'web-10'],
      undefined,
    ]);
    expect(await namesOf(address, { after: 'web-2' })).toBe('web-9\nweb-10\n');
  });

  it('a report to a state inside is one to the state that counts it', async () => {
    const chart = `initial: fleet
states:
  fleet: {initial: a, on: {update: {target: end, quorum: all}}, states: {a: {on: {go: b}}, b: {}}}
  end: {}
`;
    const address = await fleet(chart, 'x\ny');
    await put(address, 'fleet.a', { by: 'x' });
    expect(await namesOf(address, { is: 'missing' })).toBe('y\n');
  });

  it('as of one revision, though a member reports while the page is made', async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `web-${i}`);
    const address = await fleet(all, names.join('\n'));
    const { revision } = await documentOf(address);
    const [page, reported] = await inStorage(address, (_, machine) =>
      Promise.all([
        readAt(machine, { type: 'members', namesOnly: true, is: 'missing' }),
        updateAt(machine, { state: 'work', event: 'update', by: 'web-9999' }),
      ]),
    );
    expect(reported).toMatchObject({ ok: true, revision: revision + 1 });
    expect(page).toMatchObject({ ok: true, revision });
    expect(page.ok && page.names?.endsWith('web-9999\n')).toBe(true);
  });

  it('an unknown `is` is 400', async () => {
    const response = await send('GET', resource(await newChart(all), 'members', { is: 'gone' }));
    expect((await problemOf(response)).detail).toBe(
      '`is` must be one of expected, working, reported, missing.',
    );
  });
});

describe('a run', () => {
  it('begins with the members of its chart, and is shown with them before', async () => {
    const base = await fleet(all, 'a\nb');
    const run = `${base}@1`;
    expect(await namesOf(run)).toBe('a\nb\n');
    expect(await verdict(await put(run, 'work', { by: 'c' }))).toBe('406 not-a-member');
    expect(await objectAt(run).read([{ type: 'summary' }])).toMatchObject([{ code: 'no-chart' }]);
    expect(await verdict(await put(run, 'work', { by: 'a' }))).toBe('200');
    await setMembers(base, 'c');
    expect(await namesOf(run)).toBe('a\nb\n');
    expect(await namesOf(`${base}@2`)).toBe('c\n');
    await reset(run);
    expect(await namesOf(run)).toBe('a\nb\n');
  });

  it('has no list where its chart has none, or has lost it', async () => {
    const base = await newChart(all);
    expect((await membersOf(`${base}@1`)).total).toBeNull();
    await setMembers(base, 'a');
    expect((await membersOf(`${base}@1`)).total).toBe(1);
    await send('DELETE', resource(base, 'members'));
    expect((await membersOf(`${base}@1`)).total).toBeNull();
  });

  it('has members of its own once they are uploaded to it, which begins it', async () => {
    const base = await fleet(all, 'a\nb');
    const run = `${base}@1`;
    expect(await verdict(await setMembers(run, 'x'))).toBe('200');
    expect(await namesOf(run)).toBe('x\n');
    expect(await namesOf(base)).toBe('a\nb\n');
  });
});

it('an address without a chart has no members, and none is put there', async () => {
  const address = newAddress();
  expect(await verdict(await setMembers(address, 'a'))).toBe('404 no-chart');
  expect(await verdict(await send('GET', resource(address, 'members')))).toBe('404 no-chart');
});

it('a page of members ends early where each is expected by states with long names', async () => {
  const names = Array.from({ length: 32 }, (_, i) => `r${i}${'x'.repeat(500)}`);
  const states = Object.fromEntries(
    names.map((name) => [name, { on: { update: { quorum: 'all', actions: [{ cancel: 'nothing' }] } } }]),
  );
  const address = await newChart(JSON.stringify({ id: 'all', type: 'parallel', states }));
  const members = Array.from({ length: 200 }, (_, i) => `web-${i}`);
  expect((await setMembers(address, members.join('\n'))).status).toBe(200);
  const seen: string[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const query = after === '' ? '' : `&after=${after}`;
    const text = await (await send('GET', `${resource(address, 'members')}?limit=1000${query}`)).text();
    expect(text.length).toBeLessThan(MEMBERS_PAGE_LENGTH * 1.5);
    const page = JSON.parse(text) as { members: { name: string }[]; after?: string };
    seen.push(...page.members.map(({ name }) => name));
    after = page.after;
  }
  expect(seen).toEqual(members);
});

describe('who is missing', () => {
  it('is in the status document, and not there without a list', async () => {
    const address = await fleet(all, 'a\nb\nc');
    await put(address, 'work', { by: 'b' });
    const status = await documentOf(address);
    expect(status).toMatchObject({
      members: { total: 3 },
      quorums: [
        { event: 'update', have: 1, need: 3, expected: 3, missing: { count: 2, names: ['a', 'c'] } },
        { event: 'fail', expected: 3, missing: { count: 2, names: ['a', 'c'] } },
      ],
    });
    await send('DELETE', resource(address, 'members'));
    const without = await documentOf(address);
    expect(without).toMatchObject({ members: null });
    expect(without.quorums[0]).not.toHaveProperty('missing');
  });

  it('is in the refusal of an ask for what comes next, and is right after each report', async () => {
    const address = await fleet(all, Array.from({ length: 8 }, (_, i) => `m${i + 1}`).join('\n'));
    const detail = async () => {
      const response = await send('GET', resource(address, 'state', { state: 'end' }));
      return (await refusedOf(response)).detail.split(' Missing ')[1];
    };
    expect(await detail()).toBe('at "work": "m1", "m2", "m3", "m4", "m5" and 3 more.');
    for (const by of ['m1', 'm3', 'm4', 'm8']) await put(address, 'work', { by });
    expect(await detail()).toBe('at "work": "m2", "m5", "m6", "m7".');
    await evict(address);
    expect(await detail()).toBe('at "work": "m2", "m5", "m6", "m7".');
    await strike(address, 'm2');
    expect(await detail()).toBe('at "work": "m5", "m6", "m7".');
  });

  it('is counted for Prometheus', async () => {
    const address = await fleet(all, 'a\nb\nc');
    await put(address, 'work', { by: 'b' });
    const text = await (await send('GET', resource(address, 'metrics'))).text();
    expect(text).toContain(`stateservice_expected{machine="${address}",state="work"} 3`);
    expect(text).toContain(`stateservice_missing{machine="${address}",state="work"} 2`);
  });

  it('is on the page', async () => {
    const address = await fleet(all, Array.from({ length: 130 }, (_, i) => `m${i + 1}`).join('\n'));
    const page = await (await send('GET', `/${address}`, { headers: { Accept: 'text/html' } })).text();
    expect(page).toContain('missing: <ul class="names"><li>m1</li><li>m2</li><li>m3</li>');
    expect(page).toContain('<summary>and 125 more</summary>');
  });
});

it('a report of a member writes as many rows as one without a list', async () => {
  const [listed, open] = [await fleet(all, 'a\nb\nc'), await newChart(all.replace('all', '9'))];
  const rows = async (address: string) => {
    await put(address, 'work', { by: 'a' });
    const read = await meter(address);
    await put(address, 'work', { by: 'b' });
    return read().rows;
  };
  expect(await rows(listed)).toBe(await rows(open));
});

it('an `only` has few enough parts to be evaluated for every member at once', () => {
  const chart = (parts: number) =>
    `initial: a\nstates: {a: {only: '${Array.from({ length: parts }, (_, i) => `member.zone == "z${i}"`).join(' || ')}'}}\n`;
  expect(readChart(chart(9))).toMatchObject({ ok: true });
  expect(readChart(chart(20))).toMatchObject({
    ok: false,
    errors: [{ message: expect.stringContaining('maxAstNodes (48)') }],
  });
});
