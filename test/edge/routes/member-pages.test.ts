/** The page of a machine's members, and its forms. `../../objects/members.test.ts` tests members. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Right } from '../../../src/grant.ts';
import { MEMBERS_PAGE, MEMBERS_PAGE_MAX } from '../../../src/limits.ts';
import { readMemberList, writeMemberList } from '../../../src/member-list.ts';
import { newChart } from '../../charts.ts';
import { send } from '../../service.ts';
import { sendAs, tokenFor } from '../../tokens.ts';

const CHART = `initial: work
states: {work: {on: {update: {target: end, quorum: all}}}, end: {type: final}}
`;
const HTML = { Accept: 'text/html' };

async function pageOf(path: string): Promise<string> {
  return (await send('GET', path, { headers: HTML })).text();
}

/** Sends a form as a browser does. */
async function submit(address: string, fields: Readonly<Record<string, string>>, query = '') {
  const response = await send('POST', `/${address}/members${query}`, {
    headers: HTML,
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function setMembers(address: string, body: string): Promise<void> {
  const { status } = await send('PUT', `/${address}/members`, { body });
  expect(status).toBe(200);
}

async function namesOf(address: string): Promise<string> {
  return (await send('GET', `/${address}/members`, { headers: { Accept: 'text/plain' } })).text();
}

/** The text in the form, and the hash of the list that it is of. */
function formIn(page: string) {
  const [, text = ''] = /<textarea[^>]*>\n(.*?)<\/textarea>/s.exec(page) ?? [];
  const [, from = ''] = /name="from" value="(\w*)"/.exec(page) ?? [];
  return { text: text.replaceAll('&quot;', '"'), from };
}

describe('a list of members as text', () => {
  it('is read as it was written, whatever its names and labels', () => {
    const name = fc
      .stringMatching(/^[^\s\p{Cc}'"\\#][^\s\p{Cc}'"\\]{0,8}$/u)
      .filter((text) => text.isWellFormed());
    const label = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,5}$/).filter((key) => key !== 'name');
    const value = fc.string({ unit: 'grapheme', maxLength: 8 });
    const member = fc.record({ name, labels: fc.dictionary(label, value, { maxKeys: 3 }) });
    fc.assert(
      fc.property(fc.uniqueArray(member, { selector: (one) => one.name, maxLength: 5 }), (members) => {
        const read = readMemberList(writeMemberList(members));
        expect(read.ok && [...read.members].map(([name, labels]) => ({ name, labels }))).toEqual(
          members.map(({ name, labels }) => ({ name, labels: { ...labels } })),
        );
      }),
    );
  });
});

describe('the page of members', () => {
  it('says what each is to the current states, and has the list as text', async () => {
    const address = await newChart(CHART);
    await setMembers(address, 'web-2 zone=eu\nweb-1 zone=us role=db\n');
    await send('PUT', `/${address}/state?state=work&by=web-1`);
    const page = await pageOf(`/${address}/members`);
    expect(page).toMatch(/<h2 id="members">2 members/);
    expect(page).toMatch(
      /<td>web-1<p class="soft small">zone=us role=db<\/p><\/td><td>reported to work<\/td>/,
    );
    expect(page).toMatch(/<td>web-2<p.*?<td>missing at work<\/td>/);
    expect(formIn(page).text).toBe('web-1 zone=us role=db\nweb-2 zone=eu\n');
    const missing = await pageOf(`/${address}/members?is=missing`);
    expect([missing.includes('<td>web-1<'), missing.includes('<td>web-2<')]).toEqual([false, true]);
    // The form has all of them still.
    expect(formIn(missing).text).toContain('web-1');
    expect(await pageOf(`/${address}`)).toContain(`href="/${address}/members"`);
  });

  it('is for browsers alone', async () => {
    const address = await newChart(CHART);
    for (const [accept, type] of [
      ['*/*', 'application/json'],
      ['text/plain', 'text/plain;charset=UTF-8'],
      ['text/html', 'text/html;charset=UTF-8'],
    ] as const) {
      const response = await send('GET', `/${address}/members`, { headers: { Accept: accept } });
      expect([response.headers.get('Content-Type'), response.headers.get('Vary')]).toEqual([type, 'Accept']);
    }
  });

  it('has pages, and leaves a list out that is too long for a text area', async () => {
    const address = await newChart(CHART);
    const names = Array.from({ length: MEMBERS_PAGE_MAX + 1 }, (_, i) => `host-${i}`);
    await setMembers(address, names.slice(1).join('\n'));
    const whole = await pageOf(`/${address}/members`);
    expect(whole.match(/name="strike"/g)).toHaveLength(MEMBERS_PAGE);
    expect(whole).toContain(`href="/${address}/members?after=host-${MEMBERS_PAGE}"`);
    expect(formIn(whole).text.split('\n')).toHaveLength(MEMBERS_PAGE_MAX + 1);
    await setMembers(address, names.join('\n'));
    const long = await pageOf(`/${address}/members?after=host-999`);
    expect(formIn(long)).toEqual({ text: '', from: '' });
    expect(long).toContain('too many to be shown here');
    expect(long).toContain('<td>host-1000<');
    expect(long).toContain('First members');
  });

  it('has its forms only for those who may change the list', async () => {
    const address = await newChart(CHART);
    await setMembers(address, 'web-1\n');
    const formsFor = async (...can: Right[]) => {
      const page = await (
        await sendAs(await tokenFor(address, ...can), 'GET', `/${address}/members`, { headers: HTML })
      ).text();
      return ['name="strike"', 'name="text"', 'name="remove"'].map((field) => page.includes(field));
    };
    expect(await formsFor('read', 'update', 'admin')).toEqual([false, false, false]);
    expect(await formsFor('read', 'operate')).toEqual([true, true, true]);
    const token = await tokenFor(address, 'read', 'update', 'admin');
    const body = new URLSearchParams({ strike: 'web-1' });
    const refused = await sendAs(token, 'POST', `/${address}/members`, { headers: HTML, body });
    expect(refused.status).toBe(403);
  });
});

describe('a form of members', () => {
  it('replaces the list, under the name of its sender', async () => {
    const address = await newChart(CHART);
    const first = await submit(address, { text: 'web-1 zone=eu\r\nweb-2\r\n', from: '' }, '?by=ann');
    // Not the hash of this list.
    expect(first.status).toBe(412);
    const { from } = formIn(await pageOf(`/${address}/members`));
    const { status, headers } = await submit(
      address,
      { text: 'web-1 zone=eu\r\nweb-2\r\n', from },
      '?by=ann',
    );
    expect([status, headers.get('Location')]).toEqual([303, `/${address}/members`]);
    expect(await namesOf(address)).toBe('web-1\nweb-2\n');
    const { history } = await (await send('GET', `/${address}/history?limit=1`)).json<{
      history: unknown[];
    }>();
    expect(history).toMatchObject([{ cause: 'members', by: 'ann' }]);
  });

  it('is shown again with every error at its line, and with what was typed', async () => {
    const address = await newChart(CHART);
    await setMembers(address, 'web-9\n');
    const typed = 'web-1\nweb-2 zone\n# fine\nweb-1\n';
    const { status, text } = await submit(address, { text: typed });
    expect(status).toBe(422);
    expect(text).toContain('The list of members has 2 errors; nothing has changed.');
    const lines = [...text.matchAll(/data-line="(\d+)" data-column="1"[^>]*>[^<]*<\/a>/g)].map(
      ([, line]) => line,
    );
    expect(lines).toEqual(['2', '4']);
    expect(formIn(text).text).toBe(typed);
    expect(await namesOf(address)).toBe('web-9\n');
  });

  it('is refused where the list has changed since it was opened', async () => {
    const address = await newChart(CHART);
    await setMembers(address, 'web-1\nweb-2\n');
    const { from } = formIn(await pageOf(`/${address}/members`));
    // A report changes the machine, and not the list.
    await send('PUT', `/${address}/state?state=work&by=web-1`);
    await send('DELETE', `/${address}/members/web-2`);
    await setMembers(address, 'web-1\nweb-3\n');
    const { status, text } = await submit(address, { text: 'web-1\n', from });
    expect(status).toBe(412);
    expect(text).toContain('The list was changed since this form was opened.');
    // The hash is that of the form, so a second try is refused as well.
    expect(formIn(text)).toEqual({ text: 'web-1\n', from });
    expect(await namesOf(address)).toBe('web-1\nweb-3\n');
  });

  it('takes no list of nobody', async () => {
    const address = await newChart(CHART);
    await setMembers(address, 'web-1\n');
    for (const fields of [{ text: ' \r\n' }, { text: '# nobody' }, { other: 'web-1' }]) {
      const { status } = await submit(address, fields);
      expect([status, await namesOf(address)]).toEqual([400, 'web-1\n']);
    }
  });

  it('strikes one member off, which takes a quorum that is met without it', async () => {
    const address = await newChart(CHART);
    await setMembers(address, 'web-1\nweb-2\n');
    await send('PUT', `/${address}/state?state=work&by=web-1`);
    expect((await submit(address, { strike: 'web-3' })).status).toBe(404);
    expect((await submit(address, { strike: 'web-2' })).status).toBe(303);
    expect(await namesOf(address)).toBe('web-1\n');
    expect(await (await send('GET', `/${address}`)).json()).toMatchObject({ states: ['end'] });
  });

  it('takes the list away', async () => {
    const address = await newChart(CHART);
    await setMembers(address, 'web-1\n');
    expect((await submit(address, { remove: 'true' })).status).toBe(303);
    const page = await pageOf(`/${address}/members`);
    expect(page).toContain('No list of members');
    expect(page).not.toContain('name="remove"');
  });

  it('answers programs with problem details', async () => {
    const address = await newChart(CHART);
    const response = await send('POST', `/${address}/members`, { body: new URLSearchParams({ text: '"' }) });
    expect([response.status, response.headers.get('Content-Type')]).toEqual([
      422,
      'application/problem+json',
    ]);
  });

  it('is refused from a page of another site', async () => {
    const address = await newChart(CHART);
    await setMembers(address, 'web-1\n');
    const headers = { ...HTML, Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' };
    const body = new URLSearchParams({ strike: 'web-1' });
    expect((await send('POST', `/${address}/members`, { headers, body })).status).toBe(403);
    expect(await namesOf(address)).toBe('web-1\n');
  });
});
