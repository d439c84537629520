/**
 * Stands in the bundle for the modules of `yaml` that only writing YAML and its older schemas need: charts are read with
 * the core schema, and `yaml-write.ts` edits their text. They would be 8 kB of the bundle, gzip. The aliases are in
 * `wrangler.toml`, for a deploy, and in `cli/bundle.ts`.
 */
function omitted(): never {
  throw new Error('this part of `yaml` is not in the bundle');
}

// yaml/dist/stringify
export const createStringifyContext = omitted;
export const stringify = omitted;
export const stringifyCollection = omitted;
export const stringifyDocument = omitted;
export const stringifyPair = omitted;
export const stringifyString = omitted;

// yaml/dist/schema: tags and lists of tags, which the package looks up by the name of a schema
export const binary = undefined;
export const floatTime = undefined;
export const intTime = undefined;
export const omap = undefined;
export const pairs = undefined;
export const schema = undefined;
export const set = undefined;
export const timestamp = undefined;
