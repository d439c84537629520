import type { Grant } from '../grant.ts';
import type { MachineEnv } from '../objects/chart-source.ts';

/** The bindings of the Worker: what `wrangler.toml`, or `npm start`, sets. */
export interface Env extends MachineEnv, AuthBindings, HostBindings, OriginBindings {
  /** Cloudflare's rate limit, if wrangler.toml has one: counted by token, or by address if there is no token. */
  readonly RATE_LIMIT?: RateLimit;
  /** `requests`: a line of log for each request. Otherwise only faults are logged. */
  readonly LOG?: string | null;
  /** How many requests may wait or watch at once, in decimal: `npm start` sets it. Default: `WAITS`, for waits only. */
  readonly WAITS?: string;
}

/** How requests are authenticated. */
export interface AuthBindings {
  /** `token`, the default, or `open`: every caller may do everything. */
  readonly AUTH?: string;
  /** `yes`: `AUTH=open` is intended on Cloudflare too. */
  readonly OPEN_TO_THE_INTERNET?: string;
  /** The key that tokens are signed with: a secret, never a variable. */
  readonly TOKEN_SECRET?: string | null;
  /** The key before it, until the last token signed with it has expired. */
  readonly TOKEN_SECRET_PREVIOUS?: string | null;
  /** The issuers whose tokens are accepted as well: YAML or JSON, or the list itself (`oidc/config.ts`). */
  readonly OIDC?: unknown;
}

export interface HostBindings {
  /**
   * The names, separated by commas, that `Host` may have beside IP addresses. Default: any, because Cloudflare routes
   * no request with a foreign name to this Worker.
   */
  readonly ALLOWED_HOSTS?: string;
}

export interface OriginBindings {
  /** The origins, separated by commas, whose pages may use the service: `https://ops.example.com`. Default: none. */
  readonly CORS_ORIGINS?: string | null;
}

/** The types of hono's context. */
export interface AppEnv {
  readonly Bindings: Env;
  readonly Variables: {
    /** What the request's token allows; absent if the service is open. */
    grant?: Grant;
    /** The parameters of its query, once `queryOf` has read them. */
    query?: Readonly<Record<string, string>>;
  };
}
