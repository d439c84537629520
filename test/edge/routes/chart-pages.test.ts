/** The pages of a chart: its source, a newer chart as a difference, the form that edits it, and the one that starts a run. */
import { describe, expect, it } from 'vitest';
import { CHART_BYTES, CHART_LINES } from '../../../src/chart-limits.ts';
import type { Right } from '../../../src/grant.ts';
import { counting, final, newAddress, newChart, putChart, sequence } from '../../charts.ts';
import { bodyOf, chartOf, report, send, statusOf, tracesOf } from '../../service.ts';
import { sendAs, tokenFor } from '../../tokens.ts';

const CHART = 'initial: a\nstates:\n  a: {on: {update: {target: b, quorum: 2}}}\n  b: {type: final}\n';
const OTHER = CHART.replace('quorum: 2', 'quorum: 3');
const INPUTS = `inputs: {count: 2, soak: 30m, loud: false, version: "", host: null}
initial: a
states: {a: {on: {update: {target: b, quorum: inputs.count}}, after: {inputs.soak: b}}, b: {type: final}}
`;
const HTML = { Accept: 'text/html' };

async function pageOf(path: string, init: RequestInit = {}) {
  const response = await send(init.method ?? 'GET', path, { redirect: 'manual', ...init, headers: HTML });
  return { status: response.status, headers: response.headers, text: unescaped(await bodyOf(response)) };
}

function unescaped(text: string): string {
  const signs = { '&quot;': '"', '&#39;': "'", '&lt;': '<', '&gt;': '>', '&amp;': '&' };
  return Object.entries(signs).reduce((found, [sign, is]) => found.replaceAll(sign, is), text);
}

/** Sends a form as a browser does. */
function submit(path: string, fields: Readonly<Record<string, string>>) {
  return pageOf(path, { method: 'POST', body: new URLSearchParams(fields) });
}

async function pageAs(address: string, path: string, ...can: Right[]): Promise<string> {
  const token = await tokenFor([address, `${address}@*`], ...can);
  return (await sendAs(token, 'GET', path, { headers: HTML })).text();
}

describe('the page of a chart', () => {
  it('is for browsers alone, which get the text on request', async () => {
    const address = await newChart(CHART);
    for (const accept of [undefined, '*/*', 'application/yaml', 'application/json, text/html;q=0.5']) {
      const response = await send('GET', `/${address}/chart`, accept ? { headers: { Accept: accept } } : {});
      expect([response.headers.get('Content-Type'), response.headers.get('Vary')]).toEqual([
        'application/yaml',
        'Accept',
      ]);
      expect(await bodyOf(response)).toBe(CHART);
    }
    const page = await pageOf(`/${address}/chart`);
    expect(page.headers.get('Content-Type')).toBe('text/html;charset=UTF-8');
    expect((await pageOf(`/${address}/chart?raw=true`)).text).toBe(CHART);
  });

  it('has the source by lines, the hash, the origin, the drawing and links', async () => {
    const address = await newChart(`# <b>&\n${CHART}`);
    const response = await send('GET', `/${address}/chart`, { headers: HTML });
    const text = await response.text();
    const anchor = (line: number) =>
      `<span id="L${line}"><a href="#L${line}" tabindex="-1" aria-hidden="true"></a>`;
    expect(text).toContain(`${anchor(1)}# &lt;b&gt;&amp;\n</span>${anchor(2)}initial: a\n</span>`);
    expect(text.match(/<span id="L\d+">/g)).toHaveLength(5);
    expect(text).toContain((await statusOf(address)).chart.hash);
    expect(text).toContain('From the folder of charts.');
    expect(text).toMatch(/class="state[^"]* current"[^>]* data-state="a"/);
    for (const path of ['', '/history', '/chart/edit']) expect(text).toContain(`href="/${address}${path}"`);
    await send('PUT', `/${address}/chart`, { body: OTHER });
    expect((await pageOf(`/${address}/chart`)).text).toContain('From an upload to this address.');
    expect((await pageOf(`/${address}@1/chart`)).text).toContain('From an upload to its chart.');
  });

  it('shows a sequence with its present values', async () => {
    const address = await newChart(sequence(counting('a', 'b', 3), final('b')));
    await report(address, 'a');
    const { text } = await pageOf(`/${address}/chart`);
    expect(text).toContain('With its present values.');
    expect(text).toContain('"value":1');
  });

  it('offers what its reader may do', async () => {
    const address = await newChart(CHART);
    const offers = async (...can: Right[]) => {
      const text = await pageAs(address, `/${address}/chart`, ...can);
      return ['/chart/edit"', '/chart/start"'].map((path) => text.includes(path));
    };
    expect(await offers('read')).toEqual([false, false]);
    expect(await offers('read', 'operate')).toEqual([false, true]);
    expect(await offers('read', 'admin')).toEqual([true, false]);
  });

  it('is there, with its drawing, also where the inputs of the chart must be given', async () => {
    const address = await newChart(INPUTS);
    const { status, text } = await pageOf(`/${address}/chart`);
    expect(status).toBe(200);
    expect(text).toContain('Not started yet.');
    expect(text).toContain('data-state="a"');
    expect(text).toContain('name="input.host"');
    expect((await send('GET', `/${address}`)).status).toBe(406);
  });

  it('is written for the longest chart', async () => {
    const filler = '#\n'.repeat(CHART_LINES - 10);
    const address = await newChart(`${CHART}${filler}`);
    const { text } = await pageOf(`/${address}/chart`);
    expect(text).toContain(`id="L${CHART_LINES - 6}"`);
  });
});

