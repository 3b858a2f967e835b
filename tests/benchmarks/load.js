// Puts a load on a server and prints its rate as JSON: node load.js '{"base": "http://…", "kind": "list", …}'
import autocannon from 'autocannon';

const { base, prefix, kind, seconds, connections, token, worlds, firstCharge } = JSON.parse(process.argv[2]);
const headers = { accept: 'application/json', authorization: `Bearer ${token}` };
const json = { ...headers, 'content-type': 'application/json' };

let charge = firstCharge;
let world = 0;

const kinds = {
  list: [{ method: 'GET', path: `${prefix}/billing/invoices` }],
  // Each request goes to the next world, so that all of them are in use at once.
  worlds: [
    {
      method: 'GET',
      path: `${prefix}/billing/invoices`,
      setupRequest: (request) => ({
        ...request,
        headers: { ...headers, authorization: `Bearer ${token}@${world++ % worlds}` },
      }),
    },
  ],
  flow: [
    {
      method: 'POST',
      path: `${prefix}/billing/invoices`,
      headers: json,
      setupRequest: (request) => ({ ...request, body: JSON.stringify({ charge_ids: [charge++] }) }),
      onResponse: (status, body, context) => {
        context.invoice = status < 300 ? JSON.parse(body).invoice.id : 1;
      },
    },
    {
      method: 'POST',
      headers,
      setupRequest: (request, context) => ({ ...request, path: `${prefix}/billing/invoices/${context.invoice}/finalize` }),
    },
    {
      method: 'POST',
      headers,
      setupRequest: (request, context) => ({ ...request, path: `${prefix}/billing/invoices/${context.invoice}/collect` }),
    },
  ],
};

const result = await autocannon({ url: base, connections, duration: seconds, headers, requests: kinds[kind] });
console.log(
  JSON.stringify({
    rate: result.requests.total / result.duration,
    requests: result.requests.total,
    p50: result.latency.p50,
    p99: result.latency.p99,
    refused: result.non2xx,
    errors: result.errors,
  }),
);
