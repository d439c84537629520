/** A real issuer of tokens, oauth2-mock-server, behind a server that counts requests and can fail. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { OAuth2Issuer, OAuth2Service } from 'oauth2-mock-server';

const AUDIENCE = 'https://state.example.com';

export interface Issuer {
  readonly iss: string;
  /** The paths that were requested. */
  readonly requested: readonly string[];
  /** A token with these claims, valid for an hour. */
  token(claims?: Readonly<Record<string, unknown>>, options?: TokenOptions): Promise<string>;
  /** An entry of the variable `OIDC`. */
  entry(changes?: object): object;
  /** Replaces its keys by a new one, of RS256. */
  rotate(): Promise<void>;
  /** Ends it. */
  stop(): void;
}

interface TokenOptions {
  /** The algorithm of its key; default: that of the next key. */
  readonly alg?: string;
  /** In place of the name of its key. */
  readonly kid?: string;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers = new Set<Server>();

/**
 * Starts an issuer with a key of each kind on a free port of 127.0.0.1.
 *
 * @param handlers answer in its place, by path without query.
 */
export async function startIssuer(handlers: Readonly<Record<string, Handler>> = {}): Promise<Issuer> {
  let issuer = new OAuth2Issuer();
  for (const alg of ['RS256', 'ES256', 'EdDSA']) await issuer.keys.generate(alg, { kid: alg });
  let { requestHandler } = new OAuth2Service(issuer);
  const requested: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requested.push(path);
    (handlers[path.split('?')[0] ?? ''] ?? requestHandler)(request, response);
  });
  servers.add(server);
  await new Promise<void>((done) => server.listen({ host: '127.0.0.1', port: 0 }, done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  const iss = `http://127.0.0.1:${address.port}`;
  issuer.url = iss;
  return {
    iss,
    requested,
    token: (claims = {}, { alg, kid } = {}) =>
      issuer.buildToken({
        kid: alg,
        scopesOrTransform: (header, payload) => {
          Object.assign(payload, { aud: AUDIENCE, sub: 'tester', ...claims });
          if (kid !== undefined) header.kid = kid;
        },
      }),
    entry: (changes = {}) => ({
      iss,
      aud: AUDIENCE,
      if: 'true',
      charts: ['acme/*'],
      can: ['read', 'update'],
      ...changes,
    }),
    async rotate() {
      issuer = new OAuth2Issuer();
      issuer.url = iss;
      await issuer.keys.generate('RS256');
      requestHandler = new OAuth2Service(issuer).requestHandler;
    },
    stop: () => stop(server),
  };
}

/** For `afterAll`: ends every issuer. */
export function stopIssuers(): void {
  for (const server of servers) stop(server);
}

/** Ends a server, also its answers that never end. */
function stop(server: Server): void {
  servers.delete(server);
  server.close();
  server.closeAllConnections();
}