describe('a newer chart', () => {
  it('is shown as a difference before the reset, which takes it', async () => {
    const address = await newChart(CHART);
    await send('GET', `/${address}`);
    expect((await pageOf(`/${address}/chart`)).text).not.toContain('A newer chart');
    await putChart(address, OTHER);
    const { text } = await pageOf(`/${address}/chart`);
    expect(text).toContain('1 line added, 1 line removed:');
    expect(text).toContain('<del>-   a: {on: {update: {target: b, quorum: 2}}}</del>');
    expect(text).toContain('<ins>+   a: {on: {update: {target: b, quorum: 3}}}</ins>');
    expect(text).toContain(`action="/${address}/reset"`);
    expect(await pageAs(address, `/${address}/chart`, 'read')).not.toContain('/reset');
    const reset = await submit(`/${address}/reset`, {});
    expect([reset.status, reset.headers.get('Location')]).toEqual([303, `/${address}`]);
    expect(await chartOf(address)).toBe(OTHER);
    expect((await pageOf(`/${address}/chart`)).text).not.toContain('A newer chart');
    expect((await send('POST', `/${address}/reset`)).status).toBe(204);
  });

  it('compares the beginnings: what has been counted is no difference', async () => {
    const chart = sequence(counting('a', 'b', 3), final('b'));
    const address = await newChart(chart);
    await report(address, 'a');
    await putChart(address, `${chart}\n# newer\n`);
    expect((await pageOf(`/${address}/chart`)).text).toContain('1 line added, 0 lines removed:');
  });

  it('with errors says so, and offers no reset', async () => {
    const address = await newChart(CHART);
    await send('GET', `/${address}`);
    await putChart(address, 'initial: x\nstates: {a: {}}\n');
    const { text } = await pageOf(`/${address}/chart`);
    expect(text).toContain('The newest chart has an error');
    expect(text).not.toContain(`action="/${address}/reset"`);
    expect(text).not.toContain('Start a run');
  });
});

