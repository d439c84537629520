import { describe, expect, it, onTestFinished } from 'vitest';
import { counting, final, newChart, sequence } from '../../charts.ts';
import {
  ask,
  erase,
  holdDefault,
  problemOf,
  report,
  reportTimes,
  send,
  statePath,
  statusOf,
} from '../../service.ts';

const threeSteps = sequence(counting('green', 'red'), counting('red', 'blue', 2), final('blue'));

describe('GET state', () => {
  it('is 200 with the state’s name and the revision if the state is current', async () => {
    const response = await ask(await newChart(threeSteps), 'green');
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('green');
    expect(response.headers.get('Content-Type')).toMatch(/^text\/plain/);
    expect(response.headers.get('ETag')).toBe('"1"');
  });

  it('is 406 with the current states and the revision if it is not', async () => {
    const response = await ask(await newChart(threeSteps), 'blue');
    expect(response.status).toBe(406);
    expect(response.headers.get('ETag')).toBe('"1"');
    expect(await problemOf(response)).toMatchObject({
      detail: expect.stringMatching(/"blue".*"green"/),
      machine: { revision: 1, states: ['green'] },
    });
  });

  it('is 406 for a state that the chart does not have, and names it', async () => {
    const { detail } = await problemOf(await ask(await newChart(threeSteps), 'purple'));
    expect(detail).toMatch(/no state "purple".*"green"/);
  });

  it('is 406 if the query names no state, as in the original', async () => {
    const address = await newChart(threeSteps);
    for (const query of ['', '?', '?&'])
      expect((await send('GET', `/${address}/state${query}`)).status, query).toBe(406);
  });

  it('is 406 for an empty name', async () => {
    const address = await newChart(threeSteps);
    for (const query of ['?state=', '?state'])
      expect((await send('GET', `/${address}/state${query}`)).status, query).toBe(406);
  });

  it('uses the first of several names, as the original does', async () => {
    const address = await newChart(threeSteps);
    expect((await send('GET', `/${address}/state?state=green&state=red`)).status).toBe(200);
    expect((await send('GET', `/${address}/state?state=red&state=green`)).status).toBe(406);
  });

  it('has no effect, however often it is repeated', async () => {
    const address = await newChart(threeSteps);
    for (let i = 0; i < 10; i++) await ask(address, 'green');
    expect(await statusOf(address)).toMatchObject({ revision: 1, states: ['green'] });
  });

  it('answers HEAD with the same status and headers, and no body', async () => {
    const address = await newChart(threeSteps);
    const yes = await send('HEAD', statePath(address, 'green'));
    const no = await send('HEAD', statePath(address, 'blue'));
    expect([yes.status, yes.headers.get('ETag'), await yes.text()]).toEqual([200, '"1"', '']);
    expect([no.status, no.headers.get('ETag'), await no.text()]).toEqual([406, '"1"', '']);
  });
});

