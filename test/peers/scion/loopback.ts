/** Loaded before SCION's client, whose server of files would listen on all addresses of the machine. */
import { Server } from 'node:net';

const listen = Server.prototype.listen;
Server.prototype.listen = function (this: Server, ...args: unknown[]) {
  const [port, ...rest] = args;
  const loopback = typeof port === 'number' ? [{ host: '127.0.0.1', port }, ...rest] : args;
  return Reflect.apply(listen, this, loopback);
};
