/** The introduction on the root page, and pages without a machine. */
import { Page } from './page.tsx';

/** What the service is, and the three requests that use it. */
export function Intro({ origin, state }: { readonly origin: string; readonly state: string }) {
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
        The machine below runs the service's own chart. Other machines are at <code>/tenant/chart</code>; the
        list of a tenant's machines is at <code>/tenant</code>.
      </p>
    </section>
  );
}

interface EmptyRootProps {
  readonly origin: string;
  readonly why: string;
  /** Whether the reader may put a chart there. */
  readonly mayUpload: boolean;
}

/** The root page where there is no `default` chart. */
export function EmptyRoot({ origin, why, mayUpload }: EmptyRootProps) {
  return (
    <Page title="StateService" icon={{ sign: 'S', outcome: 'active' }}>
      <header>
        <h1>StateService</h1>
      </header>
      <main class="stack">
        <Intro origin={origin} state="NAME" />
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
