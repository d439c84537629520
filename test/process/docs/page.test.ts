/** The parser of pages finds every block and every command. */
import { describe, expect, it } from 'vitest';
import { blocksOf, commandsOf, statusOf } from './page.ts';

const PAGE = `# Title

\`\`\`sh
one && \\
two
# 201: made
# and kept
three   # said
\`\`\`

## Session

\`\`\`console
$ echo a; echo; echo b
a

b
$ true
\`\`\`
`;

describe('a page', () => {
  it('has blocks under headings', () => {
    expect(blocksOf(PAGE).map(({ language, heading, line }) => [language, heading, line])).toEqual([
      ['sh', 'Title', 3],
      ['console', 'Session', 13],
    ]);
  });

  it('ignores headings inside a block', () => {
    expect(blocksOf('# A\n```sh\n# B\n```\n```sh\n```\n').map(({ heading }) => heading)).toEqual(['A', 'A']);
  });

  it('has its commands in order, each with the comments above it and the output below it', () => {
    expect(blocksOf(PAGE).flatMap(commandsOf)).toEqual([
      { text: 'one && \\\ntwo', comments: '', shown: [] },
      { text: 'three   # said', comments: '# 201: made\n# and kept', shown: [] },
      { text: 'echo a; echo; echo b', comments: '', shown: ['a', '', 'b'] },
      { text: 'true', comments: '', shown: [] },
    ]);
  });

  it.each([
    ['names no language', '```\nnpm ci\n```\n'],
    ['does not end', '```sh\nnpm ci\n'],
  ])('is refused where a block %s', (why, page) => {
    expect(() => blocksOf(page)).toThrow(why);
  });

  it('is refused where a session does not begin with a command', () => {
    expect(() => blocksOf('```console\na\n$ b\n```\n').flatMap(commandsOf)).toThrow('not with a');
  });
});

it.each([
  ['any success', 'curl -s x', '# Over again', ['200', '204'], ['406']],
  [
    'the status at the beginning of its comment',
    'curl -s x',
    '# 201: taken, and\n# 200 it is not',
    ['201'],
    ['200'],
  ],
  ['the status that its grep looks for', 'curl -sIX GET x | grep 406', '# is inactive', ['406'], ['200']],
])('the expected status of a request is %s', (_, text, comments, right, wrong) => {
  const expected = statusOf({ text, comments, shown: [] });
  for (const status of right) expect(status).toMatch(expected);
  for (const status of wrong) expect(status).not.toMatch(expected);
});
