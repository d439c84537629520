/** Whether the messages to the hooks of a run are those of its history: each at least once, in order, and no other. */
import { isDeepStrictEqual } from 'node:util';
import type { Delivery } from './hooks.ts';
import type { Entry, Message } from './read-answer.ts';
import { HOOKS, type Shape } from './shapes.ts';

/** What the hooks of a machine were told, and what the machine says of it. */
export interface Told {
  /** The machine's address. */
  readonly machine: string;
  /** The outbox at the end, read after the history. */
  readonly outbox: readonly Message[];
  readonly deliveries: readonly Delivery[];
}

/**
 * Compares the messages with the machine's own history. Messages about entries that are newer than the history that was
 * read are ignored.
 *
 * @param entries the history, the newest entry first.
 * @returns what is wrong, a line each.
 */
export function wrongMessages({ notify = [] }: Pick<Shape, 'notify'>, entries: readonly Entry[], told: Told) {
  const newest = entries[0]?.id ?? 0;
  return HOOKS.flatMap((hook) => {
    const on = new Set(notify.flatMap((item) => (item.to === hook ? item.on : [])));
    const expected = entries.filter((entry) => occasionsOf(entry).some((occasion) => on.has(occasion)));
    const heard = told.deliveries
      .filter((delivery) => delivery.hook === hook)
      .map((delivery) => ({ ...delivery, content: JSON.parse(delivery.body) }))
      .filter(({ content }) => content.id <= newest);
    const outbox = told.outbox.filter((message) => message.hook === hook && message.id <= newest);
    const wrong = [
      ...lost(expected, heard, outbox),
      ...wrongOutbox(expected, outbox),
      ...wrongContents(told.machine, expected, heard),
      ...outOfOrder(expected, heard),
    ];
    return wrong.map((line) => `${hook}: ${line}`);
  });
}

/** What an entry of the history can be told as: the states that it has entered, and what an operator did. */
function occasionsOf({ cause, entered }: Entry): string[] {
  const occasion = { pause: ['paused'], override: ['overridden'], refused: ['refused'] }[cause] ?? [];
  return [...entered, ...occasion];
}

interface Heard extends Delivery {
  readonly content: { readonly id: number };
}

function lost(expected: readonly Entry[], heard: readonly Heard[], outbox: readonly Message[]): string[] {
  const taken = new Set(heard.filter(({ isTaken }) => isTaken).map(({ content }) => content.id));
  return expected.flatMap(({ id }) => {
    if (taken.has(id)) return [];
    const status = outbox.find((message) => message.id === id)?.status;
    if (status === 'pending') return [];
    return [`nobody took the message about entry ${id}, which is ${status ?? 'not in the outbox'}`];
  });
}

function wrongOutbox(expected: readonly Entry[], outbox: readonly Message[]): string[] {
  const ids = new Set(expected.map(({ id }) => id));
  return outbox.flatMap(({ id, status }) => {
    if (!ids.has(id)) return [`the outbox has a message about entry ${id}, of which nobody is to be told`];
    return status === 'failed' ? [`the message about entry ${id} was given up`] : [];
  });
}

function wrongContents(machine: string, expected: readonly Entry[], heard: readonly Heard[]): string[] {
  const byId = new Map(expected.map((entry) => [entry.id, entry]));
  return heard.flatMap(({ content, body, isSigned }) => {
    const entry = byId.get(content.id);
    if (entry === undefined) return [`a message about what never happened: ${body}`];
    if (!isSigned) return [`the message about entry ${content.id} is not signed`];
    if (isDeepStrictEqual(content, { machine, ...entry })) return [];
    return [`the message about entry ${content.id} differs from the history: ${body}`];
  });
}

/** A message is sent again until it was taken; the next one is sent after that, and then the one before never again. */
function outOfOrder(expected: readonly Entry[], heard: readonly Heard[]): string[] {
  const order = expected.map(({ id }) => id).reverse();
  let [at, isTaken] = [-1, true];
  for (const delivery of heard) {
    const { id } = delivery.content;
    const isNext = id === order[at + 1] && isTaken;
    if (isNext) [at, isTaken] = [at + 1, delivery.isTaken];
    else if (id === order[at]) isTaken ||= delivery.isTaken;
    else return [`the message about entry ${id} came after that about ${order[at]}, out of order`];
  }
  return [];
}

/** @returns how many messages were taken, and how many came again. */
export function countMessages({ deliveries }: Pick<Told, 'deliveries'> = { deliveries: [] }) {
  const taken = deliveries.filter(({ isTaken }) => isTaken);
  const all = new Set(deliveries.map(({ hook, body }) => hook + body));
  return { told: taken.length, toldAgain: deliveries.length - all.size };
}