describe('PUT state', () => {
  it('counts, and answers with the state’s name and the new revision', async () => {
    const address = await newChart(threeSteps);
    const response = await report(address, 'green');
    expect([response.status, await response.text(), response.headers.get('ETag')]).toEqual([
      200,
      'green',
      '"2"',
    ]);
    expect(await (await ask(address, 'red')).text()).toBe('red');
  });

  it('takes the transition when the count is reached and not before', async () => {
    const address = await newChart(threeSteps);
    await reportTimes(address, 'green', 1);
    await reportTimes(address, 'red', 1);
    expect((await ask(address, 'red')).status).toBe(200);
    await reportTimes(address, 'red', 1);
    expect((await ask(address, 'red')).status).toBe(406);
    expect((await ask(address, 'blue')).status).toBe(200);
  });

  it('refuses a state that is not current, without counting', async () => {
    const address = await newChart(threeSteps);
    const response = await report(address, 'red');
    expect(response.status).toBe(406);
    expect(await problemOf(response)).toMatchObject({ machine: { revision: 1, states: ['green'] } });
    expect((await statusOf(address)).quorums).toMatchObject([{ state: 'green', have: 0 }]);
  });

  it('refuses a final state, and says that it is final', async () => {
    const address = await newChart(sequence(final('only')));
    const response = await report(address, 'only');
    expect(response.status).toBe(406);
    expect(response.headers.get('Allow')).toBeNull();
    expect(await problemOf(response)).toMatchObject({
      type: 'urn:stateservice:problem:final-state',
      detail: expect.stringContaining('"only"'),
    });
  });

  it('is 500 if the query names no state, as in the original', async () => {
    const address = await newChart(threeSteps);
    const response = await send('PUT', `/${address}/state`);
    expect(response.status).toBe(500);
    expect(await problemOf(response)).toMatchObject({ type: 'urn:stateservice:problem:no-state-to-update' });
    expect((await statusOf(address)).revision).toBe(1);
  });

  it('is 406 for an empty name, as in the original', async () => {
    const address = await newChart(threeSteps);
    expect((await send('PUT', `/${address}/state?state=`)).status).toBe(406);
  });

  it('ignores a body', async () => {
    const address = await newChart(threeSteps);
    const response = await send('PUT', statePath(address, 'green'), { body: '{"state": "red"}' });
    expect([response.status, await response.text()]).toEqual([200, 'green']);
  });

  it('counts for ever if the count is past its target, as the original does', async () => {
    const address = await newChart(sequence(counting('past', 'end', 1, 5), final('end')));
    await reportTimes(address, 'past', 20);
    expect((await statusOf(address)).quorums).toMatchObject([{ state: 'past', have: 25, need: 1 }]);
  });

  it('counts in fractions and from below zero', async () => {
    const address = await newChart(
      sequence(counting('half', 'minus', 1.5, -0.5), counting('minus', 'end', -1, -3), final('end')),
    );
    await reportTimes(address, 'half', 2);
    await reportTimes(address, 'minus', 2);
    expect((await ask(address, 'end')).status).toBe(200);
  });

  it('counts from the start each time a state is entered', async () => {
    const address = await newChart(sequence(counting('a', 'b', 2), counting('b', 'a', 1)));
    for (let round = 0; round < 3; round++) {
      await reportTimes(address, 'a', 2);
      await reportTimes(address, 'b', 1);
    }
    await reportTimes(address, 'a', 1);
    expect(await statusOf(address)).toMatchObject({ states: ['a'], quorums: [{ have: 1, need: 2 }] });
  });

  it('enters a state again that leads to itself', async () => {
    const address = await newChart(sequence(counting('round', 'round', 3)));
    await reportTimes(address, 'round', 7);
    expect(await statusOf(address)).toMatchObject({ states: ['round'], revision: 8, quorums: [{ have: 1 }] });
  });
});

describe('machines of different addresses', () => {
  it('are independent, though they run the same chart', async () => {
    const [one, other] = [await newChart(threeSteps), await newChart(threeSteps)];
    await reportTimes(one, 'green', 1);
    expect((await ask(one, 'red')).status).toBe(200);
    expect((await ask(other, 'green')).status).toBe(200);
  });

  it('include the runs of a chart, which start when they are first used', async () => {
    const address = await newChart(threeSteps);
    await reportTimes(address, 'green', 1);
    expect((await ask(`${address}@1`, 'green')).status).toBe(200);
    await reportTimes(`${address}@1`, 'green', 1);
    await reportTimes(`${address}@1`, 'red', 2);
    expect((await statusOf(`${address}@1`)).states).toEqual(['blue']);
    expect((await statusOf(`${address}@2`)).states).toEqual(['green']);
    expect((await statusOf(address)).states).toEqual(['red']);
  });

  it('are the same if only the escaping of the path differs', async () => {
    const address = await newChart(threeSteps);
    await reportTimes(address, 'green', 1);
    const escaped = address.replace('test', '%74e%73t');
    expect((await send('GET', `/${escaped}/state?state=red`)).status).toBe(200);
    await report(`${address}@7`, 'green');
    expect((await send('GET', `/${address}%407/state?state=red`)).status).toBe(200);
  });
});

describe('the service’s own chart', () => {
  it('is at the root, as in the original', async () => {
    onTestFinished(await holdDefault());
    await erase('default');
    const statuses = [];
    for (const [method, state] of [
      ['GET', 'green_state'],
      ['PUT', 'green_state'],
      ['GET', 'red_state'],
      ['GET', 'green_state'],
    ] as const) {
      statuses.push((await send(method, `/state?state=${state}`)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 406]);
    expect(await statusOf('default')).toMatchObject({ machine: 'default', states: ['red_state'] });
  });
});
