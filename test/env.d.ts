/** What the tests find in `env` and `exports` of `cloudflare:workers`. */
declare namespace Cloudflare {
  interface Env extends Readonly<import('../src/edge/env.ts').Env> {
    /** Answers as the folder of charts does, and takes charts with `PUT`: see `charts.ts`. */
    readonly CHARTS: Fetcher;
    /** Five in a minute. */
    readonly FEW_REQUESTS: RateLimit;
    /** Another Worker, that has us as bindings: see `binding/caller.ts`. */
    readonly CALLER: Fetcher;
    /** The real folder, `charts/`, as static assets. */
    readonly BUNDLE: Fetcher;
  }
  interface GlobalProps {
    mainModule: typeof import('../src/index.ts');
  }
}

interface ImportMeta {
  /** Vite's: the files that match, by their path. */
  glob(pattern: string, options: { query: '?raw'; import: 'default'; eager: true }): Record<string, string>;
}
