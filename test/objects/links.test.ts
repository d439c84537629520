/** Links: reports by people, each once, in one visit of one state. */
import { afterEach, describe, expect, it } from 'vitest';
import { newChart } from '../charts.ts';
import { evict, historyOf, objectAt, problemOf, send, statusOf, tracesOf } from '../service.ts';
import { claim, erase, put, reset, resource, upload } from './callers.ts';
import { APPROVAL, linkTo, make, press, show, waiting } from './people.ts';
import { moment, removeStandIn, restore } from './restoring.ts';

afterEach(removeStandIn);

describe('a link', () => {
  it('shows what it sends, and a button; its button sends it', async () => {
    const address = await waiting();
    const link = await linkTo(address, 'waiting');
    const page = await show(link);
    expect(page).toMatchObject({ status: 200, title: 'Send approve?', hasButton: true });
    expect(page.text).toContain(`You send approve to the state waiting of ${address}, as anna .`);
    expect(page.text).toContain('So far: 0 of 2.');
    const done = await press(link);
    expect(done).toMatchObject({ status: 200, title: '✓ Done', hasButton: false });
    expect(done.text).toContain('Now: 1 of 2.');
    const [entry] = (await historyOf(address)).history;
    expect(entry).toMatchObject({ cause: 'update', event: 'approve', by: 'anna', notes: ['by a link'] });
  });

  it('says where the machine moves', async () => {
    const address = await waiting();
    await put(address, 'waiting', { event: 'approve', by: 'ben' });
    const link = await linkTo(address, 'waiting');
    expect((await show(link)).text).toContain('The machine then moves to deploy.');
    expect((await press(link)).text).toContain('Current state: deploy');
    expect(await statusOf(address)).toMatchObject({ states: ['deploy'] });
  });

  it('never acts when it is read, however often', async () => {
    const address = await waiting();
    const link = await linkTo(address, 'waiting');
    const before = await statusOf(address);
    for (const method of ['GET', 'HEAD', 'GET', 'OPTIONS', 'HEAD']) await send(method, link);
    expect(await statusOf(address)).toEqual(before);
    expect((await historyOf(address)).history).toHaveLength(2);
  });

  it('counts once, and says so afterwards', async () => {
    const address = await waiting();
    const link = await linkTo(address, 'waiting');
    await press(link);
    const { revision } = await statusOf(address);
    const again = await press(link);
    expect(again).toMatchObject({ status: 200, title: '✓ Already done' });
    expect(again.text).toContain('It counts once.');
    expect(await show(link)).toMatchObject({ status: 200, title: '✓ Already done', hasButton: false });
    expect((await statusOf(address)).revision).toBe(revision);
  });

  it('counts once for a person who has reported without it', async () => {
    const address = await waiting();
    const link = await linkTo(address, 'waiting');
    await put(address, 'waiting', { event: 'approve', by: 'anna' });
    expect(await press(link)).toMatchObject({ status: 200, title: '✓ Already done' });
    expect((await statusOf(address)).quorums).toMatchObject([{ have: 1 }]);
  });

  it('says that it was used also after the visit', async () => {
    const address = await waiting();
    const link = await linkTo(address, 'waiting');
    await press(link);
    await put(address, 'waiting', { event: 'approve', by: 'ben' });
    expect(await show(link)).toMatchObject({ status: 200, title: '✓ Already done' });
    expect(await press(link)).toMatchObject({ status: 200, title: '✓ Already done' });
  });

  it('survives an eviction, and counts at the same time as its twin once', async () => {
    const address = await waiting();
    const link = await linkTo(address, 'waiting');
    await evict(address);
    const pages = await Promise.all([press(link), press(link), press(link)]);
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(pages.filter(({ title }) => title === '✓ Done')).toHaveLength(1);
    expect((await statusOf(address)).quorums).toMatchObject([{ have: 1 }]);
  });

  it('sends any event, to any active state: the root, a parallel region, a state with a quorum of its own', async () => {
    const address = await newChart(`
id: all
type: parallel
states:
  eu: {initial: drain, states: {drain: {on: {update: done}}, done: {}}}
  us: {initial: drain, states: {drain: {on: {update: done}}, done: {}}}
`);
    const [root, eu] = [
      await linkTo(address, 'all', { event: 'update' }),
      await linkTo(address, 'eu.drain', { event: 'update' }),
    ];
    await press(eu);
    expect(await statusOf(address)).toMatchObject({ states: ['eu', 'eu.done', 'us', 'us.drain'] });
    await press(root);
    expect(await statusOf(address)).toMatchObject({ states: ['eu', 'eu.done', 'us', 'us.done'] });
  });

  it('counts while the machine is paused, and says so', async () => {
    const address = await waiting();
    const link = await linkTo(address, 'waiting');
    await send('POST', resource(address, 'pause', { reason: 'lunch' }));
    expect((await show(link)).text).toContain('The machine is paused. What you send counts all the same.');
    expect(await press(link)).toMatchObject({ status: 200, title: '✓ Done' });
  });

  it('counts while the windows of its state are closed, as any report', async () => {
    const later = new Date(Date.now() + 12 * 3_600_000).getUTCHours();
    const address = await newChart(
      `initial: a\nstates: {a: {window: {cron: "0 ${later} * * *", for: 1h}, on: {update: b}}, b: {}}`,
    );
    const link = await linkTo(address, 'a', { event: 'update' });
    expect(await press(link)).toMatchObject({ status: 200, title: '✓ Done' });
  });
});