describe('the form of a chart', () => {
  it('is offered where there is no chart, and leaves nothing behind', async () => {
    const address = newAddress();
    expect((await pageOf(`/${address}`)).text).toContain(`/${address}/chart/edit`);
    expect(await pageAs(address, `/${address}`, 'read')).not.toContain('/chart/edit');
    expect(await pageAs(address, `/${address}`, 'read', 'admin')).toContain('/chart/edit');
    const { status, text } = await pageOf(`/${address}/chart/edit`);
    expect(status).toBe(200);
    expect(text).toContain('>\n# Two hosts go first.');
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it('has the chart that the page shows, with its issues and its drawing', async () => {
    const address = await newChart(`\n${CHART}  c: {}\n`);
    const { text } = await pageOf(`/${address}/chart/edit`);
    // The parser of HTML drops the first line end of a text area.
    expect(text).toContain(`>\n\n${CHART}  c: {}\n</textarea>`);
    expect(text).toContain('✓ The chart can be uploaded, with 1 warning.');
    expect(text).toContain('data-state="c"');
    await send('GET', `/${address}`);
    await putChart(address, OTHER);
    expect((await pageOf(`/${address}/chart/edit`)).text).toContain(`>\n${OTHER}</textarea>`);
  });

  it('is not for a run, and has no text of it', async () => {
    const address = await newChart(CHART);
    const page = await pageOf(`/${address}@1/chart/edit`);
    expect(page.status).toBe(400);
    expect((await submit(`/${address}@1/chart/edit`, { text: CHART })).status).toBe(400);
  });

  it('uploads under the name of the reader, with the line ends of the text', async () => {
    const address = newAddress();
    const { status, headers } = await submit(`/${address}/chart/edit?by=ann`, {
      text: CHART.replaceAll('\n', '\r\n'),
    });
    expect([status, headers.get('Location')]).toEqual([303, `/${address}/chart`]);
    expect(await chartOf(address)).toBe(CHART);
    expect(await (await send('GET', `/${address}/history`)).json()).toMatchObject({
      history: [{ cause: 'upload', by: 'ann' }],
    });
  });

  it('is shown again with every error and what was typed', async () => {
    const address = newAddress();
    const text = 'initial: a\nstates:\n  a: {on: {go: c, no: d}}\n  "</textarea>": {}\n';
    const page = await submit(`/${address}/chart/edit`, { text });
    expect(page.status).toBe(422);
    expect(page.text).toContain('✗ 2 errors');
    expect(page.text).toMatch(
      /<a href="#text" data-line="3" data-column="16">Line 3, column 16<\/a> <code>states.a.on.go<\/code>/,
    );
    expect(page.text).toContain('"</textarea>": {}');
    expect((await send('GET', `/${address}`)).status).toBe(404);
  });

  it('checks alone, where its button says so', async () => {
    const address = newAddress();
    const page = await submit(`/${address}/chart/edit`, { text: CHART, check: 'true' });
    expect(page.status).toBe(200);
    expect(page.text).toContain('✓ The chart can be uploaded.');
    expect(page.text).toContain('data-state="b"');
    expect((await submit(`/${address}/chart/edit`, { text: 'a', check: 'true' })).status).toBe(422);
    expect((await send('GET', `/${address}`)).status).toBe(404);
  });

  it('asks before a machine in mid-sequence starts over', async () => {
    const address = await newChart(CHART);
    await report(address, 'a');
    expect((await pageOf(`/${address}/chart/edit`)).text).toContain('name="reset"');
    const refused = await submit(`/${address}/chart/edit`, { text: OTHER });
    expect(refused.status).toBe(409);
    expect(refused.text).toContain('tick the box');
    expect(refused.text).toContain('name="reset"');
    expect((await submit(`/${address}/chart/edit`, { text: OTHER, reset: 'true' })).status).toBe(303);
    expect(await chartOf(address)).toBe(OTHER);
  });

  it('replaces no chart that another has put there since, and no later values', async () => {
    const address = newAddress();
    const hidden = async () => {
      const { text } = await pageOf(`/${address}/chart/edit`);
      const fields = [...text.matchAll(/<input type="hidden" name="(\w+)" value="(\w*)"/g)];
      return Object.fromEntries(fields.map(([, name, value]) => [name, value]));
    };
    const before = await hidden();
    expect(before).toEqual({ from: '' });
    expect((await submit(`/${address}/chart/edit`, { text: CHART, ...before })).status).toBe(303);
    const late = await submit(`/${address}/chart/edit`, { text: OTHER, ...before });
    expect(late.status).toBe(412);
    expect(late.text).toContain(
      'Another chart was uploaded since this form was opened. Nothing has changed.',
    );
    expect(late.text).toContain(`${OTHER}</textarea>`);
    expect(await chartOf(address)).toBe(CHART);
    const counted = sequence(counting('a', 'b', 9), final('b'));
    expect((await submit(`/${address}/chart/edit`, { text: counted, ...(await hidden()) })).status).toBe(303);
    await report(address, 'a');
    const opened = await hidden();
    expect(opened).toMatchObject({ revision: '3' });
    const upload = (more: object) =>
      submit(`/${address}/chart/edit`, { text: `${counted}\n`, reset: 'true', ...opened, ...more });
    await report(address, 'a');
    expect((await upload({})).status).toBe(412);
    expect((await upload({ revision: '4' })).status).toBe(303);
  });

  it('is refused beyond the bound of a chart, and of a form', async () => {
    const path = `/${newAddress()}/chart/edit`;
    expect((await submit(path, { text: `#${'x'.repeat(CHART_BYTES)}` })).status).toBe(413);
    expect((await submit(path, { text: 'é'.repeat(CHART_BYTES) })).status).toBe(413);
    const fields = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, '']));
    expect((await submit(path, fields)).status).toBe(400);
  });

  it('leads back to itself where it is refused', async () => {
    const address = await newChart(CHART);
    const headers = { ...HTML, Referer: `https://service.test/${address}/chart/edit` };
    const body = new URLSearchParams({ text: CHART });
    const response = await send('POST', `/${address}/chart/edit?by=${'x'.repeat(300)}`, { headers, body });
    expect([response.status, response.headers.get('Content-Type')]).toEqual([400, 'text/html;charset=UTF-8']);
    expect(await response.text()).toContain(`curl -i &#39;https://service.test/${address}/chart/edit&#39;`);
  });
});

