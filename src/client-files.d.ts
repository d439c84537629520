/** Files for clients, which the Worker has as text: see `clientText` in cli/bundle.ts. */
declare module '*.client.js' {
  const text: string;
  export default text;
}
declare module '*.client.css' {
  const text: string;
  export default text;
}
declare module '*/turn.sh' {
  const text: string;
  export default text;
}
