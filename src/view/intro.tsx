/** The introduction on the root page, and pages without a machine. */
import { Page } from './page.tsx';

interface IntroProps {
  readonly origin: string;
  /** A state for the examples. */
  readonly state: string;
  /** Tenants that the reader's token names; undefined where no token is needed. */
  readonly tenants?: readonly string[] | undefined;
}

/** What the service is, the three requests that use it, and where its pages are. */
export function Intro({ origin, state, tenants }: IntroProps) {
  const name = encodeURIComponent(state);
  return (
    <section class="intro" aria-labelledby="intro">
      <h2 id="intro">A state machine as a service</h2>
      <p>
        Machines that must do tasks in a sequence ask this service one question, <em>is it my turn?</em>, and
        report one fact, <em>I am done</em>. The answer is an HTTP status code: 200 for yes, 406 for no.
      </p>
      <pre tabindex={0}>{`curl -sf '${origin}/state?state=${name}'              # is it my turn?
curl -sf '${origin}/state?state=${name}&wait=60s'     # wait until it is
curl -sf -X PUT '${origin}/state?state=${name}&by=me' # I am done`}</pre>
      <p class="soft">
        The service's own chart is at <code>/</code>. Other machines are at <code>/tenant/chart</code>; the
        list of a tenant's machines is at <code>/tenant</code>.
      </p>
      <Tenants tenants={tenants} />
      <nav aria-label="Service">
        <a href="/openapi">all operations</a>
        <a href="/openapi.json">OpenAPI</a>
        <a href="/schema.json">schema of charts</a>
        <a href="/turn.sh">turn.sh</a>
        <a href="/healthz">health and limits</a>
      </nav>
    </section>
  );
}

/** Links to the tenants that a token names. Without tokens there is no list of tenants, so the reader types one. */
function Tenants({ tenants }: Pick<IntroProps, 'tenants'>) {
  if (tenants === undefined) {
    return (
      <form class="filter" data-go>
        <label>
          Machines of the tenant
          <input name="tenant" required autocomplete="off" />
        </label>
        <button type="submit" class="quiet">
          Open
        </button>
      </form>
    );
  }
  if (tenants.length === 0) return null;
  return (
    <nav aria-label="Tenants">
      {tenants.map((tenant) => (
        <a href={`/${tenant}`}>machines of {tenant}</a>
      ))}
    </nav>
  );
}

interface EmptyRootProps extends Omit<IntroProps, 'state'> {
  /** Why there is no machine. */
  readonly why: string;
  /** Whether the reader may upload a chart. */
  readonly mayUpload: boolean;
}

/** The root page where there is no `default` chart. */
export function EmptyRoot({ why, mayUpload, ...intro }: EmptyRootProps) {
  return (
    <Page title="StateService" icon={{ sign: 'S', outcome: 'active' }}>
      <header>
        <h1>StateService</h1>
      </header>
      <main class="stack">
        <Intro {...intro} state="NAME" />
        <section>
          <p>{why}</p>
          {mayUpload ? (
            <p>
              <a href="/chart/edit">Write or upload a chart</a>
            </p>
          ) : null}
        </section>
      </main>
    </Page>
  );
}
