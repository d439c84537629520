/** A Worker of somebody else, with machines of ours among its bindings: it asks by name what its callers ask for. */
export default {
  async fetch(request, env) {
    const { binding, method, args } = await request.json();
    try {
      return Response.json({ answer: await env[binding][method](...args) });
    } catch (error) {
      return Response.json({ thrown: { name: error.name, message: error.message } });
    }
  },
};
