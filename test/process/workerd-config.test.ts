import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OBJECTS, readCompatibility, workerdConfig } from '../../src/cli/workerd-config.ts';

const WRANGLER = await readFile(resolve(import.meta.dirname, '../../wrangler.toml'), 'utf8');

describe('the configuration of workerd', () => {
  it('has the compatibility date and flags of wrangler.toml', () => {
    const compatibility = readCompatibility(
      '# compatibility_date = "2020-01-01"\ncompatibility_date = "2026-01-02"\ncompatibility_flags = ["a_b", \'c\']\n',
    );
    expect(compatibility).toEqual({ date: '2026-01-02', flags: ['a_b', 'c'] });
    const config = workerdConfig({ date: '2026-01-02', flags: ['a_b', 'c'] }, []);
    expect(config).toContain('compatibilityDate = "2026-01-02"');
    expect(config).toContain('compatibilityFlags = ["a_b", "c"]');
    expect(readCompatibility(WRANGLER)?.date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(readCompatibility('name = "x"')).toBeUndefined();
  });

  it('has the objects and bindings of wrangler.toml', () => {
    const blocks = WRANGLER.matchAll(/^name = "(\w+)"\nclass_name = "(\w+)"/gm);
    expect([...blocks].map(([, binding, className]) => ({ binding, className }))).toEqual([...OBJECTS]);
  });

  it('embeds text, and spells none of it', () => {
    const config = workerdConfig({ date: '2026-01-02', flags: [] }, ['CHART']);
    expect(config).toContain('(name = "CHART", text = embed "CHART.txt")');
  });
});
