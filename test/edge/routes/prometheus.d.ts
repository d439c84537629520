/** What the tests use of parse-prometheus-text-format 1, which comes without types. */
declare module 'parse-prometheus-text-format' {
  interface Family {
    name: string;
    help: string;
    type: string;
    metrics: { labels?: Record<string, string>; value: string }[];
  }

  export default function parse(text: string): Family[];
}
