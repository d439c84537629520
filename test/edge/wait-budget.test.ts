/** Places for waiting requests of a process: freed when the request is answered, or when its time is up. */
import { expect, it } from 'vitest';
import { openWithin, WaitingPlaces, waitWithin } from '../../src/edge/wait-budget.ts';

const NOON = Date.parse('2040-06-01T12:00:00Z');

it('a place is taken until it is given back', () => {
  const places = new WaitingPlaces();
  const giveBack = [places.take(NOON + 5_000), places.take(NOON + 5_000), places.take(NOON + 60_000)];
  expect(places.taken(NOON)).toBe(3);
  giveBack[0]?.();
  expect(places.taken(NOON)).toBe(2);
});

it('a place that is not given back is taken until its time is up', () => {
  const places = new WaitingPlaces();
  const late = places.take(NOON + 5_000);
  places.take(NOON + 60_000);
  expect(places.taken(NOON + 5_000)).toBe(2);
  expect(places.taken(NOON + 7_000)).toBe(1);
  // Giving it back late frees no other place.
  late();
  expect(places.taken(NOON + 7_000)).toBe(1);
});

it('without a free place, a call that waits is refused, and one that does not wait is made', async () => {
  const none = { WAITS: '0' };
  const refused = { ok: false, code: 'too-many-waiting', retryAfter: 5 };
  expect(await waitWithin(none, 'm', 1_000, async () => 'called')).toMatchObject(refused);
  expect(await waitWithin(none, 'm', 0, async () => 'called')).toBe('called');
  expect(await openWithin(none, 'm', async () => 'opened')).toMatchObject(refused);
});

it('a call that fails gives its place back', async () => {
  // Whatever other tests have left waiting in this process, and one more.
  const failing = waitWithin({}, 'm', 1_000, () => Promise.reject(new Error('lost')));
  await expect(failing).rejects.toThrow('lost');
});
