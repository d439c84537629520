/** The specification of the commands of operators: members, inputs, pauses, moves by hand. */
import {
  type Chart,
  type Inputs,
  type Members,
  override as moveTo,
  recount,
  type Terms,
} from '../../src/chart/chart.ts';
import { type Answered, no, stateOf, yes } from './answers.ts';
import { changed, counted, type Machine, moved } from './machine.ts';
import type { Moment } from './moment.ts';
import { paused, resumed } from './pauses.ts';
import type { Operation } from './requests.ts';

/** @param sent the earliest moment at which the service can have read the request. */
export function operate(
  chart: Chart,
  machine: Machine,
  request: Operation,
  when: Moment,
  sent: number,
): Answered {
  switch (request.type) {
    case 'members': {
      const { list } = request;
      return setMembers(chart, machine, list === undefined ? undefined : new Map(JSON.parse(list)), when);
    }
    case 'strike': {
      const others = new Map(machine.snapshot.terms.members);
      if (!others.delete(request.member))
        return { machine, answer: no(chart, machine, 404, 'no-such-member') };
      return setMembers(chart, machine, others, when);
    }
    case 'inputs': {
      const { terms } = machine.snapshot;
      const inputs = given(chart, terms.inputs, request.inputs);
      return done(
        areSame(inputs, terms.inputs) ? machine : withTerms(chart, machine, { ...terms, inputs }, when),
      );
    }
    case 'start': {
      const inputs = given(chart, chart.model.inputs ?? {}, request.inputs);
      if (areSame(inputs, machine.snapshot.terms.inputs)) return done(machine);
      return { machine, answer: no(chart, machine, 409, 'other-inputs') };
    }
    case 'pause': {
      const { by, reason, lasts } = request;
      const end = lasts === undefined ? {} : { until: { from: sent + lasts, to: when.to + lasts } };
      const words = { ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) };
      return done(paused(machine, when, { ...words, ...end }));
    }
    case 'resume':
      return done(machine.paused === undefined ? machine : resumed(machine, when));
    case 'override': {
      const to = stateOf(chart, request.to);
      const next = moved(machine, when, (now) => moveTo(chart, machine.snapshot, to, now));
      return done(counted(next, 'overrides'));
    }
  }
}

/** The values of inputs after some are given as text, which is a number where the default is one, or where there is none. */
export function given(chart: Chart, before: Inputs, texts: Inputs = {}): Inputs {
  const { inputs = {} } = chart.model;
  const values = Object.entries(texts).map(([name, value]) => {
    const isNumber = typeof inputs[name] !== 'string' && /^\d+$/.test(String(value));
    return [name, isNumber ? Number(value) : String(value)] as const;
  });
  return { ...before, ...Object.fromEntries(values) };
}

function areSame(one: Inputs, other: Inputs): boolean {
  return Object.entries(one).every(([name, value]) => other[name] === value);
}

function setMembers(chart: Chart, machine: Machine, members: Members | undefined, when: Moment): Answered {
  const { terms } = machine.snapshot;
  const before = terms.members ?? new Map<string, object>();
  const after = members ?? new Map<string, object>();
  const added = [...after.keys()].filter((name) => !before.has(name)).length;
  const removed = [...before.keys()].filter((name) => !after.has(name)).length;
  const relabelled = [...after].filter(
    ([name, labels]) => before.has(name) && JSON.stringify(labels) !== JSON.stringify(before.get(name)),
  ).length;
  const isSame =
    added + removed + relabelled === 0 && (members === undefined) === (terms.members === undefined);
  const next = isSame ? machine : withTerms(chart, machine, { ...terms, members }, when);
  if (members === undefined) return done(next);
  const change = { total: members.size, added, removed, relabelled };
  return { machine: next, answer: { ...yes(next), members: change } };
}

/** Changes the terms. A quorum that is met by it takes its transition. */
function withTerms(chart: Chart, machine: Machine, terms: Terms, when: Moment): Machine {
  const callers = (key: string) => machine.counted.get(key)?.by ?? [];
  const counting = (now: number) =>
    recount(chart, machine.snapshot, terms, callers, now, Number.POSITIVE_INFINITY);
  const { snapshot, met } = counting(when.from);
  let next = changed({ ...machine, snapshot }, when);
  for (const [i, { step }] of met.entries()) {
    if (!step.ok) continue;
    next = moved(counted(next, 'recounted'), when, (now) => counting(now).met[i]?.step ?? step);
  }
  return next;
}

function done(machine: Machine): Answered {
  return { machine, answer: { ...yes(machine), status: 204 } };
}