describe('a link that is over', () => {
  const over = async (link: string, address: string) => {
    const before = JSON.stringify(await statusOf(address));
    const [shown, pressed] = [await show(link), await press(link)];
    expect(shown).toMatchObject({ status: 410, title: 'The link is not good any more', hasButton: false });
    expect(pressed).toEqual(shown);
    expect(JSON.stringify(await statusOf(address))).toBe(before);
    return shown.text;
  };

  it('is that of a state that was left', async () => {
    const address = await waiting();
    const link = await linkTo(address, 'waiting');
    await put(address, 'waiting', { event: 'reject' });
    expect(await over(link, address)).toContain('waiting&quot; was left since the link was made');
  });

  it('is that of an earlier visit, also if it was used', async () => {
    const address = await waiting();
    const [used, unused] = [
      await linkTo(address, 'waiting'),
      await linkTo(address, 'waiting', { by: 'cleo' }),
    ];
    await press(used);
    await put(address, 'waiting', { event: 'approve', by: 'ben' });
    await put(address, 'deploy', { event: 'fail' });
    await put(address, 'build');
    for (const link of [used, unused])
      expect(await over(link, address)).toContain('was left and entered again since the link was made');
    expect((await statusOf(address)).quorums).toMatchObject([{ have: 0 }]);
  });

  it('is that of a state that an operator has entered anew', async () => {
    const address = await waiting();
    const link = await linkTo(address, 'waiting');
    await send('POST', resource(address, 'override', { to: 'waiting', reason: 'again' }));
    await over(link, address);
  });

  it.each(['reset', 'upload'])('is that of a machine that has started over: %s', async (how) => {
    const address = await newChart(APPROVAL);
    const link = await linkTo(address, 'build', { event: 'update' });
    if (how === 'reset') await reset(address);
    else await upload(address, APPROVAL.replace('fail: build', 'fail: rejected'), '?reset=true');
    expect(await over(link, address)).toContain('The machine has started over since the link was made');
  });

  it('is that of a machine that was deleted, and does not begin it again', async () => {
    const address = await newChart(APPROVAL);
    const link = await linkTo(address, 'build', { event: 'update' });
    await erase(address);
    for (const page of [await show(link), await press(link)]) {
      expect(page).toMatchObject({ status: 410, hasButton: false });
      expect(page.text).toContain('The machine was deleted after the link was made.');
    }
    expect(await tracesOf(address)).toMatchObject({ alarm: null });
    expect(await objectAt(address).read([{ type: 'summary' }])).toMatchObject([{ ok: false }]);
    // One that begins there again is another machine.
    await over(link, address);
  });

  it('is that of a run that was deleted', async () => {
    const address = `${await newChart(APPROVAL)}@1`;
    await send('POST', resource(address, 'start'));
    const link = await linkTo(address, 'build', { event: 'update' });
    await erase(address);
    for (const page of [await show(link), await press(link)]) expect(page.status).toBe(410);
    expect(await statusOf(address)).toMatchObject({ started: null });
  });

  it('is that of a visit that a restore has undone', async () => {
    const address = await newChart(APPROVAL);
    await send('GET', `/${address}`);
    const at = await moment(address);
    await put(address, 'build');
    const link = await linkTo(address, 'waiting');
    expect((await restore(address, at)).status).toBe(204);
    expect(await over(link, address)).toContain('was left since');
    await put(address, 'build');
    await over(link, address);
  });

  it('is good again if a restore brings back the visit that it is for', async () => {
    const address = await waiting();
    const link = await linkTo(address, 'waiting');
    const at = await moment(address);
    await put(address, 'waiting', { event: 'reject' });
    await restore(address, at);
    expect(await press(link)).toMatchObject({ status: 200, title: '✓ Done' });
  });
});

describe('a link whose report is refused', () => {
  it('says why, with the status of the report', async () => {
    const address = await newChart(`
initial: work
context: {open: true}
states:
  work:
    on:
      update: {target: rest, guard: context.open}
      close: {actions: [{assign: {open: false}}]}
  rest: {}
`);
    const link = await linkTo(address, 'work', { event: 'update' });
    await put(address, 'work', { event: 'close' });
    for (const page of [await show(link), await press(link)]) {
      expect(page).toMatchObject({
        status: 406,
        title: 'The state does not take this event',
        hasButton: false,
      });
      expect(page.text).toContain('no guard of it is true');
    }
  });

  it('is that of a person who was struck off the members', async () => {
    const address = await waiting();
    await send('PUT', resource(address, 'members'), { body: 'anna\nben\n' });
    const link = await linkTo(address, 'waiting');
    await send('DELETE', `/${address}/members/anna`);
    expect(await press(link)).toMatchObject({ status: 406, title: 'The caller is not a member' });
  });

  it('is that of a person whose slot was returned', async () => {
    const address = await newChart('initial: a\nstates: {a: {slots: 1, on: {update: b}}, b: {}}');
    expect((await problemOf(await make(address, 'a', { event: 'update' }))).type).toContain('not-holder');
    await claim(address, 'a', 'anna');
    const link = await linkTo(address, 'a', { event: 'update' });
    await send('DELETE', resource(address, 'claims', { state: 'a', by: 'anna' }));
    expect(await show(link)).toMatchObject({ status: 406, title: 'The caller holds no slot' });
    await claim(address, 'a', 'anna');
    expect(await press(link)).toMatchObject({ status: 200 });
  });
});
