/** The events that a chart sends to itself. */
import { expect, it } from 'vitest';
import { raisedIn, readChart } from '../../src/chart/chart.ts';

function raised(text: string): readonly string[] {
  const reading = readChart(text);
  if (!reading.ok) throw new Error('the chart is not valid');
  return [...raisedIn(reading.chart.model)].toSorted();
}

it('are found wherever a chart has actions', () => {
  const text = `
initial: {target: a, actions: [{raise: begun}]}
states:
  a:
    entry: [{raise: entered}, {raise: {event: later, delay: 1000}}]
    exit: [{raise: left}]
    on: {update: [{target: b, guard: event.data.x > 1, actions: [{raise: big}]}, {actions: [{assign: {n: 1}}, {raise: small}]}]}
    after: {1h: {target: b, actions: [{raise: late}]}}
    at: {"2030-01-01T00:00:00Z": {target: b, actions: [{raise: new_year}]}}
    always: {target: b, guard: "in_state('b')", actions: [{raise: soon}]}
  b:
    initial: c
    states: {c: {type: final}}
    onDone: {target: d, actions: [{raise: over}]}
  d: {}
`;
  const events = ['begun', 'entered', 'later', 'left', 'big', 'small', 'late', 'new_year', 'soon', 'over'];
  expect(raised(text)).toEqual(events.toSorted());
});

it('are not update, which every plain report sends', () => {
  const text =
    'initial: a\nstates: {a: {entry: [{raise: update}, {raise: x}], on: {update: b, x: b}}, b: {}}';
  expect(raised(text)).toEqual(['x']);
  expect(raised('current_state: a\nstates: [{name: a}]')).toEqual([]);
});
