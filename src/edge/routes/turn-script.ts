import script from '../../../docs/recipes/turn.sh';
import { hashOf } from '../../objects/catalog.ts';
import { IF_NONE_MATCH } from '../parameters.ts';
import type { ServiceResource } from '../resource.ts';
import { document, respond } from '../responses.ts';

/** `turn.sh`, so that a machine needs nothing but curl and the address of the service. */
export const turnScript: ServiceResource = {
  path: '/turn.sh',
  contract: {
    id: 'turnScript',
    summary: 'The script turn.sh: it waits for a turn, holds a slot while a command runs, and reports.',
    parameters: [IF_NONE_MATCH],
    answers: {
      200: { says: 'A POSIX shell script.', content: { 'text/x-shellscript': 'text' }, headers: ['ETag'] },
      304: { says: 'The script is the one in `If-None-Match`.', headers: ['ETag'] },
    },
  },
  async answer(c) {
    tag ??= await hashOf(script);
    const headers = { ETag: `"${tag}"` };
    const known = c.req.header('If-None-Match') ?? '';
    if (known.includes(headers.ETag)) return respond(null, 304, headers);
    return document(script, 'text/x-shellscript;charset=UTF-8', headers);
  },
};

let tag: string | undefined;
