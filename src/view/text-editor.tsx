/** The editor of a text: its lines are numbered by the script (`editor.client.js`), and a file can be opened into it. */

interface TextEditorProps {
  readonly rows: number;
  readonly text: string;
  /** The path of the dry run that checks the text as it is typed; absent for a text that its upload checks. */
  readonly check?: string;
}

/** The field `text` of a form. Its label is `for="text"`. */
export function TextEditor({ rows, text, check }: TextEditorProps) {
  return (
    <div class="lines">
      <pre aria-hidden="true" data-own="lines" />
      <textarea
        id="text"
        name="text"
        rows={rows}
        wrap="off"
        autocapitalize="off"
        autocomplete="off"
        spellcheck={false}
        required
        data-check={check}
      >
        {/* A parser drops the first line feed of a text area. */}
        {`\n${text}`}
      </textarea>
    </div>
  );
}

/** The button that opens a file into the editor. It needs the script. */
export function OpenFile({ accept }: { readonly accept: string }) {
  return (
    <label class="button quiet scripted">
      Open a file…
      <input type="file" accept={accept} class="unseen" data-opens="text" />
    </label>
  );
}
