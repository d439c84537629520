import { describe, expect, it } from 'vitest';
import { asShown } from './shown.ts';

const MOMENT = '2026-11-24T04:17:05.119Z';
const LATER = '2031-01-02T03:04:05.678Z';

describe('what is shown', () => {
  it.each([
    ['the same lines', ['a (b)', '', '  "c": 1'], ['a (b)', '', '  "c": 1']],
    ['another moment', [`"web-01" until ${LATER}.`], [`"web-01" until ${MOMENT}.`]],
    ['what is left out of a line', ['"web-01", "web-02", "web-03"; claim'], ['"web-01", …; claim']],
    ['nothing left out', ['POST …/claims'], ['POST …/claims']],
  ])('is printed: %s', (_, printed, shown) => {
    expect(asShown(printed, shown)).toEqual(shown);
  });

  it.each([
    ['another word', ['is current'], ['is not current']],
    ['more in the line', ['a b'], ['a']],
    ['less in the line', ['a'], ['a b']],
    ['a line more', ['a', 'b'], ['a']],
    ['a line less', ['a'], ['a', 'b']],
    ['no line at all', [], ['…']],
    ['two lines for one that leaves something out', ['a', 'b'], ['a…']],
    ['no moment', ['until tomorrow'], [`until ${MOMENT}`]],
    ['a moment where another word is shown', [MOMENT], ['tomorrow']],
    ['what a regular expression would take', ['axb'], ['a.b']],
    ['another number', ['at revision 2.'], ['at revision 1.']],
  ])('is not printed: %s', (_, printed, shown) => {
    expect(asShown(printed, shown)).not.toEqual(shown);
  });
});
