/** The commands of the documentation through Prism: what the pages tell users to send fits OpenAPI, and so do the answers. */
import { afterAll, describe } from 'vitest';
import { testCommands } from '../../process/docs/documented-commands.ts';
import { lacks } from '../fetched.ts';
import { MOCKS_501, startPrism, stopPrisms } from './proxy.ts';

/** Blocks that Prism would change, by their heading. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  Undo: MOCKS_501,
  'When it says no': 'Prism writes JSON anew, on one line',
};

describe.skipIf(lacks('prism'))('Prism', () => {
  afterAll(stopPrisms);
  testCommands({
    start: async ({ url }) => (await startPrism(url, 'both')).url,
    whyNot: ({ heading, text }) =>
      /curl|turn/.test(text) ? LEFT_OUT[heading] : 'blocks of the documentation that send no request',
  });
});