describe('a dry run for a browser', () => {
  const dryRun = (address: string, body: string) =>
    pageOf(`/${address}/chart?dry_run=true&reset=true`, { method: 'PUT', body });

  it('is a page with the issues and the drawing, under the status of the upload', async () => {
    const address = newAddress();
    const right = await dryRun(address, CHART);
    expect(right.status).toBe(200);
    expect(right.text).toContain('✓ The chart can be uploaded.');
    expect(right.text).toContain('data-state="b"');
    const wrong = await dryRun(address, 'initial: x\nstates: {a: {}}\n');
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain('data-line="1" data-column="10"');
    expect(wrong.text).not.toContain('<svg');
    expect((await send('GET', `/${address}`)).status).toBe(404);
  });

  it('of an upload that is none, no page', async () => {
    const address = newAddress();
    const response = await send('PUT', `/${address}/chart`, { body: CHART, headers: HTML });
    expect([response.status, response.headers.get('Content-Type')]).toEqual([201, 'application/json']);
  });
});

describe('the form that starts a run', () => {
  const fields = { 'input.count': '4', 'input.soak': '1h', 'input.loud': 'true', 'input.version': '' };

  it('has a field for each input, with its default and its kind', async () => {
    const address = await newChart(INPUTS);
    const { text } = await pageOf(`/${address}/chart/start`);
    const hints = [...text.matchAll(/id="input\.(\w+)-hint"[^>]*>([^<]*)</g)].map(([, ...found]) => found);
    expect(hints).toEqual([
      ['count', 'a whole number, or a share such as 10%; default: 2'],
      ['soak', 'a duration, such as 30m; default: 30m'],
      ['loud', 'true or false; default: false'],
      ['version', 'text; default: empty'],
      ['host', 'a number, true or false, or text; must be given'],
    ]);
    expect(text).toMatch(/<input id="input.count"[^>]* value="2"/);
    expect(text).toMatch(/<input id="input.host"[^>]* required/);
    expect(text).toContain('<option value="false" selected="">');
  });

  it('starts the run as `start` does, and leads to its page', async () => {
    const address = await newChart(INPUTS);
    const form = { run: ' night ', ...fields, 'input.host': 'web-01' };
    for (let i = 0; i < 2; i++) {
      const { status, headers } = await submit(`/${address}/chart/start`, form);
      expect([status, headers.get('Location')]).toEqual([303, `/${address}@night`]);
    }
    expect(await (await send('GET', `/${address}@night`)).json()).toMatchObject({
      inputs: { count: 4, soak: '1h', loud: true, version: '', host: 'web-01' },
    });
    const other = await submit(`/${address}/chart/start`, { ...form, 'input.count': '5' });
    expect(other.status).toBe(409);
    expect(other.text).toContain('The run has begun with other inputs');
  });

  it('is shown again with what is wrong beside each field, and what was typed', async () => {
    const address = await newChart(INPUTS);
    const page = await submit(`/${address}/chart/start`, { run: 'r', ...fields, 'input.soak': 'soon' });
    expect(page.status).toBe(422);
    const problems = [...page.text.matchAll(/id="([\w.]+)-problem"[^>]*>([^<]*)</g)].map(
      ([, ...found]) => found,
    );
    expect(problems).toEqual([
      ['input.soak', 'soak must be a duration of at least 1s, such as 90s or 30m.'],
      ['input.host', 'host must be given: it has no default.'],
    ]);
    expect(page.text).toMatch(
      /<input id="input.soak" aria-describedby="input.soak-hint input.soak-problem" aria-invalid="true"[^>]* value="soon"/,
    );
    const unnamed = await submit(`/${address}/chart/start`, { run: 'a b', 'input.host': 'x' });
    expect(unnamed.status).toBe(400);
    expect(unnamed.text).toMatch(/id="run-problem"[^>]*>The run "a b" is no name/);
    expect((await send('GET', `/${address}@r`)).status).toBe(406);
  });

  it('is where the page of a machine leads that needs inputs: it said to load it again', async () => {
    const address = await newChart(INPUTS);
    for (const machine of [address, `${address}@1`]) {
      const { status, text } = await pageOf(`/${machine}/history`);
      expect(status).toBe(406);
      expect(text).toContain(`<a class="go" href="/${address}/chart/start">Start a run</a>`);
      expect(text).toContain(`curl -X POST 'https://service.test/${machine}/start?host=…'`);
      expect(text).not.toContain('Load this page again');
    }
  });

  it('needs the right at the run', async () => {
    const address = await newChart(CHART);
    const start = async (charts: readonly string[]) => {
      const body = new URLSearchParams({ run: '7' });
      const token = await tokenFor(charts, 'operate');
      const response = await sendAs(token, 'POST', `/${address}/chart/start`, { body, redirect: 'manual' });
      return response.status;
    };
    expect(await start([address])).toBe(403);
    expect(await start([address, `${address}@8`])).toBe(403);
    expect(await start([address, `${address}@7`])).toBe(303);
  });

  it('is neither for a run nor for the machine at the root', async () => {
    const address = await newChart(CHART);
    expect((await pageOf(`/${address}@1/chart/start`)).status).toBe(400);
    expect((await pageOf('/chart/start')).status).toBe(400);
  });

  it('is not offered where the chart has errors', async () => {
    const address = await newChart('initial: x\nstates: {a: {}}\n');
    expect((await pageOf(`/${address}/chart/start`)).status).toBe(422);
  });
});
