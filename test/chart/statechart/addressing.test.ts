import { describe, expect, it } from 'vitest';
import { Run } from '../run.ts';

const chart = `
  id: release
  initial: fleet
  states:
    fleet:
      type: parallel
      states:
        eu:
          initial: drain
          states:
            drain: {on: {update: deploy}}
            deploy: {initial: copy, states: {copy: {on: {update: check}}, check: {}}}
          on: {fail: .drain}
        us:
          initial: drain
          states: {drain: {on: {update: deploy}}, deploy: {}}
      on: {abort: aborted}
    aborted: {}
  on: {reset: .fleet}
`;

describe('an event goes to the state that it was sent to', () => {
  it('and not to the regions beside it, though they would take it', () => {
    const run = new Run(chart);
    expect(run.send('update', 'fleet.eu.drain')).toBe('taken');
    expect(run.leaves).toEqual(['fleet.eu.deploy.copy', 'fleet.us.drain']);
  });

  it('and to what is active inside it', () => {
    const run = new Run(chart);
    expect(run.send('update', 'fleet.eu')).toBe('taken');
    expect(run.send('update', 'fleet.eu')).toBe('taken');
    expect(run.leaves).toEqual(['fleet.eu.deploy.check', 'fleet.us.drain']);
  });

  it('sent to their parent, both regions take it', () => {
    const run = new Run(chart);
    expect(run.send('update', 'fleet')).toBe('taken');
    expect(run.leaves).toEqual(['fleet.eu.deploy.copy', 'fleet.us.deploy']);
  });

  it('sent to the root, by its id, all take it', () => {
    const run = new Run(chart);
    expect(run.send('update', 'release')).toBe('taken');
    expect(run.leaves).toEqual(['fleet.eu.deploy.copy', 'fleet.us.deploy']);
  });

  it('and to what it lies in', () => {
    for (const state of ['fleet.eu.drain', 'fleet.us', 'fleet', 'release']) {
      const run = new Run(chart);
      expect(run.send('abort', state)).toBe('taken');
      expect(run.active).toEqual(['aborted']);
    }
  });

  it('and to the parent of a region, but not of the other', () => {
    const run = new Run(chart);
    run.send('update', 'fleet.eu');
    expect(run.send('fail', 'fleet.us')).toBe('not-taken');
    expect(run.send('fail', 'fleet.eu.deploy.copy')).toBe('taken');
    expect(run.leaves).toEqual(['fleet.eu.drain', 'fleet.us.drain']);
  });

  it('and to the root, from anywhere', () => {
    const run = new Run(chart);
    run.send('update', 'release');
    expect(run.send('reset', 'fleet.us.deploy')).toBe('taken');
    expect(run.leaves).toEqual(['fleet.eu.drain', 'fleet.us.drain']);
  });

  it('and is not taken where only another region would take it', () => {
    const run = new Run(chart);
    run.send('update', 'fleet.us');
    expect(run.send('update', 'fleet.us')).toBe('not-taken');
    expect(run.leaves).toEqual(['fleet.eu.drain', 'fleet.us.deploy']);
  });

  it('is counted by the quorum of that region alone', () => {
    const run = new Run(`
      type: parallel
      states:
        eu: {initial: a, states: {a: {on: {update: {target: b, quorum: 2}}}, b: {}}}
        us: {initial: a, states: {a: {on: {update: {target: b, quorum: 2}}}, b: {}}}
    `);
    run.send('update', 'eu.a');
    run.send('update', 'us.a');
    expect(run.leaves).toEqual(['eu.a', 'us.a']);
    run.send('update', 'eu.a');
    expect(run.leaves).toEqual(['eu.b', 'us.a']);
  });

  it('is blocked by a region that forbids it, for that region alone', () => {
    const run = new Run(`
      initial: p
      states:
        p:
          type: parallel
          on: {stop: z}
          states: {a: {on: {stop: {}}}, b: {}}
        z: {}
    `);
    expect(run.send('stop', 'p.a')).toBe('not-taken');
    expect(run.send('stop', 'p.b')).toBe('taken');
    expect(run.active).toEqual(['z']);
  });
});
