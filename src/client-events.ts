/** A block of a stream. One without data is a comment, or tells where the stream begins. */
interface StreamBlock {
  /** The id from which a reader that loses the stream goes on. */
  readonly id?: string;
  /** JSON. */
  readonly data?: string;
}

/** The time without a byte after which a stream is taken to be cut, in ms: the service sends a comment every 5 s. */
const SILENT = 30_000;

/**
 * The blocks of server-sent events (WHATWG HTML, section 9.2.6), as the service sends them: a field has one line.
 *
 * @param silent ms.
 * @throws if nothing has come for so long: a connection may be cut without notice.
 */
export async function* eventsIn(
  body: ReadableStream<Uint8Array>,
  silent = SILENT,
): AsyncGenerator<StreamBlock> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let block: Record<string, string> = {};
  try {
    for (;;) {
      const { done, value } = await readWithin(reader, silent);
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const [, field, value = ''] = /^(id|data): (.*)$/.exec(line) ?? [];
        if (field !== undefined) block[field] = value;
        else if (line === '') {
          yield block;
          block = {};
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function readWithin<Chunk>(reader: ReadableStreamDefaultReader<Chunk>, ms: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const isSilent = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`nothing has come for ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([reader.read(), isSilent]);
  } finally {
    clearTimeout(timer);
  }
}
