/** A refusal as a page: what is wrong, what to do next, and the curl that does it. */
import type { Child } from 'hono/jsx';
import { Page } from './page.tsx';
import { SignInForm, TokenHelp } from './sign-in.tsx';

export interface RefusalPageProps {
  /** The code of the refusal. */
  readonly code: string;
  readonly status: number;
  readonly title: string;
  /** What is the case, and what would be right. */
  readonly why: string;
  /** The service's origin. */
  readonly origin: string;
  /** The path of the request. */
  readonly path: string;
  /** The query of the request, with its question mark. */
  readonly search: string;
  /** When a repeat may succeed, in s. */
  readonly retryAfter?: string;
  /** The inputs that it names. */
  readonly inputs: readonly string[];
  /** Whether the reader may put a chart where there is none. */
  readonly mayUpload?: boolean;
}

export function RefusalPage(props: RefusalPageProps) {
  const { code, status, title, why, path } = props;
  const [, tenant] = path.split('/');
  // A path of two segments or more is below a tenant.
  const isBelow = path.split('/').length > 2;
  return (
    <Page title={`${title} · StateService`} icon={{ sign: '!', outcome: 'failed' }}>
      <header>
        <h1>{title}</h1>
        <nav aria-label="Service">
          <a href="/">service</a>
          {isBelow ? <a href={`/${tenant}`}>machines of {tenant}</a> : null}
          <a href="/openapi">API</a>
        </nav>
      </header>
      <main class="stack">
        <section aria-label="Reason">
          <p>{why}</p>
          <p class="soft">
            Status {status}, {code}
          </p>
        </section>
        <Next {...props} />
      </main>
    </Page>
  );
}

/** What to do next. */
function Next({ code, status, origin, path, search, retryAfter, inputs, mayUpload }: RefusalPageProps) {
  const url = `${origin}${path}${search}`.replaceAll("'", '%27');
  if (code === 'no-token') {
    return (
      <>
        <Step title="Sign in">
          <SignInForm to={`${path}${search}`} />
        </Step>
        <Step title="From a terminal" curl={`curl -H "Authorization: Bearer $TOKEN" '${url}'`} />
        <TokenHelp />
      </>
    );
  }
  if (code === 'forbidden') {
    return (
      <>
        <Step title="Sign in with another token">
          <SignInForm to={`${path}${search}`} />
        </Step>
        <TokenHelp />
      </>
    );
  }
  if (code === 'no-chart') {
    const [, tenant, chart = ''] = path.split('/');
    const machine = chart === '' ? origin : `${origin}/${tenant}/${chart.split('@')[0]}`;
    const put = (
      <Step
        title="Put a chart here"
        curl={`curl -X PUT --data-binary @chart.yaml '${machine.replaceAll("'", '%27')}/chart'`}
      >
        {mayUpload ? (
          <p>
            <a class="go" href={`${machine}/chart/edit`}>
              Write or upload a chart
            </a>
          </p>
        ) : null}
      </Step>
    );
    if (!path.endsWith('/restore')) return put;
    return (
      <>
        {put}
        <Step
          title="Put back a machine that was deleted"
          curl={`curl -X POST '${url.split('?')[0]}?at=MOMENT'`}
        >
          <p>
            Its chart may have been deleted with it. The moment is one of the last 30 days, such as
            2026-11-24T09:30:00Z.
          </p>
        </Step>
      </>
    );
  }
  if (code === 'needs-inputs') {
    const [, tenant, machine] = path.split('/');
    // One segment is a resource of the service's own machine, which has no form.
    const form = machine && `/${tenant}/${machine.split('@')[0]}/chart/start`;
    const query = inputs.map((input) => `${input}=…`).join('&');
    return (
      <Step
        title="Start it"
        curl={`curl -X POST '${origin}${machine ? `/${tenant}/${machine}` : ''}/start?${query}'`}
      >
        {form ? (
          <p>
            <a class="go" href={form}>
              Start a run
            </a>
          </p>
        ) : null}
      </Step>
    );
  }
  if (code === 'no-such-path') {
    return (
      <Step title="Where to go" curl={`curl '${origin}/openapi.json'`}>
        <p>
          <a href="/openapi">All operations of the service</a>, or <a href="/">its own machine</a>.
        </p>
      </Step>
    );
  }
  if (code === 'not-supported-here') {
    // A restore: the machine is the path above.
    const machine = path.replace(/\/restore$/, '') || '/';
    return (
      <Step title="What you can do instead">
        <ul>
          <li>
            <a href={machine}>Go to the machine</a>: an override moves it by hand to any of its states, and a
            reset starts it again. Both keep the history.
          </li>
          <li>
            On your own server, put all machines back: stop the service, put a copy of its folder of data
            back, and start it.
          </li>
        </ul>
      </Step>
    );
  }
  return (
    <>
      {status >= 500 || retryAfter !== undefined ? (
        <Step title="Try again">
          <p>
            <a href={`${path}${search}`}>Load this page again</a>
            {retryAfter === undefined ? '' : `, in ${retryAfter} s or later`}.
          </p>
        </Step>
      ) : null}
      <Step title="From a terminal" curl={`curl -i '${url}'`} />
    </>
  );
}

interface StepProps {
  readonly title: string;
  readonly curl?: string;
  readonly children?: Child;
}

function Step({ title, curl, children }: StepProps) {
  const id = title.toLowerCase().replaceAll(' ', '-');
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
      {curl === undefined ? null : <pre tabindex={0}>{curl}</pre>}
    </section>
  );
}
