/** The form that starts a run: its name, and a field for each input. It needs no script. */

import { parseObjectName } from '../address.ts';
import type { NewestChart } from '../objects/chart-results.ts';
import { NAME_LENGTH } from '../request-limits.ts';
import { ChartHeader, type ChartHeaderProps } from './chart-header.tsx';
import { Page } from './page.tsx';

type Inputs = NewestChart['inputs'];

interface StartFormProps {
  /** The path of the chart's own machine. */
  readonly path: string;
  readonly inputs: Inputs;
  /** The fields as they were typed, by their names. */
  readonly values: Readonly<Record<string, string>>;
  /** What is wrong with the inputs; without a name, with the form. */
  readonly problems: readonly { readonly input: string; readonly message: string }[];
}

/** The name of an input's field. */
export function fieldOf(input: string): string {
  return `input.${input}`;
}

export function StartForm({ path, inputs, values, problems }: StartFormProps) {
  const known = new Set(['run', ...inputs.map(({ input }) => input)]);
  const others = problems.filter(({ input }) => !known.has(input));
  return (
    <form method="post" action={`${path}/chart/start`} class="fields">
      {others.map(({ message }) => (
        <p role="alert" class="problem">
          {message}
        </p>
      ))}
      <Field
        name="run"
        label="Name of the run"
        hint="letters, digits, “.”, “_” and “-”: 2026-11-28"
        problems={problems.filter(({ input }) => input === 'run')}
      >
        {(more) => (
          <input
            {...more}
            name="run"
            value={values.run}
            required
            maxlength={NAME_LENGTH}
            autocomplete="off"
          />
        )}
      </Field>
      {inputs.map(({ input, byDefault, kind }) => {
        const name = fieldOf(input);
        const value = values[name] ?? (byDefault === null ? '' : String(byDefault));
        const standard =
          byDefault === null ? 'must be given' : `default: ${byDefault === '' ? 'empty' : byDefault}`;
        return (
          <Field
            name={name}
            label={input}
            hint={`${kind}; ${standard}`}
            problems={problems.filter((problem) => problem.input === input)}
          >
            {(more) =>
              typeof byDefault === 'boolean' ? (
                <select {...more} name={name}>
                  {['true', 'false'].map((word) => (
                    <option value={word} selected={word === value}>
                      {word}
                    </option>
                  ))}
                </select>
              ) : (
                <input {...more} name={name} value={value} required={byDefault === null} autocomplete="off" />
              )
            }
          </Field>
        );
      })}
      <div class="buttons">
        <button type="submit">Start the run</button>
      </div>
    </form>
  );
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly problems: StartFormProps['problems'];
  readonly children: (attributes: object) => unknown;
}

/** A field with its hint, and what is wrong with it. */
function Field({ name, label, hint, problems, children }: FieldProps) {
  const isWrong = problems.length > 0;
  const attributes = {
    id: name,
    'aria-describedby': isWrong ? `${name}-hint ${name}-problem` : `${name}-hint`,
    ...(isWrong ? { 'aria-invalid': 'true' } : {}),
  };
  return (
    <div>
      <label for={name}>{label}</label>
      {children(attributes)}
      <p id={`${name}-hint`} class="soft small">
        {hint}
      </p>
      {isWrong ? (
        <p id={`${name}-problem`} class="problem" role="alert">
          {problems.map(({ message }) => message.replaceAll('`', '')).join(' ')}
        </p>
      ) : null}
    </div>
  );
}

type StartPageProps = Omit<StartFormProps, 'path'> & Omit<ChartHeaderProps, 'title'>;

/** The form on a page of its own: after something was wrong with it. */
export function StartPage(props: StartPageProps) {
  const { name } = props;
  const { chart } = parseObjectName(name);
  return (
    <Page title={`Start a run · ${name}`} icon={{ sign: name, outcome: 'active' }}>
      <ChartHeader {...props} title={`Start a run of ${chart}`} />
      <main>
        <section aria-label="The run">
          <StartForm {...props} />
        </section>
      </main>
    </Page>
  );
}
