/** Signing in and out. */
import { Page } from './page.tsx';

interface SignInProps {
  /** Where to go afterwards: a path of this service. */
  readonly to: string;
  /** Why the token that was sent is none; absent if none was sent. */
  readonly why?: string;
}

/** The form for a token. It works without a script. */
export function SignInForm({ to, why }: SignInProps) {
  return (
    <form method="post" action="/signin" class="sign-in">
      {why === undefined ? null : (
        <p role="alert" class="problem">
          {why}
        </p>
      )}
      <label>
        Token
        <input type="password" name="token" required autocomplete="current-password" autofocus />
      </label>
      <input type="hidden" name="to" value={to} />
      <button type="submit">Sign in</button>
    </form>
  );
}

export function SignInPage(props: SignInProps) {
  return (
    <Page title="Sign in · StateService" icon={{ sign: 'S', outcome: 'active' }}>
      <header>
        <h1>Sign in</h1>
        <nav aria-label="Service">
          <a href="/">service</a>
          <a href="/openapi">API</a>
        </nav>
      </header>
      <main class="stack">
        <section aria-label="Signing in">
          <SignInForm {...props} />
          <p class="soft">
            The token stays in a cookie of this browser until it expires, or until you sign out. Programs send
            it themselves: <code>curl -H "Authorization: Bearer $TOKEN"</code>.
          </p>
        </section>
        <TokenHelp />
      </main>
    </Page>
  );
}

/** How the holder of the secret makes a token. */
export function TokenHelp({
  charts = 'acme/*',
  can = 'read,update',
}: {
  readonly charts?: string;
  readonly can?: string;
}) {
  return (
    <section aria-labelledby="token-help">
      <h2 id="token-help">No token?</h2>
      <p>Whoever has the secret of this service makes one:</p>
      <pre tabindex={0}>{`npm run -s token -- --charts '${charts}' --can ${can} --sub NAME --ttl 8h`}</pre>
    </section>
  );
}

/** The page of somebody who may sign out. */
export function SignOutPage({ sub }: { readonly sub: string | undefined }) {
  return (
    <Page title="Sign out · StateService" icon={{ sign: 'S', outcome: 'active' }}>
      <header>
        <h1>Sign out</h1>
        <nav aria-label="Service">
          <a href="/signin">sign in</a>
          <a href="/openapi">API</a>
        </nav>
      </header>
      <main class="stack">
        <section aria-label="Session">
          {sub === undefined ? <p>You are not signed in.</p> : <Viewer sub={sub} isInSession={true} />}
        </section>
      </main>
    </Page>
  );
}

/** Who reads a page, and the button that ends the session. */
export function Viewer({ sub, isInSession }: { readonly sub: string; readonly isInSession: boolean }) {
  return (
    <span class="viewer">
      Signed in as {sub}
      {isInSession ? (
        <form method="post" action="/signout">
          <button type="submit" class="quiet small">
            Sign out
          </button>
        </form>
      ) : null}
    </span>
  );
}
