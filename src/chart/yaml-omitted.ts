/**
 * Stands in the bundle for the modules of `yaml` that only writing YAML, its older schemas and values of JavaScript need:
 * charts are read with the core schema, `yaml-tree.ts` reads the nodes, and `yaml-write.ts` edits the text. They would be
 * 10 kB of the bundle, gzip. `cli/bundle.ts` puts this in their place.
 */
function omitted(): never {
  throw new Error('this part of `yaml` is not in the bundle');
}

// yaml/dist/doc, nodes and parse, and yaml/dist/visit.js
export const addPairToJSMap = omitted;
export const anchorIsValid = omitted;
export const anchorNames = omitted;
export const applyReviver = omitted;
export const createNode = omitted;
export const createNodeAnchors = omitted;
export const findNewAnchor = omitted;
export const toJS = omitted;
export const visit = omitted;
export const visitAsync = omitted;

// yaml/dist/stringify
export const createStringifyContext = omitted;
export const stringify = omitted;
export const stringifyCollection = omitted;
export const stringifyDocument = omitted;
export const stringifyNumber = omitted;
export const stringifyPair = omitted;
export const stringifyString = omitted;

// yaml/dist/schema: tags and lists of tags, which the package looks up by the name of a schema
export const binary = undefined;
export const floatTime = undefined;
export const intTime = undefined;
export const merge = undefined;
export const omap = undefined;
export const pairs = undefined;
export const schema = undefined;
export const set = undefined;
export const timestamp = undefined;
