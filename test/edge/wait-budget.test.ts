/** Places for requests that wait, in a process: given back when a request is answered, or when its time is up. */
import { expect, it } from 'vitest';
import { WaitingPlaces, waitWithin } from '../../src/edge/wait-budget.ts';

const NOON = Date.parse('2040-06-01T12:00:00Z');

it('takes a place until it is given back', () => {
  const places = new WaitingPlaces();
  const giveBack = [places.take(NOON + 5_000), places.take(NOON + 5_000), places.take(NOON + 60_000)];
  expect(places.taken(NOON)).toBe(3);
  giveBack[0]?.();
  expect(places.taken(NOON)).toBe(2);
});

it('takes a place until its time is up where nothing gives it back', () => {
  const places = new WaitingPlaces();
  const late = places.take(NOON + 5_000);
  places.take(NOON + 60_000);
  expect(places.taken(NOON + 5_000)).toBe(2);
  expect(places.taken(NOON + 7_000)).toBe(1);
  // Late, it gives back no other's.
  late();
  expect(places.taken(NOON + 7_000)).toBe(1);
});

it('makes no call that waits where there is no place, and any that does not', async () => {
  const none = { WAITS: '0' };
  const refused = { ok: false, code: 'too-many-waiting', retryAfter: 5 };
  expect(await waitWithin(none, 1_000, async () => 'called')).toMatchObject(refused);
  expect(await waitWithin(none, 0, async () => 'called')).toBe('called');
});

it('gives a place back after a call that fails', async () => {
  // Whatever other tests have left waiting in this process, and one more.
  const failing = waitWithin({}, 1_000, () => Promise.reject(new Error('lost')));
  await expect(failing).rejects.toThrow('lost');
});
