import { resolve } from 'node:path';
import { SECRET_BYTES } from '../limits.ts';
import { PACKAGE_ROOT } from './bundle.ts';
import { readFlags } from './flags.ts';
import { isLoopback, type Listen } from './listen.ts';
import { type Outcome, refuse } from './outcome.ts';

/** What `serve` was asked for. Paths are absolute. */
export interface ServeFlags {
  readonly chart: string | undefined;
  readonly charts: string;
  readonly data: string;
  readonly listen: Listen;
  /** Whether whoever reaches it may do everything; else it asks for tokens. */
  readonly isOpen: boolean;
  /** Names that `Host` may have where it is open, beside IP addresses. */
  readonly allowedHosts: readonly string[];
  /** Complete lines for stderr. */
  readonly notes: readonly string[];
}

const PORT_MAX = 65_535;

export const SERVE_HELP = `usage: npm start -- [flags]

Serves charts on this machine. Requests need a token where TOKEN_SECRET is set in the environment; without it, whoever
reaches the server may do everything.

  --chart FILE    the chart at /state (--machine, the original's later name, is the same)
  --charts DIR    a folder of charts: DIR/default.yaml is at /state,
                  DIR/acme/release.yaml at /acme/release/state   (default: charts of the package)
  --port N        0 is any free one                              (default: 5000)
  --host HOST     0.0.0.0 lets other machines in                 (default: 127.0.0.1)
  --data DIR      where the machines are kept                    (default: data)
  --allow-host NAME
                  a name that it is called by beside --host, localhost and IP addresses; may be said again.
                  Other names are refused without TOKEN_SECRET: a page could point one of its own here
  --open          without TOKEN_SECRET, listen also where others can reach it

--debug and --logger FILE, which the original has, are accepted and do nothing.

examples:
  npm start
  npm start -- --chart states.yaml
  TOKEN_SECRET=$(cat secret) npm start -- --charts /etc/stateservice --data /var/lib/stateservice --host 0.0.0.0
  curl -sf 'http://127.0.0.1:5000/state?state=green_state'`;

const OPTIONS = {
  chart: { type: 'string' },
  machine: { type: 'string' },
  charts: { type: 'string', default: resolve(PACKAGE_ROOT, 'charts') },
  port: { type: 'string', default: '5000' },
  host: { type: 'string', default: '127.0.0.1' },
  data: { type: 'string', default: 'data' },
  'allow-host': { type: 'string', multiple: true },
  open: { type: 'boolean', default: false },
  debug: { type: 'boolean' },
  logger: { type: 'string' },
} as const;

/** Reads the flags of `serve`. Refused: a flag it does not know, a port that is none, an argument that is no flag. */
export function readServeFlags(args: string[], env: NodeJS.ProcessEnv): Outcome<ServeFlags> {
  const parsed = readFlags(args, OPTIONS);
  if (!parsed.ok) return parsed;
  const { chart, machine, charts, port, host, data, open, debug, logger } = parsed.value.values;
  const names = parsed.value.values['allow-host'] ?? [];
  if (chart !== undefined && machine !== undefined) {
    return refuse('--chart and --machine are the same flag; give one of them', 'usage');
  }
  const file = chart ?? machine;
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
  if (!(number <= PORT_MAX)) return refuse(`--port ${port} is no port: 0 to ${PORT_MAX}`, 'usage');
  if (host === '') return refuse('--host is empty', 'usage');
  const wrongName = names.find((name) => hostName(name) === undefined);
  if (wrongName !== undefined) {
    return refuse(`--allow-host ${wrongName} is no host's name; say it as in state.example.com`, 'usage');
  }
  const isOpen = readOpenness(host, open, env);
  if (!isOpen.ok) return isOpen;
  const notes: string[] = [];
  if (debug) notes.push('stateservice: --debug does nothing here');
  if (logger !== undefined)
    notes.push('stateservice: --logger does nothing here; redirect the output instead');
  return {
    ok: true,
    value: {
      chart: file === undefined ? undefined : resolve(file),
      charts: resolve(charts),
      data: resolve(data),
      listen: { host, port: number },
      isOpen: isOpen.value,
      allowedHosts: ['localhost', host, ...names].flatMap((name) => hostName(name) ?? []),
      notes,
    },
  };
}

/** @returns a name as `URL` spells it, without a port; undefined where it is none. */
function hostName(name: string): string | undefined {
  if (!/^[\w.-]+$/.test(name) || !URL.canParse(`http://${name}`)) return undefined;
  return new URL(`http://${name}`).hostname.replace(/\.$/, '');
}

/** Whether it is open: where nobody has set a secret, and nobody else can reach it or that is what is wanted. */
function readOpenness(
  host: string,
  open: boolean,
  { TOKEN_SECRET, TOKEN_SECRET_PREVIOUS, AUTH }: NodeJS.ProcessEnv,
): Outcome<boolean> {
  if (AUTH !== undefined && AUTH !== 'token' && AUTH !== 'open') {
    return refuse('AUTH in the environment must be token or open', 'usage');
  }
  // One that is empty was meant to be something: a file that is not there, a variable that is not set.
  const isGuarded = TOKEN_SECRET !== undefined || TOKEN_SECRET_PREVIOUS !== undefined || AUTH === 'token';
  if (isGuarded && (open || AUTH === 'open')) {
    return refuse(
      'TOKEN_SECRET asks for tokens, and --open (or AUTH=open) for none; say one of them',
      'usage',
    );
  }
  if (isGuarded) {
    const secrets = { TOKEN_SECRET: TOKEN_SECRET ?? '', TOKEN_SECRET_PREVIOUS };
    for (const [name, secret] of Object.entries(secrets)) {
      if (secret === undefined || Buffer.byteLength(secret) >= SECRET_BYTES) continue;
      return refuse(`${name} must have ${SECRET_BYTES} bytes at least: openssl rand -base64 32`, 'usage');
    }
    return { ok: true, value: false };
  }
  if (isLoopback(host) || open || AUTH === 'open') return { ok: true, value: true };
  return refuse(
    `whoever reaches ${host} could read and change every machine: set TOKEN_SECRET, or say --open`,
    'usage',
  );
}
