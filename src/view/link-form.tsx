/** The form that makes a link for a person. It needs no script. */
import type { View } from '../objects/view-data.ts';
import { ChartHeader, type ChartHeaderProps } from './chart-header.tsx';
import { Page } from './page.tsx';

interface LinkFormProps extends Omit<ChartHeaderProps, 'title'> {
  readonly takes: View['takes'];
  /** The fields as they were typed. */
  readonly values: Readonly<Record<string, string>>;
  /** What is wrong with them. */
  readonly problem?: string;
  /** The link that was made. It is shown once: the service does not store it. */
  readonly made?: { readonly url: string; readonly until: string };
}

export function LinkFormPage(props: LinkFormProps) {
  const { name, takes, values, viewer, problem, made } = props;
  const states = takes.filter(({ events }) => events.length > 0);
  const events = [...new Set(states.flatMap((taking) => taking.events))];
  return (
    <Page title={`Make a link · ${name}`} icon={{ sign: name, outcome: 'active' }}>
      <ChartHeader {...props} title={`A link for ${name}`} />
      <main class="stack">
        {made === undefined ? null : (
          <section aria-labelledby="made">
            <h2 id="made" class="done">
              ✓ The link is made
            </h2>
            <p>
              It sends <b>{values.event}</b> to <b>{values.state}</b> as <b>{values.by}</b>, once, until{' '}
              <time datetime={made.until}>{`${made.until.slice(0, 16).replace('T', ' ')} UTC`}</time>. Copy it
              now: it is not shown again.
            </p>
            <pre tabindex={0} class="link">
              {made.url}
            </pre>
            <button type="button" class="quiet" data-copy="">
              Copy
            </button>
            <output id="answer" aria-live="polite" />
          </section>
        )}
        <section aria-labelledby="link">
          <h2 id="link">{made === undefined ? 'A report by a person' : 'Another link'}</h2>
          <p class="soft">
            Whoever opens the link sees what it sends, and a button. It needs no token, and is for the present
            visit of the state alone.
          </p>
          {states.length === 0 ? (
            <p>No current state takes an event.</p>
          ) : (
            <form method="post" class="fields">
              {problem === undefined ? null : (
                <p role="alert" class="problem">
                  {problem}
                </p>
              )}
              <Choice
                name="state"
                label="State"
                words={states.map(({ state }) => state)}
                chosen={values.state}
              />
              <Choice name="event" label="Event" words={events} chosen={values.event} />
              <label>
                Name of the person
                <input
                  name="by"
                  value={viewer?.by ?? (made === undefined ? values.by : '')}
                  readonly={viewer?.by !== undefined}
                  required
                  maxlength={255}
                />
              </label>
              <label>
                For how long (empty: a day; at most 7d)
                <input name="ttl" value={values.ttl} placeholder="30m, or 8h" maxlength={32} />
              </label>
              <div class="buttons">
                <button type="submit">Make the link</button>
              </div>
            </form>
          )}
        </section>
      </main>
    </Page>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly words: readonly string[];
  readonly chosen: string | undefined;
}

function Choice({ name, label, words, chosen }: ChoiceProps) {
  return (
    <div>
      <label for={name}>{label}</label>
      <select id={name} name={name}>
        {words.map((word) => (
          <option value={word} selected={word === chosen}>
            {word}
          </option>
        ))}
      </select>
    </div>
  );
}
