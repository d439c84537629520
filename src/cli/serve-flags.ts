import { resolve } from 'node:path';
import { HOOK_VARIABLE, type HookVariable, readHook } from '../hook.ts';
import { SECRET_BYTES } from '../request-limits.ts';
import { PACKAGE_ROOT } from './bundle.ts';
import { readFlags } from './flags.ts';
import { isLoopback, type Listen } from './listen.ts';
import { type Result, refuse } from './result.ts';

/** The flags of `serve`. Paths are absolute. */
export interface ServeFlags {
  readonly chart: string | undefined;
  readonly charts: string;
  readonly data: string;
  readonly listen: Listen;
  /** Whether requests need no token. */
  readonly isOpen: boolean;
  /** Names that are accepted in `Host`, beside IP addresses, where requests need no token. */
  readonly allowedHosts: readonly string[];
  /** The variables of the environment that name receivers of notifications. */
  readonly hooks: readonly HookVariable[];
  /** Complete lines for stderr. */
  readonly notes: readonly string[];
}

const PORT_MAX = 65_535;

export const SERVE_HELP = `usage: npm start -- [flags]

Serves charts on this machine. Requests need a token where TOKEN_SECRET is set in the environment; without it, every client
that reaches the server may do everything.

  --chart FILE    the chart at /state (--machine, the original's later name, is the same)
  --charts DIR    a folder of charts: DIR/default.yaml is at /state,
                  DIR/acme/release.yaml at /acme/release/state   (default: charts of the package)
  --port N        0 for any free port                            (default: 5000)
  --host HOST     0.0.0.0 for all interfaces                     (default: 127.0.0.1)
  --data DIR      the folder of the machines                     (default: data)
  --allow-host NAME
                  a further name in Host, beside --host, localhost and IP addresses; may be repeated. Without
                  TOKEN_SECRET other names are refused, against DNS rebinding
  --open          listen on other interfaces than loopback though TOKEN_SECRET is not set

--debug and --logger FILE of the original are accepted and have no effect.

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

/** Parses the flags of `serve`. Refuses unknown flags, invalid ports and hosts, and other arguments. */
export function readServeFlags(args: string[], env: NodeJS.ProcessEnv): Result<ServeFlags> {
  const parsed = readFlags(args, OPTIONS);
  if (!parsed.ok) return parsed;
  const { chart, machine, charts, port, host, data, open, debug, logger } = parsed.value.values;
  const names = parsed.value.values['allow-host'] ?? [];
  if (chart !== undefined && machine !== undefined) {
    return refuse('--chart and --machine are the same flag; give one of them', 'usage');
  }
  const file = chart ?? machine;
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
  if (!(number <= PORT_MAX)) return refuse(`--port ${port} is not a port: 0 to ${PORT_MAX}`, 'usage');
  // A path that is empty, as of a variable that is not set, would be the current folder.
  const empty = Object.entries({ chart, machine, charts, host, data }).find(([, value]) => value === '');
  if (empty !== undefined) return refuse(`--${empty[0]} is empty`, 'usage');
  const wrongName = names.find((name) => hostName(name) === undefined);
  if (wrongName !== undefined) {
    return refuse(`--allow-host ${wrongName} is not a host name such as state.example.com`, 'usage');
  }
  const isOpen = readOpenness(host, open, env);
  if (!isOpen.ok) return isOpen;
  const hooks = Object.keys(env).filter(isHookVariable).sort();
  const notes = hooks.flatMap((name) => {
    const read = readHook(name, env[name], true);
    return read.ok ? [] : `stateservice: ${read.problem}`;
  });
  if (debug) notes.push('stateservice: --debug has no effect');
  if (logger !== undefined) notes.push('stateservice: --logger has no effect; redirect the output instead');
  return {
    ok: true,
    value: {
      chart: file === undefined ? undefined : resolve(file),
      charts: resolve(charts),
      data: resolve(data),
      listen: { host, port: number },
      isOpen: isOpen.value,
      allowedHosts: ['localhost', host, ...names].flatMap((name) => hostName(name) ?? []),
      hooks,
      notes,
    },
  };
}

function isHookVariable(name: string): name is HookVariable {
  return HOOK_VARIABLE.test(name);
}

/** @returns a host name normalised by `URL`; undefined where it is not one. */
function hostName(name: string): string | undefined {
  if (!/^[\w.-]+$/.test(name) || !URL.canParse(`http://${name}`)) return undefined;
  return new URL(`http://${name}`).hostname.replace(/\.$/, '');
}

/** @returns whether requests need no token: no secret is set, and the host is loopback or `--open` is given. */
function readOpenness(
  host: string,
  open: boolean,
  { TOKEN_SECRET, TOKEN_SECRET_PREVIOUS, OIDC, AUTH }: NodeJS.ProcessEnv,
): Result<boolean> {
  if (AUTH !== undefined && AUTH !== 'token' && AUTH !== 'open') {
    return refuse('AUTH in the environment must be token or open', 'usage');
  }
  // An empty secret is refused: it may come from a missing file or an unset variable.
  const secret = [TOKEN_SECRET, TOKEN_SECRET_PREVIOUS].some((value) => value !== undefined);
  const isGuarded = secret || OIDC !== undefined || AUTH === 'token';
  if (isGuarded && (open || AUTH === 'open')) {
    const name = secret || OIDC === undefined ? 'TOKEN_SECRET' : 'OIDC';
    return refuse(
      `${name} requires tokens, and --open (or AUTH=open) turns them off; use one of them`,
      'usage',
    );
  }
  if (isGuarded) {
    const secrets = { TOKEN_SECRET: TOKEN_SECRET ?? '', TOKEN_SECRET_PREVIOUS };
    for (const [name, secret] of Object.entries(secrets)) {
      if (secret === undefined || Buffer.byteLength(secret) >= SECRET_BYTES) continue;
      return refuse(`${name} must have at least ${SECRET_BYTES} bytes: openssl rand -base64 32`, 'usage');
    }
    return { ok: true, value: false };
  }
  if (isLoopback(host) || open || AUTH === 'open') return { ok: true, value: true };
  return refuse(
    `every client that reaches ${host} could read and change every machine: set TOKEN_SECRET, or add --open`,
    'usage',
  );
}
