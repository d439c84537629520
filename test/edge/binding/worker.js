/** A Worker with machines of this service as bindings. It calls the binding and method that the request names. */
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
