import { describe, expect, it } from 'vitest';
import { asShown } from './shown.ts';

const MOMENT = '2026-11-24T04:17:05.119Z';
const LATER = '2031-01-02T03:04:05.678Z';

describe('shown output', () => {
  it.each([
    ['the same lines', ['a (b)', '', '  "c": 1'], ['a (b)', '', '  "c": 1']],
    ['another time', [`"web-01" until ${LATER}.`], [`"web-01" until ${MOMENT}.`]],
    ['left-out text within a line', ['"web-01", "web-02", "web-03"; claim'], ['"web-01", …; claim']],
    ['nothing left out', ['POST …/claims'], ['POST …/claims']],
  ])('matches the printed output: %s', (_, printed, shown) => {
    expect(asShown(printed, shown)).toEqual(shown);
  });

  it.each([
    ['another word', ['is current'], ['is not current']],
    ['more in the line', ['a b'], ['a']],
    ['less in the line', ['a'], ['a b']],
    ['one line more', ['a', 'b'], ['a']],
    ['one line less', ['a'], ['a', 'b']],
    ['no line at all', [], ['…']],
    ['two lines for one line with left-out text', ['a', 'b'], ['a…']],
    ['no time', ['until tomorrow'], [`until ${MOMENT}`]],
    ['a time where the page shows a word', [MOMENT], ['tomorrow']],
    ['a match of the shown text as a regular expression', ['axb'], ['a.b']],
    ['another number', ['at revision 2.'], ['at revision 1.']],
  ])('does not match the printed output: %s', (_, printed, shown) => {
    expect(asShown(printed, shown)).not.toEqual(shown);
  });
});
