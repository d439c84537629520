import autocannon from 'autocannon';

/** A stretch of load: so many connections, each of which asks again as soon as it has its answer. */
export interface Load {
  readonly url: string;
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly connections: number;
  /** The only body that counts as an answer; any of a 2xx where it is left out. */
  readonly body?: string;
  /** What is sent along. */
  readonly sends?: string;
  /** The path of each request, one after the other; that of `url` where it is left out. */
  readonly pathOf?: (request: number) => string;
}

/** What came of it. Latencies in ms, from the request to the end of its answer. */
export interface Measured {
  readonly answers: number;
  /** Answers a second. */
  readonly throughput: number;
  readonly p50: number;
  readonly p99: number;
}

/** How often autocannon looks whether the time is over, ms. Its default, a second, would round our stretches up. */
const SAMPLE = 50;

/**
 * Puts load on a server.
 *
 * @returns undefined where nothing was answered in all that time.
 * @throws where one request failed or was not answered as it should be: a figure of refusals would be worth nothing.
 */
export async function measure(
  { url, method, connections, body, sends, pathOf }: Load,
  seconds: number,
): Promise<Measured | undefined> {
  // Our own latencies: those of autocannon's histogram are whole milliseconds, which is all that one answer takes.
  const latencies: number[] = [];
  const begun = performance.now();
  let ended = begun;
  let requests = 0;
  let others = 0;
  // autocannon looks at bodies itself only where every request is the same.
  const each = {
    method,
    setupRequest: (request: object) => ({ ...request, path: pathOf?.(requests++) }),
    onResponse(_status: number, text: string) {
      if (body !== undefined && text !== body) others += 1;
    },
  };
  const run = autocannon({
    url,
    method,
    connections,
    duration: seconds,
    sampleInt: SAMPLE,
    ...(body === undefined || pathOf !== undefined ? {} : { expectBody: body }),
    ...(sends === undefined ? {} : { body: sends }),
    ...(pathOf === undefined ? {} : { requests: [each] }),
  });
  run.on('response', (_client, _status, _bytes, milliseconds) => {
    latencies.push(milliseconds);
    ended = performance.now();
  });
  const { errors, non2xx, mismatches } = await run;
  const answers = latencies.length;
  if (errors + non2xx + mismatches + others > 0) {
    throw new Error(
      `${method} ${url}: ${errors} errors; of ${answers} answers ${non2xx} not 2xx, ${mismatches + others} with a wrong body`,
    );
  }
  if (answers === 0) return undefined;
  latencies.sort((a, b) => a - b);
  return {
    answers,
    throughput: answers / ((ended - begun) / 1000),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

/** @param sorted not empty, the smallest first. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
